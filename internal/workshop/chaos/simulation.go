package chaos

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/office/figures"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// account is one legal entity and its only organisation.
type account struct {
	org     string
	funds   []string
	entity  org.LegalEntity
	facts   *facts
	waiting []program.Event // not delivered yet
	dropped []string        // never delivered
}

// entities lists the entities of the test program in a fixed order, because random choices must follow from
// the seed alone.
var entities = []string{"tsne", "aina"}

// simulation is a program in which random actions happen, and the oracle that checks it.
type simulation struct {
	*program.Program
	t        testing.TB
	r        *rand.Rand
	accounts map[string]*account
	oracle   *oracle
	funds    map[uuid.UUID]string // codes by id

	forms    []submittedForm
	begun    []string  // started gifts
	sessions []session // payment pages not paid yet
	refunds  []string
	open     []string // disputes
	inquired []string
	payouts  []string
	serial   int64 // of the last entry that the oracle checked
	actions  []string
}

type session struct{ entity, id string }

type submittedForm struct {
	entity string
	form   donation.Form
}

// newSimulation starts a simulation. All random choices in it follow from the seed.
func newSimulation(t testing.TB, seed uint64) *simulation {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: seed | 1}})
	w := &simulation{Program: h, t: t, r: rand.New(rand.NewPCG(seed, 2)), accounts: map[string]*account{}, funds: map[uuid.UUID]string{}}
	w.accounts["tsne"] = &account{org: "csio", funds: []string{"general", "network", "building"}}
	w.accounts["aina"] = &account{org: "aina", funds: []string{"land", "free"}}
	all := map[string]*facts{}
	for slug, a := range w.accounts {
		entity, err := h.CurrentCatalog().Entity(slug)
		require.NoError(t, err)
		a.entity, a.facts = entity, newFacts(t, h.Fake, slug)
		all[slug] = a.facts
	}
	w.oracle = newOracle(all)
	var funds []struct {
		ID   uuid.UUID
		Code string
	}
	require.NoError(t, h.DB.Owner.Select(&funds, `SELECT id, code FROM fund`))
	for _, f := range funds {
		w.funds[f.ID] = f.Code
	}
	return w
}

// log records an action. A failed test shows the list.
func (w *simulation) log(format string, args ...any) {
	w.actions = append(w.actions, fmt.Sprintf(format, args...))
}

func (w *simulation) entity() string { return pick(w.r, []string{"tsne", "tsne", "aina"}) }

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

// take removes a random element of a list and returns it.
func take[T any](r *rand.Rand, from *[]T) (one T, ok bool) {
	if len(*from) == 0 {
		return one, false
	}
	i := r.IntN(len(*from))
	one = (*from)[i]
	(*from)[i] = (*from)[len(*from)-1]
	*from = (*from)[:len(*from)-1]
	return one, true
}

// begin submits a form: any amount, one fund or several, with or without the fee.
func (w *simulation) begin() {
	slug := w.entity()
	a := w.accounts[slug]
	total := 500 + w.r.Int64N(50000)
	form := program.ValidForm()
	form.Amount, form.AmountOther, form.CoverFees, form.Fund = "other", decimal(total), w.r.IntN(3) == 0, pick(w.r, a.funds)
	if w.r.IntN(2) == 0 {
		form.Fund, form.Split = "", map[string]string{}
		for i, code := range a.funds {
			part := w.r.Int64N(total + 1)
			if i == len(a.funds)-1 {
				part = total
			}
			form.Split[code], total = decimal(part), total-part
		}
	}
	w.forms = append(w.forms, submittedForm{slug, form})
	w.submit(slug, form)
}

// resubmit submits an earlier form with other values. The gift may have any status.
func (w *simulation) resubmit() {
	if len(w.forms) == 0 {
		return
	}
	f := w.forms[len(w.forms)-1-w.r.IntN(min(len(w.forms), 5))]
	f.form.Split, f.form.Fund, f.form.AmountOther = nil, pick(w.r, w.accounts[f.entity].funds), decimal(500+w.r.Int64N(50000))
	w.submit(f.entity, f.form)
}

// submit submits a form. The answer is a new or a known gift.
func (w *simulation) submit(slug string, form donation.Form) {
	d, err := w.SubmitFor(w.accounts[slug].org, form)
	require.NoError(w.t, err)
	if w.oracle.pledges[d.ID.String()] != nil {
		w.log("submit %s again: it is %s", d.ID, d.Status)
		return
	}
	p := &pledge{id: d.ID.String(), entity: slug, amount: d.AmountMinor}
	var parts []struct {
		Code   string
		Amount int64
	}
	require.NoError(w.t, w.DB.Owner.Select(&parts, `SELECT f.code, d.amount FROM designation d JOIN fund f ON f.id = d.fund_id WHERE donation_id = $1 ORDER BY n`, d.ID))
	for _, part := range parts {
		p.parts = append(p.parts, share{fund: part.Code, gift: part.Amount})
	}
	w.oracle.pledges[p.id], w.begun = p, append(w.begun, p.id)
	w.sessions = append(w.sessions, session{slug, *d.SessionID})
	w.log("submit %s %s %d %v: %s", p.id, slug, p.amount, p.parts, *d.SessionID)
}

