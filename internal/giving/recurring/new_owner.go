package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/giving/plan"
)

var (
	// taskOthersCard is the kind of task about a plan that belongs to another donor now and is charged to a card that may
	// be of the donor before. Subject: the plan.
	taskOthersCard = task.Register(task.Kind{
		Code: "plan_card_of_another", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Plan}, Closes: task.Automatically,
	})
	// taskWithoutAddress is the kind of task about a running plan whose donor has no address, because an erasure had removed
	// the corrected one. Migration 00101 opens it. Subject: the plan.
	taskWithoutAddress = task.Register(task.Kind{
		Code: "plan_without_address", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Plan}, Closes: task.Automatically,
	})
)

// OwnerChangedTx does what the move of a plan to another donor means for its card. Who read the mistyped address may have
// given a card by a link in an email, and pays for the plan until its owner gives another. If so, it opens a task and sends
// the owner an email that asks for a card. It does nothing for a plan that has ended.
func (ps Plans) OwnerChangedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) error {
	p, err := lockPlanTx(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := task.CloseTx(ctx, tx, p.EntityID, taskWithoutAddress, p.ID.String(), ps.Now()); err != nil || !p.Status.IsRunning() {
		return err
	}
	others, err := mayPayForAnotherTx(ctx, tx, p)
	if err != nil {
		return err
	}
	if !others {
		return task.CloseTx(ctx, tx, p.EntityID, taskOthersCard, p.ID.String(), ps.Now())
	}
	if err := task.OpenTx(ctx, tx, task.Task{EntityID: p.EntityID, Kind: taskOthersCard, Subject: p.ID.String()}, ps.NewID, ps.Now()); err != nil {
		return err
	}
	return ps.notifyTx(ctx, tx, p, plan.EventCardNeeded, ps.NewID().String(), plan.Detail{})
}

// mayPayForAnotherTx reports whether a plan's card may be of another donor than the plan's: a card was given after the
// first payment, or a plan of another donor is charged to the same customer at Stripe. It is the donor's own if the donor
// opened Stripe's page for a new card last.
func mayPayForAnotherTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) (bool, error) {
	const query = `/* recurring.mayPayForAnotherTx */
		SELECT EXISTS (SELECT 1 FROM plan_event WHERE plan_id = $1 AND kind = $2)
		    OR EXISTS (SELECT 1 FROM plan o WHERE o.entity_id = $3 AND o.customer_id = $4 AND o.donor_id <> $5 AND o.status IN ('active', 'paused'))`
	if p.CustomerID == nil {
		return false, nil
	}
	own, err := gaveCardTx(ctx, tx, p)
	if err != nil || own {
		return false, err
	}
	waits, err := waitsTx(ctx, tx, p.ID, plan.KindCard, plan.KindMigrate)
	if err != nil || waits {
		return waits, err
	}
	var others bool
	err = tx.GetContext(ctx, &others, query, p.ID, plan.EventCardUpdated, p.EntityID, p.CustomerID, p.DonorID)
	return others, err
}

// gaveCardTx reports whether the plan's donor opened Stripe's page for a new card of the plan's customer last.
func gaveCardTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) (own bool, err error) {
	const query = `/* recurring.gaveCardTx */
		SELECT coalesce((SELECT coalesce(e.detail->>'donor', m.donor_id::text) = $3::text FROM plan m JOIN plan_event e ON e.plan_id = m.id
		  WHERE m.entity_id = $1 AND m.customer_id = $2 AND e.kind = $4 AND e.detail->>'customer' = $2 ORDER BY e.at DESC, e.id LIMIT 1), false)`
	err = tx.GetContext(ctx, &own, query, p.EntityID, p.CustomerID, p.DonorID.String(), plan.EventCardPageOpened)
	return own, err
}

// closeOthersCardTx closes the task about a plan's card if the plan's donor gave the card that is charged from now on.
func (ps Plans) closeOthersCardTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) error {
	own, err := gaveCardTx(ctx, tx, p)
	if err != nil || !own {
		return err
	}
	return task.CloseTx(ctx, tx, p.EntityID, taskOthersCard, p.ID.String(), ps.Now())
}
