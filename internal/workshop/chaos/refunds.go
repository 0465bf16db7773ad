package chaos

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/office/refund"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "refunds", No: "10", Short: 3, Long: 1000, Prove: Refunds,
		Promise: "rounds of fifty refunds ordered at once of three gifts, while Stripe answers 429 or 500, is silent or is cut off after it " +
			"made the refund, or has not the money yet, and while banks send some back: each order accepted is one refund, from its funds, no fund " +
			"gives back more than it got, what failed is owed in 2300, and the list shows each order in its state",
	})
}

const (
	refundsPerProgram  = 25  // rounds in one program
	refundFailureRate  = 0.4 // of the calls that make or list refunds
	giftsOfARound      = 3
	staffOfARound      = 5
	dashboardsInAHundr = 30 // rounds in a hundred in which somebody refunds in Stripe's dashboard too
	waitsInAHundred    = 25 // rounds in a hundred in which Stripe's balance cannot pay the refunds at first
	failuresInAHundred = 50 // rounds in a hundred in which banks send refunds back
	mostFailures       = 3  // refunds that fail in a round
	idleInAHundred     = 10 // orders in a hundred that nobody executes in the race: their job comes later
)

// Refunds orders refunds at once and executes each order by several processes at once, while Stripe fails.
func Refunds(t testing.TB, run Run) {
	var made, refused int
	seen := map[refund.State]int{}
	for done, season := 0, uint64(0); done < run.Count; season++ {
		rounds := min(run.Count-done, refundsPerProgram)
		require.NoError(t, testkit.Try(t.Context(), t.Name(), func(t testing.TB) {
			r := newRefundRun(t, run, season)
			for range rounds {
				r.round()
				run.Progress(1)
			}
			made, refused = made+r.made, refused+r.refused
			for state, n := range r.seen {
				seen[state] += n
			}
		}))
		done += rounds
	}
	run.Record("refunds made", fmt.Sprint(made))
	run.Record("orders refused by the rules", fmt.Sprint(refused))
	for _, state := range refund.States {
		run.Record("shown as "+string(state), fmt.Sprint(seen[state]))
		if run.Count >= 100 {
			require.Positive(t, seen[state], "no order was ever shown as %s", state)
		}
	}
}

type refundRun struct {
	*program.Program
	t             testing.TB
	r             *rand.Rand
	funds         []uuid.UUID // of csio: general, network, building
	made, refused int
	seen          map[refund.State]int // orders that the list showed in a state
	owed          map[string]int64     // by fund's slug: what banks sent back
}

func newRefundRun(t testing.TB, run Run, season uint64) *refundRun {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1, Hang: 30 * time.Millisecond}})
	h.Exec(`UPDATE legal_entity SET two_persons_refund = 1000000000, money_factor = 'totp'`)
	r := &refundRun{Program: h, t: t, r: rand.New(rand.NewPCG(run.Seed, 91+season<<8)), seen: map[refund.State]int{}, owed: map[string]int64{}}
	for _, slug := range []string{"general", "network", "building"} {
		id := h.Lines(`SELECT f.id::text FROM fund f JOIN organisation o ON o.id = f.organisation_id WHERE o.slug = 'csio' AND f.slug = $1`, slug)[0]
		r.funds = append(r.funds, uuid.MustParse(id))
	}
	return r
}

