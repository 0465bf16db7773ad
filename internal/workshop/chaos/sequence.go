package chaos

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "sequences", No: "3", Short: 100, Long: 10_000, Prove: Sequences,
		Promise: "random histories, events delivered late, twice or never: every entry equals the oracle's, clearing equals Stripe's " +
			"balance, all checkers find nothing",
	})
}

const (
	block     = 100 // sequences in one simulation, which is checked at its end
	atOnce    = 3   // simulations in parallel
	longest   = 30  // maximum of steps in a sequence
	maxSweeps = 6   // maximum of sweeps until nothing waits
)

// Sequences runs random histories. A block of a hundred shares one simulation. A block's seed is the run's seed and its
// number, so that one block can be repeated.
func Sequences(t testing.TB, run Run) {
	blocks := make(chan int)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for b := range blocks {
				n := min(block, run.Count-b*block)
				if err := testkit.Try(t.Context(), fmt.Sprintf("block %d", b),
					func(t testing.TB) { history(t, run.Seed+uint64(b), n, run.Progress) }); err != nil {
					t.Errorf("sequences, -seed %d, block %d: %v", run.Seed, b, err)
				}
			}
		})
	}
	for b := 0; b*block < run.Count && !t.Failed(); b++ {
		blocks <- b
	}
	close(blocks)
	all.Wait()
}

// history is one block.
func history(t testing.TB, seed uint64, n int, reached func(int)) {
	w := newSimulation(t, seed)
	defer func() {
		if t.Failed() {
			t.Logf("the actions:\n%s", strings.Join(w.actions, "\n"))
		}
	}()
	for i := range n {
		w.actions = []string{fmt.Sprintf("sequence %d", i)}
		for range 5 + w.r.IntN(longest-5) {
			w.step()
		}
		w.end()
		w.checkAll()
		reached(1)
	}
	checkExports(t, w.DB.Server)
}

// step does one random action.
func (w *simulation) step() {
	switch dice := w.r.IntN(100); {
	case dice < 12:
		w.begin()
	case dice < 14:
		w.resubmit()
	case dice < 28:
		w.pay()
	case dice < 31:
		w.payUnexpected()
	case dice < 43:
		w.refund()
	case dice < 46:
		if id, ok := take(w.r, &w.refunds); ok {
			w.log("the bank sends back %s: %v", id, w.Fake.FailRefund(id))
		}
	case dice < 53:
		w.dispute()
	case dice < 61:
		w.closeDispute()
	case dice < 64:
		w.payout()
	case dice < 66:
		kind := pick(w.r, []string{"stripe_fee", "network_cost", "contribution"})
		w.log("adjust %s", kind)
		_, err := w.Fake.AdjustBalance(w.entity(), kind, "usd", 1000-w.r.Int64N(2000)*2-1)
		require.NoError(w.t, err)
	case dice < 80:
		w.deliverSome(1+w.r.IntN(10), true)
	case dice < 88:
		w.DrainAll()
	case dice < 92:
		w.importBalance()
	case dice < 93:
		w.sweep()
	case dice < 94:
		w.sweepWithFaults()
	case dice < 95:
		w.seal()
	default:
		w.Fake.Advance(time.Duration(w.r.IntN(30)) * time.Hour)
	}
}

// refund refunds a part or all of any payment, if Stripe allows it.
func (w *simulation) refund() {
	a := w.accounts[w.entity()]
	a.facts.catchUp()
	var paid []charge
	for _, m := range a.facts.transactions {
		if c := a.facts.charges[m.Source]; c.Paid {
			paid = append(paid, c)
		}
	}
	if len(paid) == 0 {
		return
	}
	c := paid[len(paid)-1-w.r.IntN(min(len(paid), 8))]
	amount := int64(0)
	if w.r.IntN(3) > 0 {
		amount = 1 + w.r.Int64N(c.Amount)
	}
	id, err := w.Fake.Refund(c.PaymentIntent, amount)
	w.log("refund %s of %s: %s %v", decimal(amount), c.ID, id, err)
	if err == nil {
		w.refunds = append(w.refunds, id)
	}
}

