package portal_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestRenewalIsConfirmedWithTheBank: the bank of the test card 4000 0027 6000 3184 asks at every payment. The email leads
// to the page of the card; in a session, that page leads to Stripe's page of the invoice.
func TestRenewalIsConfirmedWithTheBank(t *testing.T) {
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.StartWorkers()
	f := program.ValidForm()
	f.Frequency = "monthly"
	d := h.StartedGift(f)
	card := stripefake.GoodCard
	card.Number = "4000002760003184"
	require.NoError(t, h.Fake.Pay(*h.Checkout(d).SessionID, card))
	h.DeliverNew()
	waitForEmail(t, h, "receipt")
	synced := func() (p plan.Plan) {
		testkit.Eventually(t, 20*time.Second, func() (err error) {
			if p, err = recurring.ByID(t.Context(), h.DB.Server, d.ID); err == nil && p.SyncDue != nil {
				err = errors.New("the plan is not read yet")
			}
			return err
		})
		return p
	}
	p := synced()
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
	h.DeliverNew()
	email := waitForEmail(t, h, "could not be charged")
	require.Contains(t, strings.Join(strings.Fields(email), " "), "Your bank wants you to confirm the payment yourself. Please press the link below")
	require.Contains(t, email, "Confirm the payment:")
	_, token, _ := strings.Cut(cardLink.FindString(email), "#")
	v := visitor.New(t, h)
	got := v.Ask("POST", "/plans/open?lang=en&to=card", url.Values{"link": {token}})
	require.Equal(t, "/plans/"+p.PublicRef+"/card?lang=en", got.Header.Get("Location"))
	require.Contains(t, v.Ask("GET", got.Header.Get("Location"), nil).Page, "E-mail me a code", "Stripe's page names the donor")

	v.SignIn("ana@example.org")
	path := "/portal/plans/" + p.PublicRef + "/card?lang=en"
	page := v.Ask("GET", path, nil).Page
	require.Contains(t, page, "Confirm the payment with your bank")
	require.Contains(t, page, "What could not be charged is charged to the new card at once")
	got = v.Post(path, url.Values{"do": {"confirm"}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	p = synced()
	require.Contains(t, got.Header.Get("Location"), "/c/invoice/"+*p.FailingInvoice)
	require.NoError(t, h.Fake.ConfirmInvoice(*p.FailingInvoice))
	h.DeliverNew()
	testkit.Eventually(t, 20*time.Second, func() error {
		if p := synced(); p.FailingSince != nil || p.Paid != 2 {
			return errors.New("the payment is not counted yet")
		}
		return nil
	})
	page = v.Ask("GET", path, nil).Page
	require.NotContains(t, page, "Confirm the payment with your bank")
	require.Contains(t, page, "The new card is charged from the next date on.")
	require.NotContains(t, v.Ask("GET", path+"&done=1", nil).Page, "The new card is charged", "it may be given")
	require.Equal(t, http.StatusConflict, v.Post(path, url.Values{"do": {"confirm"}}).StatusCode)
}