// round orders fifty refunds of three gifts at once, and checks what came of it.
func (r *refundRun) round() {
	gifts := make([]donation.Donation, giftsOfARound)
	for i := range gifts {
		form := program.ValidForm()
		form.Amount, form.AmountOther, form.Fund = "other", "90", ""
		form.Split = map[string]string{"general": "50", "network": "30", "building": "10"}
		gifts[i] = r.SettledGift(form)
	}
	r.settle()
	var staff []*office.Person
	people := map[uuid.UUID]*office.Person{}
	for range staffOfARound {
		p := office.Add(r.t, r.DB.Owner, "finance", office.Role{Role: "finance", Entity: "tsne"})
		staff, people[p.ID] = append(staff, p), p
	}
	requests := make([]refund.Request, racers)
	for i := range requests {
		requests[i] = r.request(gifts[r.r.IntN(len(gifts))], staff[r.r.IntN(len(staff))].ID)
		if i > 0 && r.r.IntN(10) == 0 {
			requests[i] = requests[r.r.IntN(i)] // the form is sent twice
		}
	}
	require.NoError(r.t, r.Fake.SetFaults(stripefake.Faults{Rate: refundFailureRate, Kinds: stripefake.FaultKinds}))
	dashboard, waits := r.chance(dashboardsInAHundr), r.chance(waitsInAHundred)
	require.NoError(r.t, r.Fake.RefundsWait("tsne", waits))
	idle := make([]bool, racers)
	for i := range idle {
		idle[i] = r.chance(idleInAHundred)
	}
	var mu sync.Mutex
	orders := map[uuid.UUID]refund.Order{}
	race(racers, func(i int) error {
		if dashboard && i == racers/2 {
			_, err := r.Fake.Refund(r.IntentOf(gifts[0]), 1700)
			return err
		}
		var o refund.Order
		err := people[requests[i].RequestedBy].InTx(r.t, r.DB.Server, func(tx *sqlx.Tx) (err error) {
			o, err = r.Refunds.OrderTx(r.t.Context(), tx, requests[i])
			return err
		})
		if err != nil {
			if !errors.Is(err, refund.ErrTooMuch) && !fault.Is(err, fault.Unavailable) && !pg.IsTransient(err) {
				r.t.Errorf("an order is answered %v", err)
			}
			return err
		}
		mu.Lock()
		orders[o.ID] = o
		mu.Unlock()
		for range 3 { // beside those of the same form, and those of the end of the round
			if !idle[i] {
				_ = r.Refunds.Execute(r.t.Context(), o.ID)
			}
		}
		return nil
	})
	r.look(orders)
	require.NoError(r.t, r.Fake.SetFaults(stripefake.Faults{}))
	r.execute(orders)
	if waits {
		r.look(orders)
		require.NoError(r.t, r.Fake.RefundsWait("tsne", false))
		r.execute(orders)
	}
	r.settle()
	failed := map[uuid.UUID]bool{}
	if !dashboard && r.chance(failuresInAHundred) {
		failed = r.fail(orders)
		r.settle()
	}
	r.check(gifts, orders, failed, dashboard)
	r.look(orders)
	r.refused += racers - len(orders)
}

func (r *refundRun) chance(hundredths int) bool { return r.r.IntN(100) < hundredths }

// execute runs the orders' jobs until each needs no more runs.
func (r *refundRun) execute(orders map[uuid.UUID]refund.Order) {
	for id := range orders {
		testkit.Eventually(r.t, time.Minute, func() error { return r.Refunds.Execute(r.t.Context(), id) })
	}
}

// look checks that the list of staff shows each order once, as it stands.
func (r *refundRun) look(orders map[uuid.UUID]refund.Order) {
	var all []refund.Listed
	require.NoError(r.t, pg.InTx(r.t.Context(), r.DB.Server, func(tx *sqlx.Tx) (err error) {
		all, err = refund.List(r.t.Context(), tx, refund.Filter{Limit: 100_000})
		return err
	}))
	shown := map[uuid.UUID]refund.State{}
	for _, l := range all {
		if l.OrderID != nil {
			require.NotContains(r.t, shown, *l.OrderID, "an order is in the list twice")
			shown[*l.OrderID] = l.State
		}
	}
	for id := range orders {
		now, err := refund.ByID(r.t.Context(), r.DB.Server, id)
		require.NoError(r.t, err)
		require.Equal(r.t, now.State, shown[id], "order %s", id)
		r.seen[now.State]++
	}
}

// fail makes some refunds fail, which their banks could not deliver.
func (r *refundRun) fail(orders map[uuid.UUID]refund.Order) map[uuid.UUID]bool {
	failed := map[uuid.UUID]bool{}
	for id := range orders {
		if len(failed) == mostFailures {
			break
		}
		now, err := refund.ByID(r.t.Context(), r.DB.Server, id)
		require.NoError(r.t, err)
		if now.State == refund.Succeeded && r.chance(50) {
			require.NoError(r.t, r.Fake.FailRefund(*now.RefundID))
			failed[id] = true
		}
	}
	return failed
}

// request returns a request for random parts of a gift; a few are for more than a fund got.
func (r *refundRun) request(g donation.Donation, by uuid.UUID) refund.Request {
	q := refund.Request{
		EntityID: g.EntityID, DonationID: g.ID, Reason: refund.Reasons[r.r.IntN(len(refund.Reasons))], Submission: program.NewID(), RequestedBy: by,
	}
	if q.All = r.r.IntN(25) == 0; q.All {
		return q
	}
	for _, i := range r.r.Perm(len(r.funds))[:1+r.r.IntN(len(r.funds))] {
		q.Parts = append(q.Parts, refund.Part{FundID: r.funds[i], Amount: 1 + r.r.Int64N(700)})
	}
	return q
}

