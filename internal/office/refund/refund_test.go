package refund_test

import (
	"context"
	"encoding/json"
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
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
)

// desk is a finance office with a gift of $90: 50 to general, 30 to network, 10 to building.
type desk struct {
	*program.Program
	t     *testing.T
	gift  donation.Donation
	staff *office.Person
}

func newDesk(t *testing.T, o program.Options) *desk {
	t.Helper()
	d := &desk{Program: program.New(t, o), t: t}
	d.Exec(`UPDATE legal_entity SET money_factor = 'totp'`)
	d.staff = d.person()
	d.gift = d.give("50", "30", "10")
	return d
}

// person adds a person of finance, who has used a code just now.
func (d *desk) person() *office.Person {
	d.t.Helper()
	return office.Add(d.t, d.DB.Owner, "finance", office.Role{Role: "finance", Entity: "tsne"})
}

// try orders a refund in a session of a person.
func (d *desk) try(who *office.Person, r refund.Request) (o refund.Order, err error) {
	d.t.Helper()
	err = who.InTx(d.t, d.DB.Server, func(tx *sqlx.Tx) (err error) {
		o, err = d.Refunds.OrderTx(d.t.Context(), tx, r)
		return err
	})
	return o, err
}

func (d *desk) give(general, network, building string) donation.Donation {
	d.t.Helper()
	form := program.ValidForm()
	form.Amount, form.AmountOther, form.Fund = "other", "90", ""
	form.Split = map[string]string{"general": general, "network": network, "building": building}
	gift := d.SettledGift(form)
	d.settle()
	return d.Gift(gift.ID)
}

// settle lets everything arrive that happened at Stripe.
func (d *desk) settle() {
	d.t.Helper()
	for range 2 {
		d.DeliverNew()
		d.DrainAll()
		_, err := d.Collector.Sweep(d.t.Context())
		require.NoError(d.t, err)
		d.RetryParked()
	}
}

func (d *desk) fund(slug string) uuid.UUID {
	d.t.Helper()
	return uuid.MustParse(d.Lines(`SELECT f.id::text FROM fund f JOIN organisation o ON o.id = f.organisation_id WHERE o.slug = 'csio' AND f.slug = $1`, slug)[0])
}

func (d *desk) request(parts map[string]int64) refund.Request {
	r := refund.Request{
		EntityID: d.gift.EntityID, DonationID: d.gift.ID, Reason: refund.Requested, Note: "Ana called", Submission: program.NewID(), RequestedBy: d.staff.ID, All: parts == nil,
	}
	for slug, amount := range parts {
		r.Parts = append(r.Parts, refund.Part{FundID: d.fund(slug), Amount: amount})
	}
	return r
}

func (d *desk) order(parts map[string]int64) refund.Order {
	d.t.Helper()
	o, err := d.try(d.staff, d.request(parts))
	require.NoError(d.t, err)
	return o
}

func (d *desk) state(o refund.Order) refund.State {
	d.t.Helper()
	now, err := refund.ByID(d.t.Context(), d.DB.Server, o.ID)
	require.NoError(d.t, err)
	return now.State
}

// execute runs an order's job until it needs no more runs.
func (d *desk) execute(o refund.Order) {
	d.t.Helper()
	for range 20 {
		if d.Refunds.Execute(context.WithoutCancel(d.t.Context()), o.ID) == nil {
			return
		}
	}
	d.t.Fatalf("order %s is never done: %s", o.ID, d.state(o))
}

// atStripe lists the refunds at the stand-in, as "amount status".
func (d *desk) atStripe() (all []string) {
	d.t.Helper()
	for _, raw := range d.Fake.State().Refunds {
		var r struct {
			ID, Status string
			Amount     json.Number
		}
		require.NoError(d.t, json.Unmarshal(raw, &r))
		all = append(all, r.Amount.String()+" "+r.Status)
	}
	return all
}

