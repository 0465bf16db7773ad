package portal_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// Symptoms that users of other donation systems reported. The address of a report stands with its test.

// startOldPlan starts a monthly gift of $20 to a fund, and leaves the organisation with what it offers today: weekly gifts
// from $50 to two other funds.
func startOldPlan(t *testing.T, h *program.Program) {
	t.Helper()
	h.Exec(`UPDATE organisation SET frequencies = '{once,weekly}', minimum = 5000, presets = '{5000}' WHERE slug = 'csio'`)
	h.Exec(`UPDATE fund SET closed_at = created_at WHERE slug = 'general'`)
	offer := h.Offer("csio")
	require.Len(t, offer.Funds, 2)
	then := offer
	then.Organisation.Frequencies, then.Organisation.Minimum = org.Frequencies(), 500
	for _, id := range h.Lines(`SELECT id::text FROM fund WHERE slug = 'general'`) {
		general, err := h.CurrentCatalog().Fund(uuid.MustParse(id))
		require.NoError(t, err)
		then.Funds = append(then.Funds, general)
	}
	f := visitor.FormOf("ana@example.org", "Ana")
	f.Frequency, f.Amount, f.AmountOther = "monthly", "other", "20"
	r, err := f.Check(then)
	require.NoError(t, err)
	started, err := h.Starter.Start(t.Context(), then, r)
	require.NoError(t, err)
	h.Pay(started.Donation)
	h.DeliverNew()
	h.DrainAll()

}

// TestChangingTheAmountMovesTheGiftElsewhere: the organisation closed the fund of a monthly gift, offers weekly gifts only,
// and raised its minimum. Neither list on the page had the gift's own choice, so browsers posted the first of each: a
// donor who changed the amount moved the gift to another fund, every week. And no change was accepted that kept the
// amount (https://github.com/opencollective/opencollective/issues/6568,
// https://github.com/SalesforceFoundation/NPSP/issues/5755).
func TestChangingTheAmountMovesTheGiftElsewhere(t *testing.T) {
	h := program.New(t, program.Options{})
	startOldPlan(t, h)
	ref := h.Lines(`SELECT public_ref FROM plan`)[0]
	ana, path := visitor.New(t, h).SignIn("ana@example.org"), "/portal/plans/"+ref+"?lang=en"
	page := ana.Ask("GET", path, nil).Page
	require.Contains(t, page, `<option value="monthly" selected>`)
	require.Contains(t, page, `<option value="general" selected>`)
	for _, amount := range []string{"20", "25", "60"} {
		asked := url.Values{"do": {"change"}, "amount": {amount}, "frequency": {"monthly"}, "fund": {"general"},
			"date": {h.Fake.Now().AddDate(0, 0, 5).Format(time.DateOnly)}}
		got := ana.Ask("GET", path+"&"+asked.Encode(), nil)
		require.Equal(t, http.StatusOK, got.StatusCode, "%s: %s", amount, got.Page)
		require.Contains(t, text(got.Page), "you give $"+amount+" every month, for Where it is needed most")
	}
	less := url.Values{"do": {"change"}, "amount": {"10"}, "frequency": {"monthly"}, "fund": {"general"}}
	require.Equal(t, http.StatusUnprocessableEntity, ana.Ask("GET", path+"&"+less.Encode(), nil).StatusCode, "less than both the gift and the minimum")
	other := url.Values{"do": {"change"}, "amount": {"60"}, "frequency": {"quarterly"}, "fund": {"general"}}
	require.Equal(t, http.StatusUnprocessableEntity, ana.Ask("GET", path+"&"+other.Encode(), nil).StatusCode)
	_, err := h.Submit(visitor.FormOf("eve@example.net", "Eve"))
	require.Error(t, err, "a new gift has today's terms")
}

// TestReceiptOfARenewalHasTheOldNameAndAddress: a donor marries and moves, and says so on their page. Each renewal copied
// what was typed with the first gift, so that every receipt, and the letter to the donor, went on with the old name
// and address (https://github.com/Automattic/woocommerce-subscriptions-core/pull/184,
// https://github.com/subscribepro/subscribepro-magento2-ext/issues/297).
func TestReceiptOfARenewalHasTheOldNameAndAddress(t *testing.T) {
	for name, c := range map[string]struct {
		other string // who gave by the same address too
		want  string
	}{
		"one person":              {"", "Ana Moreno|9 New Street|Lynn|US|+1 617 555 0100"},
		"two people of one inbox": {"Luis", "Ana Pérez|9 New Street|Lynn|US|+1 617 555 0100"},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			f := visitor.FormOf("ana@example.org", "Ana")
			f.Contact.Phone, f.Contact.AddressLine1, f.Contact.City, f.Contact.Country = "+1 617 555 0100", "1 Old Street", "Boston", "US"
			d := visitor.StartPlan(t, h, f)
			if c.other != "" {
				h.SettledGift(visitor.FormOf("ana@example.org", c.other))
			}
			h.Fake.Advance(time.Hour)
			got := visitor.New(t, h).SignIn("ana@example.org").Post("/portal/details", url.Values{"first_name": {"Ana"}, "last_name": {"Moreno"},
				"address_line1": {"9 New Street"}, "city": {"Lynn"}, "country": {"US"}, "language": {"en"}})
			require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
			h.Fake.Advance(32 * 24 * time.Hour)
			h.DeliverNew()
			h.DrainAll()
			h.RetryParked()
			require.Equal(t, []string{c.want}, h.Lines(`SELECT concat_ws('|', c.first_name || ' ' || c.last_name, address_line1, city, country, phone)
				FROM instalment i JOIN donation_contact c USING (donation_id) WHERE i.plan_id = $1 AND i.n = 2`, d.ID))
			require.Equal(t, []string{"1 Old Street"}, h.Lines(`SELECT address_line1 FROM donation_contact WHERE donation_id = $1`, d.ID), "what was typed stays")
		})
	}
}
