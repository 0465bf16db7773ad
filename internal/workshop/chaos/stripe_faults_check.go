package chaos

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/stretchr/testify/require"
)

// tsne is the account of the sponsor of csio at the stand-in.
const tsne = "tsne"

// page is a payment page as the stand-in stores it.
type page struct {
	ID, Status    string
	PaymentIntent string `json:"payment_intent"`
	Gift          string `json:"client_reference_id"`
}

// intentOf returns the payment intent of a paid page.
func (b *stripeFaultsRun) intentOf(id string) string {
	var p page
	if err := json.Unmarshal(b.s.Stripe().Object(tsne, "checkout.session", id), &p); err != nil {
		b.t.Errorf("page %s: %v", id, err)
	}
	return p.PaymentIntent
}

// check checks the state after everything has drained.
func (b *stripeFaultsRun) check() {
	t, db := b.t, b.s.DB.Owner
	count := func(query string) (n int64) {
		require.NoError(t, db.Get(&n, query))
		return n
	}
	b.checkPages()
	b.checkIdempotencyKeys()
	paid, refunded := b.paid.Load(), b.refunded.Load()
	for what, query := range map[string]string{
		"settled gifts":        `donation WHERE status = 'settled'`,
		"forms with a gift":    `(SELECT DISTINCT c.form_id FROM checkout c JOIN donation d ON d.id = c.donation_id WHERE d.status = 'settled') f`,
		"payments booked":      `journal_entry WHERE kind = 'payment'`,
		"gifts with a receipt": `(SELECT DISTINCT donation_id FROM receipt) r`,
	} {
		require.Equal(t, paid, count(`SELECT count(*) FROM `+query), what)
	}
	require.EqualValues(t, refunded, len(b.s.Stripe().State().Refunds), "refunds made")
	require.Equal(t, refunded, count(`SELECT count(*) FROM payment_change WHERE kind = 'refund'`), "refunds booked")
	checkClearing(t, b.s)
	b.s.Konbit("ledger", "verify")

	calls, failed := b.s.Stripe().Calls(), 0
	for _, c := range calls {
		if c.Status == 0 || c.Status >= 429 {
			failed++
		}
	}
	b.run.Record("slowest answer", b.slowest.Round(time.Millisecond).String())
	b.run.Record("calls failed", fmt.Sprintf("%d of %d", failed, len(calls)))
	b.run.Record("asked to try again", fmt.Sprint(b.deferred.Load()))
	b.run.Record("gifts", fmt.Sprint(paid))
	b.run.Record("refunds", fmt.Sprint(refunded))
	limit := maxAnswerTimeBusy
	if b.run.Count >= 1000 {
		limit = maxAnswerTime
	}
	require.LessOrEqual(t, b.slowest, limit, "the slowest answer")
}

// checkPages checks that no gift and no form has two pages that can be paid or were paid. Its gifts may have any
// status.
func (b *stripeFaultsRun) checkPages() {
	t := b.t
	var gifts []struct{ ID, Form string }
	require.NoError(t, b.s.DB.Owner.Select(&gifts, `SELECT donation_id AS id, form_id AS form FROM checkout`))
	forms := map[string]string{}
	for _, g := range gifts {
		forms[g.ID] = g.Form
	}
	live := map[string]string{}
	for _, raw := range b.s.Stripe().Objects(tsne, "checkout.session", 0) {
		var p page
		require.NoError(t, json.Unmarshal(raw, &p))
		if p.Status == "expired" {
			continue
		}
		form := forms[p.Gift]
		require.NotEmpty(t, form, "page %s is of no gift", p.ID)
		if other := live[form]; other != "" {
			t.Errorf("form %s has two live pages: %s and %s", form, other, p.ID)
		}
		live[form] = p.ID
	}
}

// checkIdempotencyKeys checks that each idempotency key was only used with the same parameters.
func (b *stripeFaultsRun) checkIdempotencyKeys() {
	used := map[string]string{}
	for _, c := range b.s.Stripe().Calls() {
		if c.Key == "" {
			continue
		}
		as := c.Method + " " + c.Path + " " + url.Values(c.Params).Encode()
		if before := used[c.Account+c.Key]; before != "" && before != as {
			b.t.Errorf("key %s was used for\n%s\nand for\n%s", c.Key, before, as)
		}
		used[c.Account+c.Key] = as
	}
	require.NotEmpty(b.t, used)
}
