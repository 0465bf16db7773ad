package recurring

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

const planColumns = `id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, covered, currency, language, total, paid,
	terms, customer_id, subscription_id, schedule_id, phase_start, iterations, card_brand, card_last4, card_expires, next_at, paused_until,
	failing_since, failing_code, failing_invoice, look_due, anchor_day, created_at, begun_at, ended_at`

// ByID is the plan of that id; fault.NotFound when there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (Plan, error) {
	const query = `/* recurring.ByID */ SELECT ` + planColumns + ` FROM plan WHERE id = $1`
	return queryPlan(ctx, q, query, id)
}

// ByRef is the plan of that public reference; fault.NotFound when there is none.
func ByRef(ctx context.Context, q sqlx.QueryerContext, ref string) (Plan, error) {
	if !utf8.ValidString(ref) || strings.ContainsRune(ref, 0) {
		return Plan{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	const query = `/* recurring.ByRef */ SELECT ` + planColumns + ` FROM plan WHERE public_ref = $1`
	return queryPlan(ctx, q, query, ref)
}

func queryPlan(ctx context.Context, q sqlx.QueryerContext, query string, arg any) (Plan, error) {
	var p Plan
	err := sqlx.GetContext(ctx, q, &p, query, arg)
	if errors.Is(err, sql.ErrNoRows) {
		return Plan{}, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return p, err
}

// OfDonor lists a donor's plans that have begun, those that go on first, then by age.
func OfDonor(ctx context.Context, q sqlx.QueryerContext, donor uuid.UUID) ([]Plan, error) {
	const query = `/* recurring.OfDonor */ SELECT ` + planColumns + ` FROM plan
		WHERE donor_id = $1 AND begun_at IS NOT NULL ORDER BY ended_at IS NOT NULL, begun_at, id`
	var plans []Plan
	err := sqlx.SelectContext(ctx, q, &plans, query, donor)
	return plans, err
}

// ofCustomer lists the plans that go on of one of Stripe's customers.
func ofCustomer(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, customer string) ([]Plan, error) {
	const query = `/* recurring.ofCustomer */ SELECT ` + planColumns + ` FROM plan
		WHERE entity_id = $1 AND customer_id = $2 AND status IN ('active', 'paused') ORDER BY id`
	var plans []Plan
	err := sqlx.SelectContext(ctx, q, &plans, query, entity, customer)
	return plans, err
}

func lockPlansTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) (map[uuid.UUID]*Plan, error) {
	const query = `/* recurring.lockPlansTx */ SELECT ` + planColumns + ` FROM plan WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	var rows []Plan
	if err := tx.SelectContext(ctx, &rows, query, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	plans := make(map[uuid.UUID]*Plan, len(rows))
	for i := range rows {
		plans[rows[i].ID] = &rows[i]
	}
	return plans, nil
}

// lockOneTx locks a plan; fault.NotFound when there is none.
func lockPlanTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (*Plan, error) {
	plans, err := lockPlansTx(ctx, tx, []uuid.UUID{id})
	if err == nil && plans[id] == nil {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return plans[id], err
}

// saveTx writes all of a locked plan that can change.
func savePlanTx(ctx context.Context, tx *sqlx.Tx, p *Plan) error {
	const query = `/* recurring.savePlanTx */
		UPDATE plan SET status = :status, frequency = :frequency, amount = :amount, covered = :covered, paid = :paid, terms = :terms,
		       customer_id = :customer_id, subscription_id = :subscription_id, schedule_id = :schedule_id, phase_start = :phase_start,
		       iterations = :iterations, card_brand = :card_brand, card_last4 = :card_last4, card_expires = :card_expires, next_at = :next_at,
		       paused_until = :paused_until, failing_since = :failing_since, failing_code = :failing_code, failing_invoice = :failing_invoice,
		       look_due = :look_due, anchor_day = :anchor_day, begun_at = :begun_at, ended_at = :ended_at
		 WHERE id = :id`
	_, err := tx.NamedExecContext(ctx, query, p)
	return err
}

// terms are what is given each time, from a moment on.
type terms struct {
	N       int       `db:"n"`
	Since   time.Time `db:"since"`
	Amount  int64     `db:"amount"`
	Covered int64     `db:"covered"`
}

// termsOf lists a plan's terms, the newest first.
func termsOf(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]terms, error) {
	const query = `/* recurring.termsOf */ SELECT n, since, amount, covered FROM plan_terms WHERE plan_id = $1 ORDER BY n DESC`
	var all []terms
	err := sqlx.SelectContext(ctx, q, &all, query, plan)
	return all, err
}

// stood finds among terms, the newest first, those that stood at a moment.
func termsAt(all []terms, at time.Time) terms {
	for _, t := range all {
		if !t.Since.After(at) {
			return t
		}
	}
	return all[len(all)-1]
}

// PartsOf are the funds that a version of a plan's terms is for, in order.
func PartsOf(ctx context.Context, q sqlx.QueryerContext, p Plan, n int) ([]donation.Designation, error) {
	const query = `/* recurring.PartsOf */ SELECT fund_id, amount, covered FROM plan_part WHERE plan_id = $1 AND n = $2 ORDER BY position`
	var rows []struct {
		FundID  uuid.UUID `db:"fund_id"`
		Amount  int64     `db:"amount"`
		Covered int64     `db:"covered"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query, p.ID, n); err != nil {
		return nil, err
	}
	parts := make([]donation.Designation, len(rows))
	for i, r := range rows {
		c := money.Currency(p.Currency)
		parts[i] = donation.Designation{FundID: r.FundID, Amount: money.New(r.Amount, c), Covered: money.New(r.Covered, c)}
	}
	return parts, nil
}

func addTermsTx(ctx context.Context, tx *sqlx.Tx, p *Plan, parts []donation.Designation, at time.Time) error {
	const version = `/* recurring.addTermsTx */ INSERT INTO plan_terms (plan_id, n, since, amount, covered) VALUES ($1, $2, $3, $4, $5)`
	const funds = `/* recurring.addTermsTx */
		INSERT INTO plan_part (plan_id, n, position, entity_id, fund_id, amount, covered)
		SELECT $1, $2, s.position, $3, s.fund_id, s.amount, s.covered
		  FROM unnest($4::uuid[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS s (fund_id, amount, covered, position)`
	if _, err := tx.ExecContext(ctx, version, p.ID, p.Terms, at, p.AmountMinor, p.CoveredMinor); err != nil {
		return err
	}
	ids, amounts, covered := make([]uuid.UUID, len(parts)), make(pq.Int64Array, len(parts)), make(pq.Int64Array, len(parts))
	for i, part := range parts {
		ids[i], amounts[i], covered[i] = part.FundID, part.Amount.Minor, part.Covered.Minor
	}
	_, err := tx.ExecContext(ctx, funds, p.ID, p.Terms, p.EntityID, pg.UUIDs(ids), amounts, covered)
	return err
}
