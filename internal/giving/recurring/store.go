package recurring

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

const planColumns = `id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, discounted, currency, language, total, paid,
	terms, customer_id, subscription_id, schedule_id, phase_start, iterations, card_brand, card_last4, card_expires, next_at, paused_until,
	failing_since, failing_code, failing_invoice, look_due, anchor_day, created_at, begun_at, ended_at, ended_because, ends_at, disputed_since`

// ByID returns a plan by its id; fault.NotFound if there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (plan.Plan, error) {
	const query = `/* recurring.ByID */ SELECT ` + planColumns + ` FROM plan WHERE id = $1`
	return queryPlan(ctx, q, query, id)
}

// ByRef returns a plan by its public reference; fault.NotFound if there is none.
func ByRef(ctx context.Context, q sqlx.QueryerContext, ref string) (plan.Plan, error) {
	if !utf8.ValidString(ref) || strings.ContainsRune(ref, 0) {
		return plan.Plan{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	const query = `/* recurring.ByRef */ SELECT ` + planColumns + ` FROM plan WHERE public_ref = $1`
	return queryPlan(ctx, q, query, ref)
}

func queryPlan(ctx context.Context, q sqlx.QueryerContext, query string, arg any) (plan.Plan, error) {
	var p plan.Plan
	err := sqlx.GetContext(ctx, q, &p, query, arg)
	if errors.Is(err, sql.ErrNoRows) {
		return plan.Plan{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return p, err
}

// OfDonor returns the plans of donors whose first payment was made: plans that have not ended first, then the oldest first.
func OfDonor(ctx context.Context, q sqlx.QueryerContext, donors ...uuid.UUID) (plans []plan.Plan, err error) {
	const query = `/* recurring.OfDonor */ SELECT ` + planColumns + ` FROM plan
		WHERE donor_id = ANY($1::uuid[]) AND begun_at IS NOT NULL ORDER BY ended_at IS NOT NULL, begun_at, id`
	err = sqlx.SelectContext(ctx, q, &plans, query, pg.UUIDs(donors))
	return plans, err
}

// OfCustomer returns the running plans of a customer at Stripe.
func OfCustomer(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, customer string) ([]plan.Plan, error) {
	const query = `/* recurring.OfCustomer */ SELECT ` + planColumns + ` FROM plan
		WHERE entity_id = $1 AND customer_id = $2 AND status IN ('active', 'paused') ORDER BY id`
	var plans []plan.Plan
	err := sqlx.SelectContext(ctx, q, &plans, query, entity, customer)
	return plans, err
}

// lockPlansTx locks and returns plans by their ids, in the order of the ids.
func lockPlansTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) (map[uuid.UUID]*plan.Plan, error) {
	const query = `/* recurring.lockPlansTx */ SELECT ` + planColumns + ` FROM plan WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	var rows []plan.Plan
	if err := tx.SelectContext(ctx, &rows, query, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	plans := make(map[uuid.UUID]*plan.Plan, len(rows))
	for i := range rows {
		plans[rows[i].ID] = &rows[i]
	}
	return plans, nil
}

// lockPlanTx locks and returns a plan; fault.NotFound if there is none.
func lockPlanTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (*plan.Plan, error) {
	plans, err := lockPlansTx(ctx, tx, []uuid.UUID{id})
	if err == nil && plans[id] == nil {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return plans[id], err
}

// savePlanTx updates all columns of a locked plan that can change.
func savePlanTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) error {
	const query = `/* recurring.savePlanTx */
		UPDATE plan SET status = :status, frequency = :frequency, amount = :amount, covered = :covered, discounted = :discounted, paid = :paid, terms = :terms,
		       customer_id = :customer_id, subscription_id = :subscription_id, schedule_id = :schedule_id, phase_start = :phase_start,
		       iterations = :iterations, card_brand = :card_brand, card_last4 = :card_last4, card_expires = :card_expires, next_at = :next_at,
		       paused_until = :paused_until, failing_since = :failing_since, failing_code = :failing_code, failing_invoice = :failing_invoice,
		       look_due = :look_due, anchor_day = :anchor_day, begun_at = :begun_at, ended_at = :ended_at,
		       ended_because = :ended_because, ends_at = :ends_at, disputed_since = :disputed_since
		 WHERE id = :id`
	_, err := tx.NamedExecContext(ctx, query, p)
	return err
}