// settle lets everything arrive that happened at Stripe.
func (r *refundRun) settle() {
	for range 2 {
		r.DeliverNew()
		r.DrainAll()
		_, err := r.Collector.Sweep(r.t.Context())
		require.NoError(r.t, err)
		r.RetryParked()
	}
}

// check compares orders, refunds at Stripe and books.
func (r *refundRun) check(gifts []donation.Donation, orders map[uuid.UUID]refund.Order, failed map[uuid.UUID]bool, dashboard bool) {
	atStripe := map[string]int64{} // amounts by order
	for _, raw := range r.Fake.State().Refunds {
		var made struct {
			Amount   int64
			Status   string
			Metadata map[string]string
		}
		require.NoError(r.t, json.Unmarshal(raw, &made))
		if order := made.Metadata["konbit_refund"]; order != "" {
			require.Zero(r.t, atStripe[order], "two refunds of order %s", order)
			atStripe[order] = made.Amount
		}
	}
	for id, o := range orders {
		now, err := refund.ByID(r.t.Context(), r.DB.Server, id)
		require.NoError(r.t, err)
		if now.State == refund.Refused && dashboard {
			require.Zero(r.t, atStripe[id.String()])
			continue
		}
		want := refund.Succeeded
		if failed[id] {
			want = refund.Failed
			for _, p := range r.Lines(`SELECT f.slug || ' ' || p.amount FROM refund_order_part p JOIN fund f ON f.id = p.fund_id WHERE p.order_id = $1`, id) {
				slug, minor, _ := strings.Cut(p, " ")
				amount, err := strconv.ParseInt(minor, 10, 64)
				require.NoError(r.t, err)
				r.owed[slug] += amount
			}
		}
		require.Equal(r.t, want, now.State, "order %s", id)
		require.Equal(r.t, o.AmountMinor, atStripe[id.String()], "order %s", id)
		r.made++
	}
	owed := map[string]int64{}
	for _, line := range r.Lines(`SELECT f.slug || ' ' || -sum(p.amount) FROM posting p JOIN fund f ON f.id = p.fund_id WHERE p.account_code = '2300'
		GROUP BY f.slug HAVING sum(p.amount) <> 0`) {
		slug, minor, _ := strings.Cut(line, " ")
		amount, err := strconv.ParseInt(minor, 10, 64)
		require.NoError(r.t, err)
		owed[slug] = amount
	}
	require.Equal(r.t, r.owed, owed, "what failed is owed to the donors")
	for _, g := range gifts {
		const differ = `SELECT format('fund %s: ordered %s, booked %s, given %s', f.slug, ordered.sum, booked.sum, s.gift)
			FROM payment p JOIN payment_share s ON s.payment_id = p.id AND s.gift > 0 JOIN fund f ON f.id = s.fund_id
			CROSS JOIN LATERAL (SELECT coalesce(sum(t.amount), 0) AS sum FROM refund_order o JOIN refund_order_part t ON t.order_id = o.id
			                     WHERE o.payment_id = p.id AND t.fund_id = s.fund_id AND o.state IN ('succeeded', 'failed')) ordered
			CROSS JOIN LATERAL (SELECT coalesce(sum(t.amount), 0) AS sum FROM payment_change h JOIN payment_change_share t USING (object_id, kind, entity_id)
			                     WHERE h.payment_id = p.id AND h.kind = 'refund' AND t.fund_id = s.fund_id) booked
			WHERE p.donation_id = $1 AND (booked.sum > s.gift OR ordered.sum > s.gift OR NOT $2 AND booked.sum <> ordered.sum)`
		require.Empty(r.t, r.Lines(differ, g.ID, dashboard))
	}
	require.Empty(r.t, r.Lines(`SELECT id::text FROM refund_order o WHERE state NOT IN ('succeeded', 'failed', 'refused') OR state = 'succeeded' AND refund_order_counts(o)`),
		"orders that are not finished or not booked")
	all, err := violations(r.DB.Owner, safetyCheckers...)
	require.NoError(r.t, err)
	require.Empty(r.t, all)
}
