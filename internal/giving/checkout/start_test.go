package checkout_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

const createSession = "/v1/checkout/sessions"

// openPages counts the payment pages that can be paid now.
func openPages(t *testing.T, h *program.Program) (open int) {
	t.Helper()
	for _, raw := range h.Fake.State().CheckoutSessions {
		var session struct{ Status string }
		require.NoError(t, json.Unmarshal(raw, &session))
		if session.Status == "open" {
			open++
		}
	}
	return open
}

func gifts(h *program.Program) int { return h.Count(`SELECT count(*) FROM donation`) }

func live(h *program.Program) int {
	return h.Count(`SELECT count(*) FROM donation WHERE status IN ('started', 'processing', 'settled', 'held')`)
}

// submitForm starts a gift of csio's form. The call ends after limit.
func submitForm(t *testing.T, s checkout.Starter, offer donation.Offer, f donation.Form, limit time.Duration) (checkout.Gift, error) {
	t.Helper()
	request, err := f.Check(offer)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	return s.Start(ctx, offer, request)
}

func TestTheRowIsThereBeforeStripeIsCalled(t *testing.T) {
	t.Parallel()
	var h *program.Program
	var rows atomic.Int64
	h = program.New(t, program.Options{BeforeStripe: func(r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == createSession && assert.NoError(t, r.ParseForm()) {
			var n int64 // on another connection: only what is committed counts
			assert.NoError(t, h.DB.Owner.Get(&n, `SELECT count(*) FROM donation g JOIN donation_contact c ON c.donation_id = g.id
				JOIN designation d ON d.donation_id = g.id WHERE g.id = $1 AND g.status = 'started'`, r.PostForm.Get("client_reference_id")))
			rows.Add(n)
		}
	}})
	d := h.StartedGift(program.ValidForm())
	assert.EqualValues(t, 1, rows.Load())
	calls := h.Fake.Calls(http.MethodPost, createSession)
	require.Len(t, calls, 1)
	assert.Equal(t, fmt.Sprintf("checkout:%s:1", d.ID), calls[0].Key)
	assert.Equal(t, d.ID.String(), calls[0].Params.Get("payment_intent_data[metadata][konbit_donation]"))
	assert.Equal(t, "2000", calls[0].Params.Get("line_items[0][price_data][unit_amount]"))
	assert.Equal(t, calls[0].Key, fmt.Sprintf("checkout:%s:%d", d.ID, h.Checkout(d).Try))
	assert.NotContains(t, calls[0].Params.Encode(), "rez", "a name has no business at Stripe before the payment")
}

func TestTwentyPressesAtOnceAreOneGift(t *testing.T) {
	t.Parallel()
	for name, faults := range map[string]stripefake.Faults{
		"good day":                   {},
		"a stored 500":               {Rate: 1, Kinds: []string{"500"}, Times: 1, Only: "POST"},
		"a stored 500 with effect":   {Rate: 1, Kinds: []string{"500-after"}, Times: 1, Only: "POST"},
		"two stored 500s":            {Rate: 1, Kinds: []string{"500"}, Times: 2, Only: "POST"},
		"too many calls":             {Rate: 1, Kinds: []string{"429"}, Times: 10, Only: "POST"},
		"connections cut":            {Rate: 1, Kinds: []string{"cut"}, Times: 2, Only: "POST"},
		"out of service for a while": {Rate: 1, Kinds: []string{"503"}, Times: 3, Only: "POST"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := program.New(t, program.Options{Fake: stripefake.Options{AnswerDelay: 20 * time.Millisecond, Seed: 7}})
			require.NoError(t, h.Fake.SetFaults(faults))
			form := program.ValidForm()
			pages := make([]string, 20)
			var all sync.WaitGroup
			for i := range pages {
				all.Go(func() {
					d, err := h.Submit(form)
					if err == nil {
						pages[i] = d.ID.String() + " " + *d.SessionURL
					} else {
						assert.True(t, fault.Is(err, fault.Unavailable) || pg.IsTransient(err), "%v", err)
					}
				})
			}
			all.Wait()
			var again checkout.Gift
			testkit.Eventually(t, time.Minute, func() (err error) { // on a busy machine some of the faults are still to come
				again, err = h.Submit(form)
				return err
			})
			for _, page := range pages {
				if page != "" { // a submission that met the fault twice was asked to come again
					assert.Equal(t, again.ID.String()+" "+*again.SessionURL, page)
				}
			}
			assert.Equal(t, 1, gifts(h))
			assert.Equal(t, 1, openPages(t, h))
		})
	}
}

