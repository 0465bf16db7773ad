package stripefake_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

const day = 24 * time.Hour

// past is a history that began sixty days ago, with a client of its API.
type past struct {
	*stripefake.History
	f     *fake
	from  time.Time
	pages *fake // the client
}

func beginPast(t *testing.T, f *fake) *past {
	t.Helper()
	from := f.Now().Add(-60 * day).Truncate(time.Second)
	h, err := f.BeginHistory(from, f.Now().Add(-time.Hour), 4)
	if err != nil {
		t.Fatal(err)
	}
	return &past{History: h, f: f, from: from, pages: &fake{t: t, url: f.url + stripefake.HistoryAPI}}
}

// open opens a payment page at the history's time.
func (p *past) open(email string, recurring bool) *stripe.CheckoutSession {
	p.f.t.Helper()
	mode, every := "payment", (*stripe.CheckoutSessionLineItemPriceDataRecurringParams)(nil)
	if recurring {
		mode, every = "subscription", &stripe.CheckoutSessionLineItemPriceDataRecurringParams{Interval: stripe.String("month")}
	}
	cs, err := p.pages.client(key, 0).CheckoutSessions.New(&stripe.CheckoutSessionParams{
		Mode: stripe.String(mode), SuccessURL: stripe.String("https://give.example/thanks"), CustomerEmail: stripe.String(email),
		ExpiresAt: stripe.Int64(p.Now().Add(time.Hour).Unix()),
		LineItems: []*stripe.CheckoutSessionLineItemParams{{Quantity: stripe.Int64(1), PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
			Currency: stripe.String("usd"), UnitAmount: stripe.Int64(5000), Recurring: every,
			ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("Gift")}}}},
	})
	if err != nil {
		p.f.t.Fatal(err)
	}
	return cs
}

func (p *past) must(err error) {
	p.f.t.Helper()
	if err != nil {
		p.f.t.Fatal(err)
	}
}

// transactions lists the balance transactions at the present, oldest first.
func (f *fake) transactions() (list []*stripe.BalanceTransaction) {
	f.t.Helper()
	it := f.api.BalanceTransactions.List(&stripe.BalanceTransactionListParams{})
	for it.Next() {
		list = append(list, it.BalanceTransaction())
	}
	if it.Err() != nil {
		f.t.Fatal(it.Err())
	}
	slices.Reverse(list)
	return list
}

