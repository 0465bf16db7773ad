package stripebalance_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// busySource runs before and after right before and after it returns the balance, and adds more to it (minor units).
type busySource struct {
	stripebalance.Source
	before, after func()
	more          int64
	calls         *int
}

func (b busySource) Balance(ctx context.Context, e org.LegalEntity) (map[money.Currency]int64, error) {
	if e.Slug != "tsne" {
		return b.Source.Balance(ctx, e)
	}
	*b.calls++
	b.before()
	balance, err := b.Source.Balance(ctx, e)
	b.after()
	if balance != nil {
		balance[e.Currency] += b.more
	}
	return balance, err
}

// differences lists tsne's stored comparisons, as Stripe's balance − booked, in minor units.
func differences(h *program.Program) []string {
	return h.Lines(`SELECT format('%s', o.held - o.kept) FROM balance_observation o JOIN legal_entity e ON e.id = o.entity_id WHERE e.slug = 'tsne' ORDER BY o.at`)
}

// TestTheBalanceIsComparedWhileGiftsContinue: payments around the time of the answer are recognised, and a difference
// is shown.
func TestTheBalanceIsComparedWhileGiftsContinue(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, differences(h), "an empty balance is compared too")
	pay := func() { h.Pay(h.StartedGift(program.ValidForm())) }
	nothing := func() {}
	calls := 0
	sweep := func(b busySource) {
		t.Helper()
		calls, b.calls, b.Source = 0, &calls, h.Stripe
		c := h.Collector
		c.Source = b
		_, err := c.Sweep(t.Context())
		require.NoError(t, err)
	}
	sweep(busySource{before: func() { pay(); pay() }, after: pay})
	require.Equal(t, 1, calls, "the answer is the net of what is booked and of the first two of three")
	require.Equal(t, []string{"0", "0"}, differences(h))
	h.RequireNoFindings()

	sweep(busySource{before: pay, after: pay, more: 1})
	require.Equal(t, 3, calls, "no prefix matches, and payments continue")
	require.Len(t, differences(h), 2, "so nothing is stored")
	h.RequireNoFindings()

	sweep(busySource{before: nothing, after: nothing, more: 1})
	require.Equal(t, []string{"0", "0", "1"}, differences(h), "no payments: Stripe holds a cent that no transaction explains")
	rows := h.CheckerRows()
	require.Len(t, rows, 1)
	require.Equal(t, "A10", rows[0].Checker)
	require.Contains(t, rows[0].Detail, "out by -1")

	sweep(busySource{before: pay, after: pay, more: 1})
	require.Equal(t, 1, calls, "the earlier difference is not confused with new payments")
	require.Len(t, differences(h), 4)
	sweep(busySource{before: nothing, after: nothing})
	h.RequireNoFindings()

	pay()
	sweep(busySource{before: nothing, after: func() { h.Exec(`UPDATE balance_lookup SET holder = gen_random_uuid()`) }, more: 2})
	require.Len(t, differences(h), 5, "another process has the lease now and may have booked more")
}

// TestADatabaseClockAheadHidesNoPayment: the first run begins at the processor's time, so that the comparison finds a
// payment of the time between the processor's clock and the database's.
func TestADatabaseClockAheadHidesNoPayment(t *testing.T) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Now: func() time.Time { return time.Now().Add(-4 * time.Minute) }}})
	calls := 0
	c := h.Collector
	c.Source = busySource{Source: h.Stripe, calls: &calls, before: func() { h.Pay(h.StartedGift(program.ValidForm())) }, after: func() {}}
	_, err := c.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, differences(h), "the payment during the first comparison is recognised")
	require.Equal(t, 1, calls)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM balance_lookup l JOIN legal_entity e ON e.id = l.entity_id
		WHERE e.slug = 'tsne' AND l.begun = l.read_through AND l.begun BETWEEN now() - interval '5 minutes' AND now() - interval '3 minutes'`))

	h.DrainAll()
	gift := h.StartedGift(program.ValidForm())
	h.Pay(gift)
	importAll(t, h)
	_, err = h.Fake.Refund(intent(h.Gift(gift.ID)), 500)
	require.NoError(t, err)
	importAll(t, h)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment_change WHERE amount = 500`), "and so is what has no due fee")
}

// TestAnEntityWithoutAReasonIsNotBegun: only a sweep or a charge begins the import of an entity.
func TestAnEntityWithoutAReasonIsNotBegun(t *testing.T) {
	h := program.New(t, program.Options{})
	begun := func() int { return h.Count(`SELECT count(*) FROM balance_lookup`) }
	_, err := h.Collector.ImportDue(t.Context())
	require.NoError(t, err)
	require.Zero(t, begun())
	gift := h.SettledGift(program.ValidForm())
	_, err = h.Collector.ImportDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, h.Lines(`SELECT extract(epoch FROM l.begun - p.received_at)::bigint::text FROM balance_lookup l, payment p WHERE p.donation_id = $1`, gift.ID))
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, h.Count(`SELECT count(*) FROM legal_entity`), begun())
}