// TestOneSubmissionSurvivesOneFault: a submission succeeds although one call to Stripe fails, for each kind of fault.
func TestOneSubmissionSurvivesOneFault(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"429", "500", "500-after", "503", "cut"} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s %d", kind, seed), func(t *testing.T) {
				t.Parallel()
				h := program.New(t, program.Options{Fake: stripefake.Options{Seed: seed + 1}})
				require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{kind}, Times: 1}))
				form := program.ValidForm()
				d, err := h.Submit(form)
				require.NoError(t, err)
				require.NotNil(t, d.SessionURL)
				assert.Equal(t, 1, gifts(h))
				assert.Equal(t, 1, openPages(t, h))
				for _, call := range h.Fake.Calls(http.MethodPost, createSession) {
					if kind == "500" { // the only fault whose reply Stripe stores under the key although no page was made
						assert.Contains(t, []string{fmt.Sprintf("checkout:%s:1", d.ID), fmt.Sprintf("checkout:%s:2", d.ID)}, call.Key)
					} else {
						assert.Equal(t, fmt.Sprintf("checkout:%s:1", d.ID), call.Key, "another key could make another page")
					}
					assert.NotEqual(t, http.StatusBadRequest, call.Status, "a key is never used with other parameters")
				}
				again, err := h.Submit(form)
				require.NoError(t, err)
				assert.Equal(t, []any{d.ID, d.SessionURL}, []any{again.ID, again.SessionURL}, "the same gift with the same page")
			})
		}
	}
}

// lost makes payment pages whose answers are lost on the way.
type lost struct{ checkout.Sessions }

func (l lost) Create(ctx context.Context, o checkout.Order) (checkout.Session, error) {
	if _, err := l.Sessions.Create(ctx, o); err != nil {
		return checkout.Session{}, err
	}
	return checkout.Session{}, fault.New(fault.Unavailable, "problem.503.text", nil)
}

// TestFundRenamedBetweenSubmissions: the fund has another name when the donor submits the form again, so the key of
// the first submission cannot be used.
func TestFundRenamedBetweenSubmissions(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form, offer := program.ValidForm(), h.Offer("csio")
	silent := h.Starter
	silent.Payments = lost{silent.Payments}
	_, err := submitForm(t, silent, offer, form, 8*time.Second)
	require.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	offer.Organisation.Name = phrase.Text{phrase.English: "Another name"}
	d, err := submitForm(t, h.Starter, offer, form, 8*time.Second)
	require.NoError(t, err)
	assert.NotEmpty(t, d.SessionURL)
	assert.Equal(t, 1, openPages(t, h), "the page whose answer was lost is the gift's")
}

func TestStripeDown(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	unreachable, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: "sk_test_x"}}, "http://127.0.0.1:1", h.Log.Logger())
	require.NoError(t, err)
	down := h.Starter
	down.Payments = unreachable
	began := time.Now()
	_, err = submitForm(t, down, h.Offer("csio"), form, time.Second)
	assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	assert.Less(t, time.Since(began), 20*time.Second)
	assert.Equal(t, 1, gifts(h), "the donation is stored")

	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}}))
	_, err = h.Submit(form)
	assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)

	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{}))
	h.StartedGift(form)
	assert.Equal(t, 1, gifts(h))
	assert.Equal(t, 1, openPages(t, h))
}

func TestNoAnswerWithinTheTimeLimitOfAPage(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{Fake: stripefake.Options{AnswerDelay: time.Minute}})
	began := time.Now()
	_, err := submitForm(t, h.Starter, h.Offer("csio"), program.ValidForm(), 8*time.Second)
	assert.True(t, fault.Is(err, fault.Unavailable), "%v", err)
	assert.Less(t, time.Since(began), 40*time.Second, "the processor answers after a minute")
	assert.Equal(t, 1, gifts(h))
}

// TestStillWithoutAPage: a gift whose page could not be made in time is replaced when the form is submitted later.
func TestStillWithoutAPage(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}}))
	_, err := h.Submit(form)
	require.Error(t, err)
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{}))
	later := h.Starter
	later.Now = func() time.Time { return time.Now().Add(10 * time.Minute) }
	d, err := submitForm(t, later, h.Offer("csio"), form, 5*time.Second)
	require.NoError(t, err)
	assert.NotNil(t, d.SessionURL)
	assert.Equal(t, 2, gifts(h))
	assert.Equal(t, 1, live(h))
}

func TestAChangedMindClosesTheOldPage(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	old := h.StartedGift(form)
	form.Amount = "30"
	changed := h.StartedGift(form)
	assert.NotEqual(t, old.ID, changed.ID)
	assert.Equal(t, donation.Expired, h.Gift(old.ID).Status)
	assert.EqualValues(t, 3000, changed.AmountMinor)
	assert.Equal(t, 1, openPages(t, h))
	require.Error(t, h.Fake.Pay(*h.Checkout(old).SessionID, stripefake.GoodCard))
}

func TestPaidMeanwhileIsNoSecondGift(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	d := h.StartedGift(form)
	h.Pay(d) // its event is not delivered yet
	again, err := h.Submit(form)
	require.NoError(t, err)
	assert.Equal(t, d.ID, again.ID)
	assert.Equal(t, 1, gifts(h))
	h.Deliver(h.EventOf(d, "charge.succeeded"))
	h.DrainAll()
	assert.Equal(t, program.SettledOnce, h.State(d))
	after, err := h.Submit(form)
	require.NoError(t, err)
	assert.Equal(t, donation.Settled, after.Status)
	assert.Equal(t, 0, openPages(t, h))
}

