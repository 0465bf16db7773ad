package chaos

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
)

// safetyCheckers are the checkers (A1 to A6, A19, A20 and A22) whose views must be empty at every moment, under any fault. The
// other checkers allow time for pending work.
var safetyCheckers = []string{
	"check_paid_without_gift", "check_gift_without_charge", "check_uneven_entry", "check_not_booked_once", "check_receipt_gap", "check_gift_without_receipt",
	"check_month_differs", "check_donor_year_differs", "check_day_differs",
}

// livenessCheckers are the other checkers, A7 to A11.
var livenessCheckers = []string{"check_receipt_not_mailed", "check_job_overdue", "check_event_overdue", "check_clearing_differs", "check_chain_broken"}

// invariants lists queries that must find no row at any moment, in addition to the checkers.
var invariants = map[string]string{
	"a payment entry without a settled gift":  `SELECT e.id::text FROM journal_entry e WHERE e.kind = 'payment' AND NOT EXISTS (SELECT 1 FROM donation d WHERE d.id::text = e.dimensions->>'donation' AND d.status = 'settled')`,
	"a receipt of a gift that is not settled": `SELECT r.id::text FROM receipt r JOIN donation d ON d.id = r.donation_id WHERE d.status <> 'settled'`,
	"a receipt without exactly one email":     `SELECT r.id::text FROM receipt r WHERE 1 <> (SELECT count(*) FROM river_job j WHERE j.kind = 'receipt_letter' AND j.args->>'receipt_id' = r.id::text)`,
	"a form with two gifts that are not over": `SELECT c.form_id::text FROM checkout c JOIN donation d ON d.id = c.donation_id WHERE d.status <> 'expired' GROUP BY 1 HAVING count(*) > 1`,
	"a fact booked twice":                     `SELECT source_id FROM journal_entry GROUP BY entity_id, source, source_id, kind HAVING count(*) > 1`,
	"an event set aside":                      `SELECT id || ' ' || type || ': ' || reason FROM stripe_event WHERE state = 'set_aside'`,
}

// violations returns the present violations of invariants and views.
func violations(db *sqlx.DB, views ...string) (all []string, err error) {
	queries := maps.Clone(invariants)
	for _, view := range views {
		queries[view] = `SELECT concat_ws(' ', checker, subject, detail) FROM ` + view
	}
	tx, err := db.Beginx()
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if _, err := tx.Exec(`SELECT set_config('konbit.check_whole', 'yes', true)`); err != nil {
		return nil, err
	}
	for what, query := range queries {
		var found []string
		if err := tx.Select(&found, query); err != nil {
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		for _, one := range found {
			all = append(all, what+": "+one)
		}
	}
	return all, nil
}

// invariantWatch checks the invariants repeatedly until it is stopped.
func invariantWatch(t testing.TB, db *sqlx.DB) (stop func()) {
	over, done := make(chan struct{}), sync.WaitGroup{}
	done.Go(func() {
		for {
			if all, err := violations(db, safetyCheckers...); err == nil && len(all) > 0 {
				t.Errorf("violated invariants: %q", all)
				return
			}
			select {
			case <-over:
				return
			case <-time.After(300 * time.Millisecond):
			}
		}
	})
	return func() { close(over); done.Wait() }
}

// checkAcknowledged checks that every event whose webhook was answered 2xx is stored, that no gift was charged
// twice, and that no call to Stripe broke the rules of idempotency.
func checkAcknowledged(t testing.TB, fake *stripefake.Server, db *sqlx.DB) {
	t.Helper()
	taken := map[string]bool{} // read before the rows, because an event acknowledged later may be stored too
	for _, raw := range fake.Events() {
		var e struct {
			ID      string
			Pending int `json:"pending_webhooks"`
		}
		require.NoError(t, json.Unmarshal(raw, &e))
		if e.Pending == 0 {
			taken[e.ID] = true
		}
	}
	var stored []string
	require.NoError(t, db.Select(&stored, `SELECT id FROM stripe_event`))
	for _, id := range stored {
		delete(taken, id)
	}
	require.Empty(t, taken, "acknowledged events that are not stored")

	charged := map[string]int{}
	for _, raw := range fake.State().Charges {
		var c struct {
			Paid     bool
			Metadata map[string]string
		}
		require.NoError(t, json.Unmarshal(raw, &c))
		if c.Paid {
			charged[c.Metadata[giftOf]]++
		}
	}
	for gift, n := range charged {
		require.Equal(t, 1, n, "charges of gift %s", gift)
	}
	all, err := violations(db, safetyCheckers...)
	require.NoError(t, err)
	require.Empty(t, all)
}