// returned lists what went back from each fund, as "fund amount fee sponsor's fee".
func (d *desk) returned() []string {
	return d.Lines(`SELECT format('%s %s %s %s', f.slug, sum(s.amount), sum(s.fee), sum(s.sponsor_fee)) FROM payment_change_share s
		JOIN fund f ON f.id = s.fund_id WHERE s.kind = 'refund' GROUP BY f.slug ORDER BY 1`)
}

// TestPartOfOneFund: 40 % of one fund's part goes back from that fund alone, with its share of the fees, and the
// receipt is replaced.
func TestPartOfOneFund(t *testing.T) {
	d := newDesk(t, program.Options{})
	o := d.order(map[string]int64{"general": 2000})
	require.Equal(t, refund.Ordered, o.State)
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM river_job WHERE kind = 'refund_order' AND args ->> 'order_id' = $1`, o.ID.String()))
	require.Empty(t, d.atStripe())
	d.execute(o)
	require.Equal(t, refund.Succeeded, d.state(o))
	require.Equal(t, []string{"2000 succeeded"}, d.atStripe())
	require.Empty(t, d.returned(), "our call books nothing")
	d.settle()
	require.Equal(t, []string{"general 2000 65 140"}, d.returned(), "40 % of the fees of the fund: 162 and 350")
	require.Equal(t, []string{"7000"}, d.Lines(`SELECT r.facts->'amount'->>'minor' FROM receipt r WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)`))
	require.Equal(t, []string{"general 4805 2000"}, d.Lines(`SELECT f.slug || ' ' || p.account_code || ' ' || sum(p.amount) FROM posting p
		JOIN fund f ON f.id = p.fund_id WHERE p.account_code LIKE '48%' GROUP BY f.slug, p.account_code`))
	d.execute(o)
	require.Len(t, d.atStripe(), 1)
	d.RequireNoFindings()

	rest := d.order(nil)
	d.execute(rest)
	d.settle()
	require.Equal(t, []string{"building 1000 32 70", "general 5000 162 350", "network 3000 97 210"}, d.returned())
	require.Equal(t, []string{"2000 succeeded", "7000 succeeded"}, d.atStripe())
	d.RequireNoFindings()
}

// TestRefusedOrders: what may not be refunded is not ordered.
func TestRefusedOrders(t *testing.T) {
	d := newDesk(t, program.Options{})
	refused := func(want error, change func(*refund.Request)) {
		t.Helper()
		r := d.request(map[string]int64{"general": 100})
		change(&r)
		_, err := d.try(d.staff, r)
		require.ErrorIs(t, err, want)
	}
	refused(refund.ErrTooMuch, func(r *refund.Request) { r.Parts[0].Amount = 5001 })
	first := d.order(map[string]int64{"network": 2500})
	refused(refund.ErrTooMuch, func(r *refund.Request) { r.Parts = []refund.Part{{FundID: d.fund("network"), Amount: 501}} })
	for _, bad := range []func(*refund.Request){
		func(r *refund.Request) { r.Parts = append(r.Parts, r.Parts[0]) },
		func(r *refund.Request) { r.Parts[0].Amount = 0 },
		func(r *refund.Request) { r.Parts[0].Amount = -5 },
		func(r *refund.Request) { r.Parts[0].FundID = program.NewID() },
		func(r *refund.Request) { r.Reason = "because" },
		func(r *refund.Request) { r.All = true },
		func(r *refund.Request) { r.Parts = nil },
	} {
		r := d.request(map[string]int64{"general": 100})
		bad(&r)
		_, err := d.try(d.staff, r)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	}
	other := d.request(map[string]int64{"general": 100})
	other.EntityID = uuid.MustParse(d.Lines(`SELECT id::text FROM legal_entity WHERE slug = 'aina'`)[0])
	_, err := d.try(d.staff, other)
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	d.execute(first)
	d.settle()

	dispute, err := d.Fake.Dispute(d.IntentOf(d.gift), true)
	require.NoError(t, err)
	d.settle()
	d.execute(d.order(map[string]int64{"general": 100})) // an inquiry withdraws nothing
	require.NoError(t, d.Fake.CloseDispute(dispute, "escalated"))
	d.settle()
	refused(refund.ErrDisputed, func(*refund.Request) {})
	d.RequireNoFindings()
}

// TestTheSameFormIsOneOrder: a form sent again is the same order, and a conflict if it says something else.
func TestTheSameFormIsOneOrder(t *testing.T) {
	d := newDesk(t, program.Options{})
	r := d.request(map[string]int64{"general": 100, "network": 50})
	first, err := d.try(d.staff, r)
	require.NoError(t, err)
	again, err := d.try(d.staff, r)
	require.NoError(t, err)
	require.Equal(t, first.ID, again.ID)
	r.Parts = []refund.Part{{FundID: d.fund("general"), Amount: 99}}
	_, err = d.try(d.staff, r)
	require.True(t, fault.Is(err, fault.Conflict), "%v", err)
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM refund_order`))
	require.Equal(t, 1, d.Count(`SELECT count(*) FROM river_job WHERE kind = 'refund_order'`))
}

