// Package planterms owns what plans charge: the amount of each charge and its funds, in versions (tables plan_terms and
// plan_part). A payment has the version that was in force when its invoice was created. Versions are written once.
package planterms

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Version is a version of a plan's terms: the amount of each charge, in minor units, from a time on.
type Version struct {
	N       int       `db:"n"`
	Since   time.Time `db:"since"`
	Amount  int64     `db:"amount"`
	Covered int64     `db:"covered"`
}

// Of returns a plan's terms, the newest version first.
func Of(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]Version, error) {
	const query = `/* planterms.Of */ SELECT n, since, amount, covered FROM plan_terms WHERE plan_id = $1 ORDER BY n DESC`
	var all []Version
	err := sqlx.SelectContext(ctx, q, &all, query, plan)
	return all, err
}

// At returns the version that was in force at a time; the oldest if the time is before all. all has the newest
// version first.
func At(all []Version, at time.Time) Version {
	for _, t := range all {
		if !t.Since.After(at) {
			return t
		}
	}
	return all[len(all)-1]
}

// PartsOf returns the funds of a version of a plan's terms with their amounts, in order.
func PartsOf(ctx context.Context, q sqlx.QueryerContext, p plan.Plan, n int) ([]donation.Designation, error) {
	const query = `/* planterms.PartsOf */ SELECT fund_id, amount, covered FROM plan_part WHERE plan_id = $1 AND n = $2 ORDER BY position`
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

// ChangeTx makes the terms of a detail the plan's current terms.
func ChangeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, d plan.Detail, at time.Time) error {
	p.AmountMinor, p.CoveredMinor, p.Frequency, p.Terms = d.Amount, d.Covered, org.Frequency(d.Frequency), p.Terms+1
	if d.DatesChanged {
		p.ForgetSchedule()
	}
	parts := make([]donation.Designation, len(d.Parts))
	for i, part := range d.Parts {
		c := money.Currency(p.Currency)
		parts[i] = donation.Designation{FundID: part.FundID, Amount: money.New(part.Amount, c), Covered: money.New(part.Covered, c)}
	}
	return AddTx(ctx, tx, p, parts, at)
}

// AddTx inserts version p.Terms of the plan's terms.
func AddTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, parts []donation.Designation, at time.Time) error {
	const version = `/* planterms.AddTx */ INSERT INTO plan_terms (plan_id, n, since, amount, covered) VALUES ($1, $2, $3, $4, $5)`
	const funds = `/* planterms.AddTx */
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