func TestHistoryIsInThePastAndToldAtOnce(t *testing.T) {
	f := start(t, stripefake.Options{})
	began := f.Now()
	p := beginPast(t, f)
	p.Move(p.from.Add(day))
	if d := f.Now().Sub(began); d > time.Hour {
		t.Errorf("the clock moved by %s", d)
	}
	p.must(p.Pay("tsne", p.open("ana@example.org", true).ID, stripefake.GoodCard, ""))
	if n := len(f.State().Charges); n != 1 {
		t.Errorf("%d charges: the renewal has come before its day", n)
	}
	p.Move(p.from.Add(3 * day))
	left := p.open("left@example.org", false)
	declined := stripefake.GoodCard
	declined.Number = "4000000000000002"
	p.must(p.Decline("tsne", left.ID, declined))

	// Somebody gives at the present while the history is made.
	now := f.open(&stripe.CheckoutSessionParams{Mode: stripe.String("payment"), SuccessURL: stripe.String("https://give.example/thanks"),
		LineItems: []*stripe.CheckoutSessionLineItemParams{{Quantity: stripe.Int64(1), PriceData: &stripe.CheckoutSessionLineItemPriceDataParams{
			Currency: stripe.String("usd"), UnitAmount: stripe.Int64(700), ProductData: &stripe.CheckoutSessionLineItemPriceDataProductDataParams{Name: stripe.String("Gift")}}}}})
	if err := f.Pay(now.ID, stripefake.GoodCard); err != nil {
		t.Fatal(err)
	}
	p.must(f.Drain(t.Context()))
	if seen := f.transactions(); len(seen) != 1 || seen[0].Amount != 700 {
		t.Errorf("half a history is listed: %d transactions", len(seen))
	}
	if balance, err := f.api.Balance.Get(nil); err != nil || balance.Pending[0].Amount != 650 {
		t.Errorf("half a history is in the balance: %+v %v", balance, err)
	}
	for _, e := range f.hook.events {
		if e.Created < began.Unix() {
			t.Errorf("%s is told too early", e.Type)
		}
	}

	p.Move(p.from.Add(40 * day))
	p.must(p.Refund("tsne", "ana@example.org", 1000, "requested_by_customer"))
	p.must(p.Payout("tsne"))
	if got := f.HistoryProgress(); got.State != "making" || got.Done != 4 || got.Steps != 4 {
		t.Errorf("%+v", got)
	}
	told := len(f.hook.types())
	f.hook.answer(503)
	p.Tell()
	p.must(f.Drain(t.Context()))
	telling := f.HistoryProgress()
	if telling.State != "telling" || telling.Delivered != 0 || telling.Events < 10 {
		t.Errorf("%+v", telling)
	}
	f.hook.mu.Lock()
	if !slices.IsSortedFunc(f.hook.events[told:told+telling.Events], func(x, y stripe.Event) int { return int(x.Created - y.Created) }) {
		t.Errorf("events are not told oldest first")
	}
	f.hook.mu.Unlock()
	f.hook.answer(0)
	p.must(f.Drain(t.Context()))

	var amounts, days []int64
	for _, bt := range f.transactions() {
		amounts, days = append(amounts, bt.Amount), append(days, (bt.Created-p.from.Unix())/(24*60*60))
	}
	// Both payments of the plan, the refund, the payout and the gift of the present, in the order of their dates.
	if want := []int64{5000, 5000, -1000, -8650, 700}; !slices.Equal(amounts, want) {
		t.Errorf("amounts %v", amounts)
	}
	if !slices.IsSorted(days) || days[0] != 1 || days[1] < 29 || days[1] > 32 || days[2] != 40 {
		t.Errorf("days %v", days)
	}
	if cs, err := f.api.CheckoutSessions.Get(left.ID, nil); err != nil || cs.Status != stripe.CheckoutSessionStatusExpired {
		t.Errorf("the page that was left open: %+v %v", cs, err)
	}
	if got := f.HistoryProgress(); got.State != "told" || got.Events != telling.Events || got.Delivered != telling.Events {
		t.Errorf("%+v", got)
	}
	if _, err := p.pages.client(key, 0).CheckoutSessions.Get(left.ID, nil); err == nil {
		t.Error("the history's API answers after the history")
	}
	if _, err := f.BeginHistory(p.from, f.Now(), 1); err == nil {
		t.Error("a history is made twice")
	}
}

func TestHistoryGoesOnAfterARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cards.json")
	f := start(t, stripefake.Options{StatePath: path})
	f.hook.answer(503)
	p := beginPast(t, f)
	p.Move(p.from.Add(day))
	p.must(p.Pay("tsne", p.open("ana@example.org", true).ID, stripefake.GoodCard, ""))
	p.must(f.Close())

	f = start(t, stripefake.Options{StatePath: path})
	if got := f.HistoryProgress(); got.State != "making" || got.Done != 1 {
		t.Fatalf("%+v", got)
	}
	p.must(f.Drain(t.Context()))
	if got := f.hook.types(); len(got) > 0 {
		t.Errorf("told after a restart: %v", got)
	}
	h, err := f.BeginHistory(f.Now().Add(-time.Minute), f.Now(), 9)
	p.must(err)
	if got := h.Now(); !got.Equal(p.from.Add(day)) {
		t.Errorf("the history's clock shows %s", got)
	}
	f.hook.answer(503)
	h.Tell()
	p.must(f.Close()) // before an event was acknowledged

	f = start(t, stripefake.Options{StatePath: path})
	p.must(f.Drain(t.Context()))
	if got := f.HistoryProgress(); got.State != "told" || got.Events == 0 {
		t.Errorf("%+v", got)
	}
	if got := len(f.transactions()); got != 2 {
		t.Errorf("%d transactions", got)
	}
}

func TestHistoryNeedsAnEmptyStandIn(t *testing.T) {
	f := start(t, stripefake.Options{})
	if got := f.HistoryProgress(); got.State != "none" {
		t.Errorf("%+v", got)
	}
	if _, err := f.BeginHistory(f.Now(), f.Now().Add(time.Hour), 1); err == nil {
		t.Error("a history in the future")
	}
	g := begin(t, stripefake.Options{}, "4242424242424242")
	if _, err := g.BeginHistory(g.Now().Add(-60*day), g.Now(), 1); !errors.Is(err, stripefake.ErrHistory) {
		t.Errorf("%v", err)
	}
}
