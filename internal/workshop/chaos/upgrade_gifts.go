package chaos

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// submitUntil submits a form until the server is not busy.
func submitUntil(server *e2e.Server, form url.Values) (page string, err error) {
	for deadline := time.Now().Add(patient); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if page, err = submit(server.URL(), form); !errors.Is(err, errLater) {
			return page, err
		}
	}
	return "", err
}

// giveTo is a donor with a number who gives by card.
func giveTo(stripe *stripefake.Server, server *e2e.Server, donor int) (session string, err error) {
	page, err := submitUntil(server, giftForm(donor))
	if err != nil {
		return "", err
	}
	return sessionOf(page), stripe.Pay(sessionOf(page), stripefake.GoodCard)
}

// begin submits a form of random content to a server and returns the session of its payment page. If again is not nil,
// the donor goes back and submits the same form there: the answer must be the same page.
func (u *upgrade) begin(server, again *e2e.Server) (session string) {
	u.t.Helper()
	u.donors++
	form := giftForm(u.donors)
	form.Set("amount", "other")
	form.Set("amount_other", decimal(1000+u.r.Int64N(30_000)))
	if u.r.IntN(2) == 0 {
		form.Set("cover_fees", "on")
	}
	if u.r.IntN(2) == 0 {
		form.Set("note", "For the garden")
	}
	page, err := submitUntil(server, form)
	require.NoError(u.t, err)
	if again != nil {
		repeated, err := submitUntil(again, form)
		require.NoError(u.t, err)
		require.Equal(u.t, page, repeated, "the same form is the same gift")
	}
	return sessionOf(page)
}

// pay pays a session by card. server will settle it, or is the one that runs.
func (u *upgrade) pay(server *e2e.Server, session string) {
	u.t.Helper()
	require.NoError(u.t, u.Stripe().Pay(session, stripefake.GoodCard))
	u.intents[server == u.old] = append(u.intents[server == u.old], u.intentOf(session))
}

// debit pays a session by a bank debit, which arrives days later.
func (u *upgrade) debit(session string) {
	u.t.Helper()
	require.NoError(u.t, u.Stripe().Debit(session, false))
}

func (u *upgrade) intentOf(session string) string {
	var s struct {
		Intent string `json:"payment_intent"`
	}
	require.NoError(u.t, json.Unmarshal(u.Stripe().Object("tsne", "checkout.session", session), &s))
	require.NotEmpty(u.t, s.Intent)
	return s.Intent
}

// beginPlan begins a monthly gift on a server and pays its first month.
func (u *upgrade) beginPlan(server *e2e.Server) {
	u.t.Helper()
	u.donors++
	form := giftForm(u.donors)
	form.Set("frequency", "monthly")
	page, err := submitUntil(server, form)
	require.NoError(u.t, err)
	require.NoError(u.t, u.Stripe().Pay(sessionOf(page), stripefake.GoodCard))
	u.plans = append(u.plans, planBegun{form.Get("email"), sessionOf(page)})
}

// expire lets the payment page of a gift expire, and the donor submits the form again. That page expires too.
func (u *upgrade) expire(server *e2e.Server) {
	u.t.Helper()
	u.donors++
	form := giftForm(u.donors)
	for range 2 {
		_, err := submitUntil(server, form)
		require.NoError(u.t, err)
		u.Stripe().Advance(25 * time.Hour)
		u.drained()
	}
	var expired int
	require.NoError(u.t, u.DB.Owner.Get(&expired, `SELECT count(*) FROM donation d JOIN checkout c ON c.donation_id = d.id WHERE d.status = 'expired' AND c.form_id = $1`, form.Get("form")))
	require.Equal(u.t, 2, expired)
}

// afterwards refunds a part of one settled gift and all of another, and disputes a third, whose dispute is lost. A
// dispute of a fourth is won.
func (u *upgrade) afterwards(settledByOld bool) {
	u.t.Helper()
	stripe := u.Stripe()
	next := func(do func(intent string)) {
		list := u.intents[settledByOld]
		intent, ok := take(u.r, &list)
		if u.intents[settledByOld] = list; ok {
			do(intent)
		}
	}
	next(func(intent string) {
		_, err := stripe.Refund(intent, 300)
		require.NoError(u.t, err)
	})
	next(func(intent string) {
		refund, err := stripe.Refund(intent, 0)
		require.NoError(u.t, err)
		if u.r.IntN(2) == 0 {
			require.NoError(u.t, stripe.FailRefund(refund))
		}
	})
	for _, outcome := range []string{"lost", "won"} {
		next(func(intent string) {
			dispute, err := stripe.Dispute(intent, false)
			require.NoError(u.t, err)
			require.NoError(u.t, stripe.CloseDispute(dispute, outcome))
		})
	}
	_, err := stripe.AdjustBalance("tsne", "stripe_fee", "usd", -125)
	require.NoError(u.t, err)
}

// unexpected makes payments that belong to no gift, and one that differs from its gift: they go to suspense.
func (u *upgrade) unexpected(server *e2e.Server) {
	u.t.Helper()
	u.chargeDirectly("")
	session := u.begin(server, nil)
	var gift string
	require.NoError(u.t, u.DB.Owner.Get(&gift, `SELECT donation_id FROM checkout WHERE session_id = $1`, session))
	u.chargeDirectly(gift)
}

// chargeDirectly pays 7.77 to tsne without a form; gift may be empty.
func (u *upgrade) chargeDirectly(gift string) {
	u.t.Helper()
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://example.org/"}, "line_items[0][quantity]": {"1"}, "payment_method_types[0]": {"card"},
		"line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"777"},
		"line_items[0][price_data][product_data][name]": {"Something"},
	}
	if gift != "" {
		form.Set("payment_intent_data[metadata]["+giftOf+"]", gift)
		form.Set("metadata["+giftOf+"]", gift)
	}
	request, err := http.NewRequestWithContext(u.t.Context(), http.MethodPost, u.StripeURL()+"/v1/checkout/sessions", strings.NewReader(form.Encode()))
	require.NoError(u.t, err)
	request.SetBasicAuth("sk_test_tsne", "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := program.Client().Do(request)
	require.NoError(u.t, err)
	defer response.Body.Close()
	require.Equal(u.t, http.StatusOK, response.StatusCode)
	var made struct{ ID string }
	require.NoError(u.t, json.NewDecoder(response.Body).Decode(&made))
	require.NoError(u.t, u.Stripe().Pay(made.ID, stripefake.GoodCard))
}

// month lets a month pass: bank debits arrive, plans are charged.
func (u *upgrade) month() {
	u.t.Helper()
	u.plansRead()
	for range 2 { // twice, because an invoice is final an hour after the charge is due
		u.Stripe().Advance(15*24*time.Hour + 15*time.Hour)
		u.drained()
	}
}

// payout lets all payments become available and sends them to the bank. An open payment page expires.
func (u *upgrade) payout() {
	u.t.Helper()
	u.Stripe().Advance(49 * time.Hour)
	u.drained()
	u.sendPayout()
	u.drained()
}

// sendPayout sends what is available to the bank. The bank returns one payout in two.
func (u *upgrade) sendPayout() {
	u.t.Helper()
	ids, err := u.Stripe().Payout("tsne")
	require.NoError(u.t, err)
	if u.r.IntN(2) == 0 {
		require.NoError(u.t, u.Stripe().FailPayout(ids[0]))
	}
}