func (w *simulation) dispute() {
	a := w.accounts[w.entity()]
	a.facts.catchUp()
	if len(a.facts.transactions) == 0 {
		return
	}
	c, ok := a.facts.charges[pick(w.r, a.facts.transactions[max(0, len(a.facts.transactions)-12):]).Source]
	if !ok {
		return
	}
	inquiry, amount := w.r.IntN(4) == 0, int64(0)
	if w.r.IntN(3) == 0 { // the bank's amount is bound to nothing
		amount = 1 + w.r.Int64N(c.Amount+c.Amount/10)
	}
	id, err := w.Fake.DisputeAmount(c.PaymentIntent, amount, inquiry)
	w.log("dispute %s, %s, inquiry %t: %s %v", c.ID, decimal(amount), inquiry, id, err)
	switch {
	case err != nil:
	case inquiry:
		w.inquired = append(w.inquired, id)
	default:
		w.open = append(w.open, id)
	}
}

// closeDispute closes a dispute, or closes or escalates an inquiry.
func (w *simulation) closeDispute() {
	if id, ok := take(w.r, &w.inquired); ok {
		outcome := pick(w.r, []string{"escalated", "closed"})
		err := w.Fake.CloseDispute(id, outcome)
		w.log("inquiry %s %s: %v", id, outcome, err)
		if err == nil && outcome == "escalated" {
			w.open = append(w.open, id)
		}
		return
	}
	if id, ok := take(w.r, &w.open); ok {
		outcome := pick(w.r, []string{"won", "lost"})
		err := w.Fake.CloseDispute(id, outcome)
		w.log("dispute %s %s: %v", id, outcome, err)
		if err == nil && outcome == "lost" {
			w.oracle.lost[id] = true
		}
	}
}

// payout pays out what became available. The bank may return an earlier payout.
func (w *simulation) payout() {
	if id, ok := take(w.r, &w.payouts); ok && w.r.IntN(3) == 0 {
		w.log("payout %s comes back: %v", id, w.Fake.FailPayout(id))
		return
	}
	w.Fake.Advance(49 * time.Hour)
	ids, err := w.Fake.Payout(w.entity())
	w.log("payout %v %v", ids, err)
	if err == nil {
		w.payouts = append(w.payouts, ids...)
	}
}

// end delivers all waiting events, and a sweep finds the dropped ones.
func (w *simulation) end() {
	w.deliverSome(1<<20, true)
	for range maxSweeps {
		w.sweep()
		w.RetryParked()
		if w.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`) == 0 {
			break
		}
	}
	w.seal()
	for slug, a := range w.accounts {
		for _, id := range a.dropped {
			w.Fake.MarkDelivered(slug, id) // so that the next sweep does not read it again
		}
		a.dropped = nil
	}
	w.Fake.Advance(26 * time.Hour)
}

// checkAll compares the books with the oracle.
func (w *simulation) checkAll() {
	require.Empty(w.t, w.Lines(`SELECT format('%s %s %s %s', type, id, state, reason) FROM stripe_event WHERE state <> 'done'`), "events that wait for ever")
	for _, a := range w.accounts {
		a.facts.catchUp()
	}
	w.checkEntries()
	require.Empty(w.t, w.oracle.missing(), "not in the books")
	for slug, a := range w.accounts {
		var clearing int64
		for p, amount := range w.oracle.books {
			if p.entity == slug && p.account == "1010" {
				clearing += amount
			}
		}
		require.Equal(w.t, a.facts.balance("usd"), clearing, "clearing of %s is what Stripe holds", slug)
	}
	report, err := ledger.Verify(w.t.Context(), w.DB.Server)
	require.NoError(w.t, err)
	require.True(w.t, report.OK(), "%v", report.Findings)
	checked(w.t, w.Program)
	w.checkReceipts()
	w.checkTasks()
}
