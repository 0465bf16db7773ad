package chaos

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "lost", No: "4", Short: 40, Long: 1000, Prove: Lost,
		Promise: "gifts, some refunded or disputed, in 72 hours without a webhook, some of which come later: one sweep finds all, the " +
			"next finds nothing, and abandoned payment pages are closed within 24 h 20 min",
	})
}

const (
	silence = 72 * time.Hour
	overdue = 24*time.Hour + 20*time.Minute
	late    = 10 // one event of this many is late
)

// Lost gives gifts for three days of the stand-in's clock in which no webhook is delivered. Late webhooks
// have new signatures, as Stripe's do.
func Lost(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: run.Seed | 1}})
	l := &silentStripe{t: t, s: s, r: rand.New(rand.NewPCG(run.Seed, 4)), deadline: time.Minute + time.Duration(run.Count)*100*time.Millisecond}
	require.NoError(t, s.Stripe().SetMode(stripefake.Drop))
	testkit.Eventually(t, drained, func() error { // a server sweeps soon after its start and again a quarter of an hour later
		if swept := len(s.Stripe().Calls(http.MethodGet, "/v1/events")); swept < len(e2e.Entities) {
			return fmt.Errorf("%d accounts swept", swept)
		}
		return nil
	})
	for n := range run.Count {
		l.give(n)
		run.Progress(1)
		s.Stripe().Advance(silence / time.Duration(run.Count))
	}
	l.begin(run.Count) // leaves the payment page at the last moment
	l.orphans++
	if run.Seed%2 == 0 {
		l.resend() // late, before the sweep
	}
	require.NoError(t, s.Stop()) // only the sweep may do something
	s.AgeLeases()                // the server sweeps when the clock jumps, and may have stopped in the middle
	first := l.sweep()
	require.Greater(t, l.count(`stripe_event`), l.resent, "most were never delivered: the server swept whenever the clock jumped, and the command the rest")
	require.Positive(t, l.count(`balance_transaction`))
	l.checkBooks(run.Count)
	require.Zero(t, l.count(`stripe_event WHERE state <> 'done'`))
	require.Zero(t, l.sweep(), "a second sweep finds nothing")
	s.Restart()
	l.resend() // after the sweep
	s.WaitDrained(l.deadline)
	l.checkBooks(run.Count)

	left := l.count(`donation WHERE status = 'started'`)
	s.Stripe().Advance(overdue)
	l.sweep()
	s.WaitDrained(l.deadline)
	l.checkBooks(run.Count)
	require.Zero(t, l.count(`donation WHERE status = 'started'`), "pages left behind are closed")
	require.Equal(t, l.orphans, l.count(`donation WHERE status = 'expired'`))
	require.Zero(t, l.sweep(), "nothing is left to find")
	run.Record("found by the sweep", fmt.Sprintf("%d events, %d of them by the command", l.count(`stripe_event`)-l.resent, first.Events))
	run.Record("refunds", fmt.Sprint(l.refunds))
	run.Record("disputes", fmt.Sprint(l.disputes))
	run.Record("delivered late", fmt.Sprint(l.resent))
	run.Record("abandoned pages", fmt.Sprintf("%d, of them %d still open at the sweep", l.orphans, left))
}

// silentStripe counts what happens while Stripe sends no webhook.
type silentStripe struct {
	t        testing.TB
	s        *e2e.Stack
	r        *rand.Rand
	deadline time.Duration

	refunds, disputes, orphans, resent int
	paid                               []string // payment intents that are not refunded or disputed yet
}

// give gives a gift. At times it abandons a page, refunds an earlier gift, or opens a dispute of it.
func (l *silentStripe) give(n int) {
	session := l.begin(n)
	require.NoError(l.t, l.s.Stripe().Pay(session, stripefake.GoodCard))
	var p page
	require.NoError(l.t, json.Unmarshal(l.s.Stripe().Object(tsne, "checkout.session", session), &p))
	l.paid = append(l.paid, p.PaymentIntent)
	if l.r.IntN(4) == 0 {
		l.begin(n)
		l.orphans++
	}
	switch l.r.IntN(6) {
	case 0:
		intent, _ := take(l.r, &l.paid)
		_, err := l.s.Stripe().Refund(intent, 100*l.r.Int64N(20))
		require.NoError(l.t, err)
		l.refunds++
	case 1:
		intent, _ := take(l.r, &l.paid)
		dispute, err := l.s.Stripe().Dispute(intent, false)
		require.NoError(l.t, err)
		if l.disputes++; l.r.IntN(3) > 0 {
			require.NoError(l.t, l.s.Stripe().CloseDispute(dispute, pick(l.r, []string{"won", "lost"})))
		}
	}
}

// begin submits a form and returns the session of its payment page.
func (l *silentStripe) begin(n int) string {
	page, err := submit(l.s.URL(), url.Values{
		"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Donor"}, "last_name": {fmt.Sprint(n)},
		"email": {fmt.Sprintf("donor%d@donor.example", n)},
	})
	require.NoError(l.t, err)
	return path.Base(page)
}

// resend delivers some events days late.
func (l *silentStripe) resend() {
	for _, body := range l.s.Stripe().Bodies(tsne) {
		if l.r.IntN(late) == 0 {
			require.NoError(l.t, post(l.s.URL(), body))
			l.resent++
		}
	}
}

func (l *silentStripe) sweep() (swept stripepay.SweepResult) {
	require.NoError(l.t, json.Unmarshal([]byte(l.s.Konbit("stripe", "events", "sweep", "--json")), &swept))
	return swept
}

func (l *silentStripe) count(from string) (n int) {
	require.NoError(l.t, l.s.DB.Owner.Get(&n, `SELECT count(*) FROM `+from))
	return n
}

// checkBooks checks that nothing is missing or doubled: gifts, refunds, disputes, receipts and the balance.
func (l *silentStripe) checkBooks(gifts int) {
	for what, is := range map[string]struct {
		want int
		from string
	}{
		"gifts":               {gifts, `donation WHERE status = 'settled'`},
		"payments":            {gifts, `journal_entry WHERE kind = 'payment'`},
		"gifts with receipts": {gifts, `(SELECT DISTINCT donation_id FROM receipt) r`},
		"refunds":             {l.refunds, `payment_change WHERE kind = 'refund'`},
		"disputes":            {l.disputes, `payment_change WHERE kind = 'dispute withdrawn'`},
		"transactions":        {len(l.s.Stripe().State().BalanceTransactions), `balance_transaction`},
	} {
		require.Equal(l.t, is.want, l.count(is.from), what)
	}
	for _, outcome := range []string{"won", "lost"} {
		judged := 0
		for _, raw := range l.s.Stripe().State().Disputes {
			var d struct{ Status string }
			require.NoError(l.t, json.Unmarshal(raw, &d))
			if d.Status == outcome {
				judged++
			}
		}
		require.Equal(l.t, judged, l.count(`payment_change WHERE kind = 'dispute `+outcome+`'`), "disputes "+outcome)
	}
	checkClearing(l.t, l.s)
	l.s.Konbit("ledger", "verify")
}

// checkClearing checks that the clearing account equals Stripe's balance.
func checkClearing(t testing.TB, s *e2e.Stack) {
	t.Helper()
	var balance, clearing int64
	for _, raw := range s.Stripe().State().BalanceTransactions {
		var m balanceTransaction
		require.NoError(t, json.Unmarshal(raw, &m))
		balance += m.Net
	}
	require.NoError(t, s.DB.Owner.Get(&clearing, `SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1010'`))
	require.Equal(t, balance, clearing, "clearing is what Stripe holds")
}
