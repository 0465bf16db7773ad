package check

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Checker is a view with the promise that it checks.
type Checker struct {
	No      string // "A1"
	View    string
	Promise string // what is true while the view is empty
}

// erasedPerson is the checker whose view needs the addresses that DailyRun.Traces finds.
const erasedPerson = "A17"

// Checkers returns all checkers. Those whose rows may cause rows of others come first.
func Checkers() []Checker {
	return []Checker{
		{"A3", "check_uneven_entry", "every entry's debits are its credits"},
		{"A11", "check_chain_broken", "every sealed entry is as it was sealed"},
		{"A1", "check_paid_without_gift", "every payment is one gift's, or stands in suspense"},
		{"A2", "check_gift_without_charge", "every settled gift has its charge at Stripe"},
		{"A4", "check_not_booked_once", "every gift, refund, dispute and payout is booked once"},
		{"A5", "check_receipt_gap", "receipts are numbered without a gap"},
		{"A6", "check_gift_without_receipt", "every gift has one receipt that stands"},
		{"A7", "check_receipt_not_mailed", "every receipt is mailed within a quarter of an hour"},
		{"A8", "check_job_overdue", "every job is done when its time comes"},
		{"A9", "check_event_overdue", "every event is worked off within five minutes"},
		{"A14", "check_restricted_below_zero", "no fund has less than nothing of its restricted money"},
		{"A15", "check_event_set_aside", "no event is set aside"},
		{"A16", "check_receipt_facts", "every receipt and statement says what was true of its legal entity, and of its donation"},
		{erasedPerson, "check_erased_person", "no row names a person who was erased"},
		{"A18", "check_receipt_beyond_charge", "no receipt is valid for more than Stripe left us of its charge"},
		{"A10", "check_clearing_differs", "clearing is what Stripe holds"},
		{"A19", "check_month_differs", "every sum of a month is that of its postings"},
		{"A20", "check_donor_year_differs", "what a donor gave in a year is the sum of their gifts"},
		{"A22", "check_day_differs", "every sum of a day is that of its postings"},
		{"A30", "check_deposit_differs", "a deposit on a statement, and a check that came back, are what their match says"},
		{"A31", "check_repayment_differs", "a repayment on a statement is what its match says"},
		{"A23", "check_bank_differs", "what is on 1100 of a bank account is what its openings, matches and other entries book, and every match is equal"},
		{"A21", "check_audit_chain", "every entry of the audit log is sealed, and as it was sealed"},
	}
}

// Row is one violation of a promise.
type Row struct {
	Checker  string        `db:"checker" json:"checker"`
	EntityID uuid.NullUUID `db:"entity_id" json:"entity"` // null if it concerns no single entity
	Subject  string        `db:"subject" json:"subject"`  // the id of the object
	Detail   string        `db:"detail" json:"detail"`    // never a name or an address
	Since    *time.Time    `db:"since" json:"since"`      // null if unknown
}

func (r Row) String() string {
	since := ""
	if r.Since != nil {
		since = ", since " + r.Since.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("%s %s: %s%s", r.Checker, r.Subject, r.Detail, since)
}

// Found is the result of a checker.
type Found struct {
	Checker
	Count int64 // number of all rows
	Rows  []Row // the oldest, at most MaxRows for each entity
	Took  time.Duration
}

// MaxRows is how many rows of a checker are read for each entity. If more are wrong, the rest adds no information.
const MaxRows = 100

// RunAll runs all checkers, in the order of Checkers, and returns a result for each, also for those that found
// nothing. Each reads everything, not only what is new. It only reads and blocks no writer. With a million donations it
// takes some tens of seconds. An error means that a checker could not run.
func RunAll(ctx context.Context, tx *sqlx.Tx) ([]Found, error) {
	const whole = `/* check.RunAll */ SELECT set_config('konbit.check_whole', 'yes', true)`
	if _, err := tx.ExecContext(ctx, whole); err != nil {
		return nil, err
	}
	var all []Found
	for _, c := range Checkers() {
		found, err := runChecker(ctx, tx, c)
		if err != nil {
			return nil, fmt.Errorf("check that %s: %w", c.Promise, err)
		}
		all = append(all, found)
	}
	return all, nil
}

func runChecker(ctx context.Context, tx *sqlx.Tx, c Checker) (Found, error) {
	query := `/* check.runChecker */
		SELECT checker, entity_id, subject, detail, since, of_all FROM (
		    SELECT v.*, count(*) OVER () AS of_all, row_number() OVER (PARTITION BY entity_id ORDER BY since, subject) AS place FROM ` + c.View + ` v) v
		 WHERE place <= $1 ORDER BY since, subject`
	found, began := Found{Checker: c}, time.Now()
	var rows []struct {
		Row
		Count int64 `db:"of_all"`
	}
	err := tx.SelectContext(ctx, &rows, query, MaxRows)
	for _, r := range rows {
		found.Count, found.Rows = r.Count, append(found.Rows, r.Row)
	}
	found.Took = time.Since(began)
	return found, err
}

// Rows returns the rows of all checkers. It is empty if all promises are true.
func Rows(all []Found) (rows []Row) {
	for _, f := range all {
		rows = append(rows, f.Rows...)
	}
	return rows
}
