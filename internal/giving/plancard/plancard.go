// Package plancard decides whether the card of a plan may be of another person than the plan's donor, and owns the
// tasks about it.
//
// A plan that was begun with a mistyped address moves to its right owner (package owner). Who read the mistyped
// address may have given a card by a link in an email, and pays for the plan until its owner gives another:
//
//	OwnerChangedTx ── may be of another: a task, and the caller asks the owner for a card
//	       ▲                   └── UpdatedTx: the owner gave one, the task closes
//	       └── moved again
//
// The functions may_pay_for_another and gave_card of migration 00101 read plans, their events and requests.
package plancard

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/giving/plan"
)

var (
	// taskOthers is the kind of task about a plan that belongs to another donor now and whose card may be of the donor
	// before. Subject: the plan.
	taskOthers = task.Register(task.Kind{
		Code: "plan_card_of_another", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Plan}, Closes: task.Automatically,
	})
	// taskNobodys is the kind of task about a running plan whose donor has no address, because an erasure had removed
	// the corrected one. Migration 00101 opens it. Subject: the plan.
	taskNobodys = task.Register(task.Kind{
		Code: "plan_without_address", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Plan}, Closes: task.Automatically,
	})
)

// OwnerChangedTx opens or closes the tasks about a plan that moved to another donor. It reports whether the donor is
// to be asked for a card. The caller has locked the plan.
func OwnerChangedTx(ctx context.Context, tx *sqlx.Tx, p plan.Plan, newID func() uuid.UUID, now time.Time) (ask bool, err error) {
	const query = `/* plancard.OwnerChangedTx */ SELECT may_pay_for_another($1)`
	if err := task.CloseTx(ctx, tx, p.EntityID, taskNobodys, p.ID.String(), now); err != nil {
		return false, err
	}
	if err := tx.GetContext(ctx, &ask, query, p.ID); err != nil {
		return false, err
	}
	if !ask {
		return false, task.CloseTx(ctx, tx, p.EntityID, taskOthers, p.ID.String(), now)
	}
	return true, task.OpenTx(ctx, tx, task.Task{EntityID: p.EntityID, Kind: taskOthers, Subject: p.ID.String()}, newID, now)
}

// UpdatedTx closes the task about a plan's card if the plan's donor gave the card that is charged from now on.
func UpdatedTx(ctx context.Context, tx *sqlx.Tx, p plan.Plan, now time.Time) error {
	const query = `/* plancard.UpdatedTx */ SELECT gave_card($1, $2, $3)`
	var own bool
	if err := tx.GetContext(ctx, &own, query, p.EntityID, p.CustomerID, p.DonorID); err != nil || !own {
		return err
	}
	return task.CloseTx(ctx, tx, p.EntityID, taskOthers, p.ID.String(), now)
}
