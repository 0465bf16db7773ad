package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/check"
	"konbit/internal/workshop/testkit"
)

// WaitDrained is WaitProcessed and RequireChecksClean.
func (s *Stack) WaitDrained(within time.Duration) {
	s.t.Helper()
	s.WaitProcessed(within)
	s.RequireChecksClean()
}

// WaitProcessed makes Stripe send all webhooks that were not accepted yet, and waits until no event, fee or job is left
// to process.
func (s *Stack) WaitProcessed(within time.Duration) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	require.NoError(s.t, s.Stripe().Drain(ctx))
	testkit.Eventually(s.t, within, func() error {
		var left []string
		err := s.DB.Owner.Select(&left, `
			SELECT 'event ' || type || ' ' || state || ' ' || coalesce(reason, '') FROM stripe_event WHERE state <> 'done'
			UNION ALL SELECT 'fee of ' || charge_id FROM fee_due
			UNION ALL SELECT 'job ' || kind || ' ' || state FROM river_job WHERE state <> 'completed'`)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%d still to do, as %q", len(left), left[0])
		}
		return err
	})
}

// MakeParkedDue makes all parked events due now. Events that a worker locks are passed over, because the worker locks rows
// in another order.
func (s *Stack) MakeParkedDue() {
	s.t.Helper()
	s.DB.Owner.MustExec(`
		UPDATE stripe_event SET due_at = now()
		WHERE (entity_id, id) IN (SELECT entity_id, id FROM stripe_event WHERE state = 'parked' FOR UPDATE SKIP LOCKED)`)
}

// RequireChecksClean checks that every checker of this source finds nothing. The database must have this source's schema.
func (s *Stack) RequireChecksClean() {
	s.t.Helper()
	require.NoError(s.t, ledger.ReadConsistent(s.t.Context(), s.DB.Server, func(tx *sqlx.Tx) error {
		found, err := check.RunAll(s.t.Context(), tx)
		require.Empty(s.t, check.Rows(found))
		return err
	}))
}

// RequireGifts checks, after all is drained, that there are this many gifts and that each has the same end, once: paid,
// settled, booked with its fees, one receipt with the next number, one email. An email may have copies.
func (s *Stack) RequireGifts(gifts int) {
	s.t.Helper()
	s.WaitDrained(readyWithin * 2)
	count := func(query string) (n int) {
		require.NoError(s.t, s.DB.Owner.Get(&n, `SELECT count(*) FROM `+query))
		return n
	}
	for what, query := range map[string]string{
		"settled gifts":         `donation WHERE status = 'settled'`,
		"payments booked":       `journal_entry WHERE kind = 'payment'`,
		"fees booked":           `journal_entry WHERE kind = 'processing fee'`,
		"sponsor's fees booked": `journal_entry WHERE kind = 'sponsor fee'`,
		"balance transactions":  `balance_transaction`,
		"receipts":              `receipt`,
		"gifts with a receipt":  `(SELECT DISTINCT donation_id FROM receipt) r`,
		"numbers used":          `(SELECT generate_series(1, last) FROM receipt_counter) n`,
		"emails":                `letter`,
		"emails accepted":       `letter_delivery WHERE accepted_at IS NOT NULL`,
	} {
		require.Equal(s.t, gifts, count(query), what)
	}
	require.Zero(s.t, count(`donation WHERE status IN ('processing', 'held')`))
	var tasks []string // except those that were open for a moment
	require.NoError(s.t, s.DB.Owner.Select(&tasks, `SELECT kind || ' ' || detail FROM finance_task WHERE kind <> 'balance_transactions_stuck'`))
	require.Empty(s.t, tasks)
	s.requireEmails(gifts)

	state := s.Stripe().State()
	paid, balance := map[string]bool{}, 0
	for _, raw := range state.Charges {
		var charge struct {
			Paid          bool
			PaymentIntent string `json:"payment_intent"`
		}
		require.NoError(s.t, json.Unmarshal(raw, &charge))
		if charge.Paid {
			paid[charge.PaymentIntent] = true
		}
	}
	require.Len(s.t, paid, gifts, "gifts charged")
	for _, raw := range state.BalanceTransactions {
		var move struct{ Net int }
		require.NoError(s.t, json.Unmarshal(raw, &move))
		balance += move.Net
	}
	var clearing int
	require.NoError(s.t, s.DB.Owner.Get(&clearing, `SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1010'`))
	require.Equal(s.t, balance, clearing, "clearing is what Stripe holds")
	s.Konbit("ledger", "verify")
}

// requireEmails checks that there are this many emails by Message-ID, and that copies are equal byte for byte.
func (s *Stack) requireEmails(n int) {
	s.t.Helper()
	copies := map[string]string{}
	for _, m := range s.Mail().Messages() {
		if first, ok := copies[m.MessageID]; ok {
			require.Equal(s.t, first, string(m.Raw), "each copy of an email has the same bytes")
		}
		copies[m.MessageID] = string(m.Raw)
	}
	require.Len(s.t, copies, n, "emails by Message-ID")
}