func decimal(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }

// payUnexpected makes a payment that no gift expects: without a gift, of an unknown gift, with an amount
// other than the gift's, or in euros.
func (w *simulation) payUnexpected() {
	slug, currency, gift := w.entity(), "usd", ""
	switch w.r.IntN(4) {
	case 0:
		gift = uuid.NewString()
	case 1:
		currency = "eur"
	case 2:
		if len(w.begun) > 0 {
			gift = pick(w.r, w.begun)
			slug = w.oracle.pledges[gift].entity
		}
	}
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://example.org/"}, "line_items[0][quantity]": {"1"}, "payment_method_types[0]": {"card"},
		"line_items[0][price_data][currency]": {currency}, "line_items[0][price_data][unit_amount]": {fmt.Sprint(100 + w.r.IntN(9000))},
		"line_items[0][price_data][product_data][name]": {"Something"},
	}
	if gift != "" {
		form.Set("payment_intent_data[metadata]["+giftOf+"]", gift)
		form.Set("metadata["+giftOf+"]", gift)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.FakeURL+"/v1/checkout/sessions", strings.NewReader(form.Encode()))
	require.NoError(w.t, err)
	request.SetBasicAuth(program.StripeKeys[slug], "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := program.Client().Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusOK, response.StatusCode, "%s", body)
	var made struct{ ID string }
	require.NoError(w.t, json.Unmarshal(body, &made))
	require.NoError(w.t, w.Fake.Pay(made.ID, stripefake.GoodCard))
	w.log("stray %s %s %s", slug, currency, gift)
}

// collectEvents collects the events that were not delivered yet.
func (w *simulation) collectEvents() {
	for _, a := range w.accounts {
		for _, body := range fresh[json.RawMessage](a.facts, "event") {
			a.waiting = append(a.waiting, w.ParseEvent(body))
		}
	}
}

// deliverSome delivers some of the waiting events in any order; some twice, some never.
func (w *simulation) deliverSome(most int, drop bool) {
	w.collectEvents()
	for _, slug := range entities {
		a := w.accounts[slug]
		for range min(most, len(a.waiting)) {
			e, _ := take(w.r, &a.waiting)
			if drop && w.r.IntN(12) == 0 {
				a.dropped = append(a.dropped, e.ID) // Stripe lists it as undelivered
				continue
			}
			for range 1 + w.r.IntN(5)/4 {
				signature := stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets[slug]...)
				require.NoError(w.t, w.Inbox.Receive(w.t.Context(), a.entity.ID, slug, e.Body, signature))
			}
			w.Fake.MarkDelivered(slug, e.ID)
		}
	}
}

// importBalance imports Stripe's balance as far as events requested it.
func (w *simulation) importBalance() {
	_, err := w.Collector.ImportDue(w.t.Context())
	require.NoError(w.t, err)
}

// sweepWithFaults makes Stripe fail during a sweep. The next sweep must complete the work.
func (w *simulation) sweepWithFaults() {
	kinds := []string{pick(w.r, []string{"429", "500", "503", "cut"})}
	require.NoError(w.t, w.Fake.SetFaults(stripefake.Faults{Rate: 0.5, Kinds: kinds, Only: "GET /v1/", Times: 1 + w.r.IntN(3)}))
	_, err := w.Sweeper.Sweep(w.t.Context())
	w.log("a sweep on a bad day (%v): %v", kinds, err)
	require.True(w.t, err == nil || fault.Is(err, fault.Unavailable), "%v", err)
	require.NoError(w.t, w.Fake.SetFaults(stripefake.Faults{}))
}

// pay pays an open page: at once, after a declined card, or with a card whose payment is disputed at once.
func (w *simulation) pay() {
	s, ok := take(w.r, &w.sessions)
	if !ok {
		return
	}
	card := stripefake.GoodCard
	switch w.r.IntN(8) {
	case 0:
		declined := card
		declined.Number = "4000000000000002"
		require.Error(w.t, w.Fake.Pay(s.id, declined))
	case 1:
		card.Number = "4000000000000259"
	}
	w.log("pay %s with %s: %v", s.id, card.Number, w.Fake.Pay(s.id, card)) // the page may have expired
}

func (w *simulation) sweep() {
	_, err := w.Sweeper.Sweep(w.t.Context())
	require.NoError(w.t, err)
}

// seal runs the periodic tasks of the books.
func (w *simulation) seal() {
	_, err := ledger.Seal(w.t.Context(), w.DB.Server)
	require.NoError(w.t, err)
	_, err = ledger.TakeSnapshots(w.t.Context(), w.DB.Server, ledger.SnapshotAfter)
	require.NoError(w.t, err)
	_, err = figures.Refresh(w.t.Context(), w.DB.Server)
	require.NoError(w.t, err)
}
