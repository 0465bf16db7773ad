package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/mail"
	"konbit/internal/office/check"
	"konbit/internal/platform/jobs"
	"konbit/internal/processor/stripebalance"
)

// maxCheckAge is more than the time between two daily runs of the checkers.
const maxCheckAge = 26 * time.Hour

// checkDailyRun reports what the last daily run of the checkers found.
func (d *Doctor) checkDailyRun(ctx context.Context, db *sqlx.DB) {
	last, err := check.ReadLast(ctx, db)
	f := Finding{Check: "daily checks", OK: err == nil}
	switch {
	case err != nil:
		f.Fix = err.Error()
	case len(last) == 0:
		f.Note = "not run yet; the server runs them every night, and konbit ledger verify at once"
	default:
		f.Note = fmt.Sprintf("run %s ago, nothing found", oldest(last).Age.Round(time.Minute))
		if err := checkerErrors(last); err != nil {
			f.OK, f.Fix = false, err.Error()
		}
	}
	d.Findings = append(d.Findings, f)
	d.Report("import of Stripe's balances", stalledImports(ctx, db))
	d.Report("queues of background work", stuckQueues(ctx, db))
	d.Report("sealing of entries", check.SealingStopped(ctx, db))
}

// stalledImports reports an error if the import of an entity's balance at Stripe does not advance.
func stalledImports(ctx context.Context, db *sqlx.DB) error {
	all, err := stripebalance.StalledImports(ctx, db)
	failed := []error{err}
	for _, s := range all {
		failed = append(failed, fmt.Errorf("stalled for entity %s since %s: %s", s.EntityID, s.Since.UTC().Format(time.RFC3339), s.Reason))
	}
	return errors.Join(failed...)
}

// stuckQueues reports an error if jobs wait in a queue for longer than its work may take.
func stuckQueues(ctx context.Context, db *sqlx.DB) error {
	all, err := jobs.ReadQueues(ctx, db)
	failed := []error{err}
	for _, q := range all {
		if q.Stuck {
			failed = append(failed, fmt.Errorf("%d jobs wait in the queue %q, the oldest for %s: is a server running "+
				"with its workers, and do Stripe and the mail server reply?", q.Due, q.Queue, q.Delayed.Round(time.Second)))
		}
	}
	return errors.Join(failed...)
}

// oldest returns the result of the checker that has not run for the longest time.
func oldest(last []check.Last) check.Last {
	return slices.MaxFunc(last, func(a, b check.Last) int { return cmp.Compare(a.Age, b.Age) })
}

// checkerErrors reports an error if a checker found something or did not run within maxCheckAge.
func checkerErrors(last []check.Last) error {
	var found []string
	for _, l := range last {
		if l.Rows > 0 {
			found = append(found, fmt.Sprintf("%s (%d)", l.Checker, l.Rows))
		}
	}
	if len(found) > 0 {
		return errors.New(strings.Join(found, ", ") + " found something: konbit ledger verify shows it")
	}
	if late := oldest(last); late.Age > maxCheckAge {
		return fmt.Errorf("%s: last run %s ago: is a server running with its workers, and what does its log say?", late.Checker, late.Age.Round(time.Hour))
	}
	return nil
}

// emailsAfterMoves lists the emails about moved gifts that were sent to the address before. Nobody can take them back,
// so it is a note: the links in them have ended, and the donors may want to know.
func (d *Doctor) emailsAfterMoves(ctx context.Context, db *sqlx.DB) {
	const check = "emails about moved gifts"
	sent, err := mail.DeliveriesAfterMove(ctx, db)
	if err != nil {
		d.Report(check, err)
		return
	}
	lines := make([]string, len(sent))
	for i, e := range sent {
		lines[i] = fmt.Sprintf("%s about donation %s, sent %s to the address before (delivery %s)", e.EmailKind, e.DonationID,
			e.AcceptedAt.UTC().Format(time.RFC3339), e.DeliveryID)
	}
	d.Note(check, strings.Join(lines, "\n    "))
}

// checkTasks reports how many tasks are open.
func (d *Doctor) checkTasks(ctx context.Context, db *sqlx.DB) {
	n, err := task.CountOpen(ctx, db)
	if err != nil {
		d.Report("tasks for finance", err)
		return
	}
	f := Finding{Check: "tasks for finance", OK: true}
	if n > 0 {
		f.Note = fmt.Sprintf("%d wait: konbit tasks list", n)
	}
	d.Findings = append(d.Findings, f)
}