// TestAPaidFormSubmittedWithChanges: a paid form that is submitted again with another amount or by another donor is
// another gift, whether or not the event of the first payment was delivered. The same submission again is the same gift.
func TestAPaidFormSubmittedWithChanges(t *testing.T) {
	t.Parallel()
	for name, delivered := range map[string]bool{"event delivered": true, "event not delivered yet": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := program.New(t, program.Options{})
			form := program.ValidForm()
			d := h.StartedGift(form)
			h.Pay(d)
			if delivered {
				h.Deliver(h.EventOf(d, "charge.succeeded"))
				h.DrainAll()
			}
			more, other := form, form
			more.Amount, other.Contact.Email = "30", "ben@example.org"
			pages := map[string]donation.Donation{}
			for what, f := range map[string]donation.Form{"another amount": more, "another donor": other} {
				pages[what] = h.StartedGift(f)
				assert.NotEqual(t, d.ID, pages[what].ID, what)
				assert.Equal(t, pages[what].ID, h.StartedGift(f).ID, "%s, submitted twice", what)
			}
			assert.EqualValues(t, 3000, pages["another amount"].AmountMinor)
			assert.NotEqual(t, d.DonorID, pages["another donor"].DonorID)
			assert.Equal(t, 3, gifts(h))
			assert.Equal(t, 2, openPages(t, h))

			h.Pay(pages["another amount"])
			changed := more
			changed.Amount = "10"
			third := h.StartedGift(changed)
			assert.NotEqual(t, pages["another amount"].ID, third.ID, "and so on")
			changed.Amount = "20" // what the first gift was
			first, err := h.Submit(changed)
			require.NoError(t, err)
			assert.Equal(t, d.ID, first.ID)
			h.DeliverNew()
			h.DrainAll()
			assert.Equal(t, 2, h.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
			assert.Equal(t, program.SettledOnce, h.State(d))
		})
	}
}

// TestConcurrentChangeOfAForm changes the form while the first submission waits for its page: only the last one has an
// open page.
func TestConcurrentChangeOfAForm(t *testing.T) {
	t.Parallel()
	var h *program.Program
	var calls atomic.Int64
	form := program.ValidForm()
	h = program.New(t, program.Options{BeforeStripe: func(r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == createSession && calls.Add(1) == 1 {
			changed := form
			changed.Amount = "30"
			_, err := h.Submit(changed)
			assert.NoError(t, err)
		}
	}})
	d := h.StartedGift(form)
	assert.EqualValues(t, 2000, d.AmountMinor)
	assert.Equal(t, 1, openPages(t, h))
	assert.Equal(t, 1, live(h))
	assert.Equal(t, []string{*h.Checkout(d).SessionID}, h.Lines(`SELECT session_id FROM checkout WHERE NOT ended`))
}

func TestAPageElsewhereIsRefused(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{Fake: stripefake.Options{PublicURL: "https://checkout.stripe.com.evil.example"}})
	_, err := h.Submit(program.ValidForm())
	require.ErrorContains(t, err, "unexpected address")
	assert.Equal(t, fault.Unexpected, fault.KindOf(err))
}

func TestTheSameFormForAnotherOrganisation(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	h.StartedGift(form)
	form.Fund = ""
	_, err := h.SubmitFor("aina", form)
	assert.True(t, fault.Is(err, fault.Conflict), "%v", err)
	assert.Equal(t, 1, gifts(h))
}

// TestDonorsOfTwoEntitiesNeverMeet also holds that a form alone changes nothing of a known donor.
func TestDonorsOfTwoEntitiesNeverMeet(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	first := h.StartedGift(program.ValidForm())
	same := program.ValidForm()
	same.Contact.Email, same.Contact.FirstName = "ANA@Example.org", "Mallory"
	second := h.StartedGift(same)
	assert.Equal(t, first.DonorID, second.DonorID)
	assert.Equal(t, []string{"Ana"}, h.Lines(`SELECT first_name FROM donor`))
	other := program.ValidForm()
	other.Fund = "land"
	d, err := h.SubmitFor("aina", other)
	require.NoError(t, err)
	assert.NotEqual(t, first.DonorID, d.DonorID)
}

func TestReferencesAreNotIds(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	found, err := donation.ByRef(t.Context(), h.DB.Server, d.PublicRef)
	require.NoError(t, err)
	assert.Equal(t, d.ID, found.ID)
	for _, ref := range []string{"", d.ID.String(), d.PublicRef[:21], uuid.NewString()} {
		_, err := donation.ByRef(t.Context(), h.DB.Server, ref)
		assert.True(t, fault.Is(err, fault.NotFound), "%q", ref)
	}
}
