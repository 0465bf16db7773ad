package stripebalance_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/processor/stripebalance"

	"konbit/internal/workshop/testkit/program"
)

// busy is Stripe where something happens right before and right after it says what it holds, and which holds more than was moved.
type busy struct {
	stripebalance.Source
	before, after func()
	more          int64
	asked         *int
}

func (b busy) Balance(ctx context.Context, e org.LegalEntity) (map[money.Currency]int64, error) {
	if e.Slug != "tsne" {
		return b.Source.Balance(ctx, e)
	}
	*b.asked++
	b.before()
	held, err := b.Source.Balance(ctx, e)
	b.after()
	if held != nil {
		held[e.Currency] += b.more
	}
	return held, err
}

// observations lists what was observed of tsne, as "held - kept".
func observations(h *program.Program) []string {
	return h.Lines(`SELECT format('%s', o.held - o.kept) FROM balance_observation o JOIN legal_entity e ON e.id = o.entity_id WHERE e.slug = 'tsne' ORDER BY o.at`)
}

// TestTheBalanceIsComparedWhileGiftsFlow: payments around the moment of the answer are told apart, and a difference is not.
func TestTheBalanceIsComparedWhileGiftsFlow(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0"}, observations(h), "an empty balance is one, too")
	pay := func() { h.Pay(h.StartedGift(program.ValidForm())) }
	nothing := func() {}
	asked := 0
	sweep := func(b busy) {
		t.Helper()
		asked, b.asked, b.Source = 0, &asked, h.Stripe
		c := h.Collector
		c.Source = b
		_, err := c.Sweep(t.Context())
		require.NoError(t, err)
	}
	sweep(busy{before: func() { pay(); pay() }, after: pay})
	require.Equal(t, 1, asked, "the answer is the net of what is kept and of the first two of three")
	require.Equal(t, []string{"0", "0"}, observations(h))
	h.RequireNoFindings()

	sweep(busy{before: pay, after: pay, more: 1})
	require.Equal(t, 3, asked, "no sum fits, and it never is quiet")
	require.Len(t, observations(h), 2, "so nothing is kept")
	h.RequireNoFindings()

	sweep(busy{before: nothing, after: nothing, more: 1})
	require.Equal(t, []string{"0", "0", "1"}, observations(h), "it is quiet: Stripe holds a cent that nothing moved")
	rows := h.CheckerRows()
	require.Len(t, rows, 1)
	require.Equal(t, "A10", rows[0].Checker)
	require.Contains(t, rows[0].Detail, "out by -1")

	sweep(busy{before: pay, after: pay, more: 1})
	require.Equal(t, 1, asked, "what Stripe had before is told apart from what comes")
	require.Len(t, observations(h), 4)
	sweep(busy{before: nothing, after: nothing})
	h.RequireNoFindings()

	pay()
	sweep(busy{before: nothing, after: func() { h.Exec(`UPDATE balance_lookup SET holder = gen_random_uuid()`) }, more: 2})
	require.Len(t, observations(h), 5, "another looks through the balance by now, and may have booked more")
}
