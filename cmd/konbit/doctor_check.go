package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/check"
	"konbit/internal/processor/stripebalance"
)

// lookedLately is more than the time from one nightly look of the checkers to the next.
const lookedLately = 26 * time.Hour

// checked says what the last nightly look of the checkers found.
func (d *doctor) checked(ctx context.Context, db *sqlx.DB) {
	last, err := check.ReadLast(ctx, db)
	f := finding{Check: "the checkers of what must never be", OK: err == nil}
	switch {
	case err != nil:
		f.Fix = err.Error()
	case len(last) == 0:
		f.Note = "not run yet; the server runs them every night, konbit ledger verify does now"
	default:
		f.Note = fmt.Sprintf("run %s ago, nothing found", last[0].Age.Round(time.Minute))
		if err := foundBy(last); err != nil {
			f.OK, f.Fix = false, err.Error()
		}
	}
	d.failed = d.failed || !f.OK
	d.findings = append(d.findings, f)
	d.report("Stripe's balances are booked", stalls(ctx, db))
}

// stalls is an error when what Stripe holds is not booked to its end.
func stalls(ctx context.Context, db *sqlx.DB) error {
	all, err := stripebalance.StalledImports(ctx, db)
	failed := []error{err}
	for _, s := range all {
		failed = append(failed, fmt.Errorf("not for entity %s, since %s: %s", s.EntityID, s.Since.UTC().Format(time.RFC3339), s.Reason))
	}
	return errors.Join(failed...)
}

// foundBy is an error when a checker found something, or has not looked lately.
func foundBy(last []check.Last) error {
	var found []string
	for _, l := range last {
		if l.Rows > 0 {
			found = append(found, fmt.Sprintf("%s (%d)", l.Checker, l.Rows))
		}
	}
	if len(found) > 0 {
		return errors.New(strings.Join(found, ", ") + " found something: konbit ledger verify names it")
	}
	if last[0].Age > lookedLately {
		return fmt.Errorf("last run %s ago: is a server running with its workers?", last[0].Age.Round(time.Hour))
	}
	return nil
}