// TestEveryState: pending, then succeeded or failed; refused; failed weeks after it succeeded.
func TestEveryState(t *testing.T) {
	d := newDesk(t, program.Options{})
	tasks := func() []string {
		return d.Lines(`SELECT kind FROM finance_task WHERE closed_at IS NULL AND kind LIKE 'refund%' ORDER BY kind`)
	}
	check := func() {
		t.Helper()
		d.Exec(`UPDATE refund_order SET checked_at = now() - interval '1 hour'`)
		d.settle()
		_, err := d.Refunds.CheckDue(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, d.Fake.RefundsWait("tsne", true))
	made, lost := d.order(map[string]int64{"general": 1000}), d.order(map[string]int64{"network": 500})
	d.execute(made)
	d.execute(lost)
	check()
	require.Equal(t, []refund.State{refund.Pending, refund.Pending}, []refund.State{d.state(made), d.state(lost)})
	require.Empty(t, d.returned(), "nothing left the balance")
	require.NoError(t, d.Fake.FailRefund(*d.now(lost).RefundID))
	check()
	require.Equal(t, refund.Failed, d.state(lost))
	require.Equal(t, []string{"refund_not_made"}, tasks())
	require.NoError(t, d.Fake.RefundsWait("tsne", false))
	check()
	require.Equal(t, refund.Succeeded, d.state(made))
	require.Equal(t, []string{"general 1000 32 70"}, d.returned())

	again := d.order(map[string]int64{"network": 3000}) // what failed may be ordered again
	d.execute(again)
	d.settle()
	d.Fake.Advance(20 * 24 * time.Hour)
	require.NoError(t, d.Fake.FailRefund(*d.now(again).RefundID))
	d.settle()
	require.Equal(t, refund.Failed, d.state(again))
	require.Equal(t, []string{"refund_failed", "refund_not_made"}, tasks())
	require.Equal(t, []string{"network -3000"}, d.Lines(`SELECT f.slug || ' ' || sum(p.amount) FROM posting p JOIN fund f ON f.id = p.fund_id
		WHERE p.account_code = '2300' GROUP BY f.slug`), "owed to the donor")
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 100000`)
	owed := d.order(map[string]int64{"network": 3000}) // to the same card once more
	d.execute(owed)
	d.settle()
	require.Zero(t, d.Count(`SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '2300'`))

	left := d.order(map[string]int64{"general": 100})
	_, err := d.Fake.Dispute(d.IntentOf(d.gift), false) // not here yet
	require.NoError(t, err)
	d.execute(left)
	require.Equal(t, refund.Refused, d.state(left))
	require.Contains(t, tasks(), "refund_refused")
	require.Equal(t, "charge_disputed", *d.now(left).Problem)
	d.settle()
	d.RequireNoFindings()
}

func (d *desk) now(o refund.Order) refund.Order {
	d.t.Helper()
	now, err := refund.ByID(d.t.Context(), d.DB.Server, o.ID)
	require.NoError(d.t, err)
	return now
}

// TestAnAnswerThatIsLost: whatever Stripe answers to a call, one refund comes of an order.
func TestAnAnswerThatIsLost(t *testing.T) {
	d := newDesk(t, program.Options{Fake: stripefake.Options{Hang: 50 * time.Millisecond}})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 100000`)
	for n, kind := range stripefake.FaultKinds {
		for times := 1; times <= 2; times++ {
			require.NoError(t, d.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{kind}, Only: "POST /v1/refunds", Times: times}))
			o := d.order(map[string]int64{"general": int64(10 + n)})
			d.execute(o)
			require.Equal(t, refund.Succeeded, d.state(o), kind)
		}
	}
	require.Len(t, d.atStripe(), 2*len(stripefake.FaultKinds))
	d.settle()
	require.Equal(t, 2*len(stripefake.FaultKinds), d.Count(`SELECT count(*) FROM refund_list WHERE booked AND state = 'succeeded'`))
	d.RequireNoFindings()
}

