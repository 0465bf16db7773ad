package stripebalance_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/workshop/testkit/program"
)

// TestOnlyDependentTransactionsWait: a transaction that cannot be booked is left to the next run with those that must
// come after it; every other one is booked at once.
func TestOnlyDependentTransactionsWait(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	gift := settledGift(t, h)
	broken, err := h.Fake.Refund(intent(gift), 500)
	require.NoError(t, err)
	dependent, err := h.Fake.Refund(intent(gift), 200)
	require.NoError(t, err)
	other := h.StartedGift(program.ValidForm())
	h.Pay(other)
	refund, err := h.Fake.Refund(h.IntentOf(other), 300)
	require.NoError(t, err)
	h.Exec(`ALTER TABLE payment_change ADD CONSTRAINT defect CHECK (object_id <> '` + broken + `')`)
	for range 2 {
		_, err = h.Collector.Sweep(t.Context())
		require.Error(t, err)
	}
	booked := func(object string) int {
		return h.Count(`SELECT count(*) FROM balance_transaction WHERE source_id = $1`, object)
	}
	require.Equal(t, donation.Settled, h.Gift(other.ID).Status)
	require.Equal(t, []int{0, 0, 1}, []int{booked(broken), booked(dependent), booked(refund)}, "a charge's movements keep Stripe's order")
	require.Zero(t, h.Count(`SELECT count(*) FROM check_clearing_differs`), "it may still succeed")

	h.Exec(`UPDATE balance_lookup SET failing_since = failing_since - interval '1 hour'`)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM check_clearing_differs WHERE detail LIKE 'Stripe''s balance is not booked to its end: %'`))
	stalls, err := stripebalance.StalledImports(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Len(t, stalls, 1)

	h.Exec(`ALTER TABLE payment_change DROP CONSTRAINT defect`) // it is repaired
	importAll(t, h)
	require.Equal(t, []int{1, 1}, []int{booked(broken), booked(dependent)})
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	require.Zero(t, h.Count(`SELECT count(*) FROM balance_lookup WHERE failing_since IS NOT NULL`))
	require.Zero(t, h.Count(`SELECT coalesce(sum(amount), 0)::int FROM posting WHERE account_code = '1090'`))
	h.RequireNoFindings()
}
