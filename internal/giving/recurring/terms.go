package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// terms is a version of a plan's terms: the amount of each charge, in minor units, from a time on.
type terms struct {
	N       int       `db:"n"`
	Since   time.Time `db:"since"`
	Amount  int64     `db:"amount"`
	Covered int64     `db:"covered"`
}

// termsOf returns a plan's terms, the newest version first.
func termsOf(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]terms, error) {
	const query = `/* recurring.termsOf */ SELECT n, since, amount, covered FROM plan_terms WHERE plan_id = $1 ORDER BY n DESC`
	var all []terms
	err := sqlx.SelectContext(ctx, q, &all, query, plan)
	return all, err
}

// termsAt returns the version that was in force at a time; the oldest if the time is before all. all has the newest
// version first.
func termsAt(all []terms, at time.Time) terms {
	for _, t := range all {
		if !t.Since.After(at) {
			return t
		}
	}
	return all[len(all)-1]
}

// PartsOf returns the funds of a version of a plan's terms with their amounts, in order.
func PartsOf(ctx context.Context, q sqlx.QueryerContext, p plan.Plan, n int) ([]donation.Designation, error) {
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

// addTermsTx inserts version p.Terms of the plan's terms.
func addTermsTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, parts []donation.Designation, at time.Time) error {
	const version = `/* recurring.addTermsTx */ INSERT INTO plan_terms (plan_id, n, since, amount, covered) VALUES ($1, $2, $3, $4, $5)`
	const funds = `/* recurring.addTermsTx */
		INSERT INTO plan_part (plan_id, n, position, entity_id, fund_id, amount, covered)
		SELECT $1, $2, s.position, $3, s.fund_id, s.amount, s.covered
		  FROM unnest($4::uuid[], $5::bigint[], $6::bigint[]) WITH ORDINALITY AS s (fund_id, amount, covered, position)`
	if _, err := tx.ExecContext(ctx, version, p.ID, p.Terms, at, p.AmountMinor, p.CoveredMinor); err != nil {
		return err
	}
	rows := pg.NewColumns(3)
	for _, part := range parts {
		rows.Add(part.FundID, part.Amount.Minor, part.Covered.Minor)
	}
	_, err := tx.ExecContext(ctx, funds, rows.Args(p.ID, p.Terms, p.EntityID)...)
	return err
}