// TestTheBooksAreFirst: the balance shows a refund before its answer is stored. Its funds are the order's.
func TestTheBooksAreFirst(t *testing.T) {
	d := newDesk(t, program.Options{})
	o := d.order(map[string]int64{"building": 700})
	require.NoError(t, d.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"500-after"}, Only: "POST /v1/refunds", Times: 1}))
	require.Error(t, d.Refunds.Execute(t.Context(), o.ID))
	require.Equal(t, refund.Sent, d.state(o))
	d.settle()
	require.Equal(t, []string{"building 700 22 49"}, d.returned())
	require.NotNil(t, d.now(o).RefundID)
	d.execute(o)
	require.Equal(t, refund.Succeeded, d.state(o))
	require.Len(t, d.atStripe(), 1)
}

// TestRefundsInTheDashboard are in the same list, are divided in proportion, and count against what may be ordered.
func TestRefundsInTheDashboard(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.execute(d.order(map[string]int64{"general": 1000}))
	d.Fake.Advance(time.Hour)
	_, err := d.Fake.Refund(d.IntentOf(d.gift), 4000)
	require.NoError(t, err)
	d.settle()
	require.Equal(t, []string{"building 500 16 35", "general 3000 97 210", "network 1500 49 105"}, d.returned())
	var all []refund.Listed
	require.NoError(t, pg.InTx(t.Context(), d.DB.Server, func(tx *sqlx.Tx) (err error) {
		all, err = refund.List(t.Context(), tx, refund.Filter{EntityID: d.gift.EntityID})
		return err
	}))
	require.Len(t, all, 2)
	require.Equal(t, []refund.Origin{refund.AtStripe, refund.ByOffice}, []refund.Origin{all[0].Origin, all[1].Origin})
	require.Equal(t, []int64{4000, 1000}, []int64{all[0].AmountMinor, all[1].AmountMinor})
	require.True(t, all[0].Booked && all[1].Booked)
	_, err = d.try(d.staff, d.request(map[string]int64{"network": 1501}))
	require.ErrorIs(t, err, refund.ErrTooMuch)
}

// TestWhatWentBackMeanwhile: an order is sent, and somebody refunds in the dashboard what it is about. Stripe
// refuses the order, or both are booked and no fund gives more than it got.
func TestWhatWentBackMeanwhile(t *testing.T) {
	d := newDesk(t, program.Options{})
	d.Exec(`UPDATE legal_entity SET two_persons_refund = 100000`)
	fits, beyond := d.order(map[string]int64{"general": 5000}), d.order(map[string]int64{"network": 3000})
	_, err := d.Fake.Refund(d.IntentOf(d.gift), 3000)
	require.NoError(t, err)
	d.execute(fits)
	d.execute(beyond)
	d.settle()
	require.Equal(t, []refund.State{refund.Succeeded, refund.Refused}, []refund.State{d.state(fits), d.state(beyond)})
	require.Equal(t, 8000, d.Count(`SELECT sum(amount) FROM payment_change WHERE kind = 'refund'`))
	require.Zero(t, d.Count(`SELECT count(*) FROM payment p, payment_position(p.id) s WHERE s.remaining < 0`))
	d.RequireNoFindings()
}
