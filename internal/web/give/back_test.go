package give_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// newest returns the gift that was begun last.
func newest(t *testing.T, h *program.Program) donation.Donation {
	t.Helper()
	d, err := donation.ByRef(t.Context(), h.DB.Server, h.Lines(`SELECT public_ref FROM donation ORDER BY created_at DESC, id DESC LIMIT 1`)[0])
	require.NoError(t, err)
	return d
}

// settle pays a gift's page and settles the gift.
func settle(h *program.Program, d donation.Donation) {
	h.Pay(d)
	h.DeliverNew()
	h.DrainAll()
}

// TestGoingBackWithoutPaying: the form says that its gift is not paid. Another browser sees an empty form.
func TestGoingBackWithoutPaying(t *testing.T) {
	h := program.New(t, program.Options{})
	ana := visitor.New(t, h)
	require.Equal(t, http.StatusSeeOther, ana.Ask("POST", "/give/csio", visitor.FilledForm()).StatusCode)
	back := "/give/csio?again=" + newest(t, h).PublicRef
	page := ana.Ask("GET", back, nil).Page
	require.Contains(t, page, `id="unpaid"`)
	require.Contains(t, page, "This gift is not paid yet")
	require.Contains(t, page, "For the garden")
	require.NotContains(t, visitor.New(t, h).Ask("GET", back, nil).Page, `id="unpaid"`)
	require.NotContains(t, ana.Ask("GET", "/give/csio", nil).Page, `id="unpaid"`)
}

// TestPaidThenChanged: a donor pays $20, goes back, writes $30 and presses again. They may want to change the gift, so
// the page asks before it takes more.
func TestPaidThenChanged(t *testing.T) {
	h := program.New(t, program.Options{})
	ana, form := visitor.New(t, h), visitor.FilledForm()
	require.Equal(t, http.StatusSeeOther, ana.Ask("POST", "/give/csio", form).StatusCode)
	paid := newest(t, h)
	settle(h, paid)
	got := ana.Ask("POST", "/give/csio", form)
	require.Equal(t, http.StatusSeeOther, got.StatusCode, "the same form is the same gift")
	require.Contains(t, got.Header.Get("Location"), paid.PublicRef)

	form.Set("amount", "30")
	got = ana.Ask("POST", "/give/csio", form)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "You have just given $20. Give $30 as well?")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation`))
	form.Set("as_well", asksAbout(t, got.Page, paid))
	got = ana.Ask("POST", "/give/csio", form)
	require.Equal(t, http.StatusSeeOther, got.StatusCode)
	require.True(t, strings.HasPrefix(got.Header.Get("Location"), h.FakeURL))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donation`))

	second := newest(t, h)
	settle(h, second)
	got = ana.Ask("POST", "/give/csio", form)
	require.Contains(t, got.Header.Get("Location"), second.PublicRef, "the same form is the same gift")
	form.Set("amount", "10")
	for _, answer := range []string{form.Get("as_well"), "", "yes"} {
		form.Set("as_well", answer)
		got = ana.Ask("POST", "/give/csio", form)
		require.Equal(t, http.StatusOK, got.StatusCode, "a third gift, with an answer about the first")
		require.Contains(t, got.Page, "You have just given $30. Give $10 as well?")
	}
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donation`))
	form.Set("as_well", asksAbout(t, got.Page, second))
	got = ana.Ask("POST", "/give/csio", form)
	require.True(t, strings.HasPrefix(got.Header.Get("Location"), h.FakeURL))
	require.Equal(t, 3, h.Count(`SELECT count(*) FROM donation`))

	other := visitor.FilledForm()
	other.Set("amount", "30")
	bea := visitor.New(t, h)
	require.Equal(t, http.StatusSeeOther, bea.Ask("POST", "/give/csio", other).StatusCode, "another form is another gift")
}

// asksAbout returns the answer that a page's question about a paid gift wants.
func asksAbout(t *testing.T, page string, paid donation.Donation) string {
	t.Helper()
	require.Contains(t, page, `name="as_well" value="`+paid.PublicRef+`"`)
	return paid.PublicRef
}

// TestFoundPaidTwice: the processor says of two gifts in a row that they are paid. In the test the first stays started, as if
// another submit had begun and paid a gift meanwhile. The donor sees the page of the paid gift, another donor does not.
func TestFoundPaidTwice(t *testing.T) {
	h := program.New(t, program.Options{})
	form := visitor.FilledForm()
	require.Equal(t, http.StatusSeeOther, visitor.New(t, h).Ask("POST", "/give/csio", form).StatusCode)
	paid := newest(t, h)
	h.Pay(paid)
	h.Exec(`CREATE FUNCTION unchanged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`)
	h.Exec(`CREATE TRIGGER unchanged BEFORE UPDATE ON donation FOR EACH ROW WHEN (new.status = 'processing') EXECUTE FUNCTION unchanged()`)
	form.Set("amount", "30")
	got := visitor.New(t, h).Ask("POST", "/give/csio", form)
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	require.Equal(t, "/give/csio/thanks?lang=en&gift="+paid.PublicRef, got.Header.Get("Location"))
	form.Set("email", "bea@example.org")
	require.Equal(t, http.StatusServiceUnavailable, visitor.New(t, h).Ask("POST", "/give/csio", form).StatusCode)
}

// TestPaidUnknownThenChanged is TestPaidThenChanged while the webhook is late: the processor knows that the page is paid.
func TestPaidUnknownThenChanged(t *testing.T) {
	h := program.New(t, program.Options{})
	ana, form := visitor.New(t, h), visitor.FilledForm()
	require.Equal(t, http.StatusSeeOther, ana.Ask("POST", "/give/csio", form).StatusCode)
	paid := newest(t, h)
	h.Pay(paid)
	thanks := "/give/csio/thanks?gift=" + paid.PublicRef
	require.Contains(t, ana.Ask("GET", thanks, nil).Page, "If you did not finish paying")
	require.Contains(t, ana.Ask("GET", "/give/csio?again="+paid.PublicRef, nil).Page, "If you have paid")

	form.Set("amount", "30")
	got := ana.Ask("POST", "/give/csio", form)
	require.Equal(t, http.StatusOK, got.StatusCode)
	require.Contains(t, got.Page, "You have just given $20. Give $30 as well?")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donation`))
	page := ana.Ask("GET", thanks, nil).Page
	require.Contains(t, page, "It usually takes a few seconds")
	require.NotContains(t, page, "five business days", "it was paid by card")
	require.NotContains(t, page, "did not finish paying")
	form.Set("as_well", asksAbout(t, got.Page, paid))
	got = ana.Ask("POST", "/give/csio", form)
	require.Equal(t, http.StatusSeeOther, got.StatusCode)
	require.True(t, strings.HasPrefix(got.Header.Get("Location"), h.FakeURL))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donation`))
	h.DeliverNew()
	h.DrainAll()
	require.Equal(t, donation.Settled, h.Gift(paid.ID).Status)
}

// TestDebitFoundPaid: a second submit of the form finds the page paid, before the event says that it was paid by bank
// debit. From then on the page says how long a bank takes.
func TestDebitFoundPaid(t *testing.T) {
	h := program.New(t, program.Options{})
	ana, form := visitor.New(t, h), visitor.FilledForm()
	require.Equal(t, http.StatusSeeOther, ana.Ask("POST", "/give/csio", form).StatusCode)
	paid := newest(t, h)
	require.NoError(t, h.Fake.Debit(*h.Checkout(paid).SessionID, false))
	form.Set("amount", "30")
	require.Contains(t, ana.Ask("POST", "/give/csio", form).Page, "You have just given $20. Give $30 as well?")
	thanks := "/give/csio/thanks?gift=" + paid.PublicRef
	require.NotContains(t, ana.Ask("GET", thanks, nil).Page, "five business days", "it is not known yet")

	completed := h.EventOf(paid, "checkout.session.completed")
	for range 2 {
		h.Deliver(completed, h.AlterEvent(completed, func(_, _ map[string]any) {}))
		h.DrainAll()
	}
	require.Equal(t, donation.Processing, h.Gift(paid.ID).Status)
	require.Contains(t, ana.Ask("GET", thanks, nil).Page, "five business days")
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM donation_step WHERE donation_id = $1 AND status = 'processing'`, paid.ID))
	h.Fake.Advance(10 * 24 * time.Hour)
	h.DeliverNew()
	h.DrainAll()
	require.Equal(t, donation.Settled, h.Gift(paid.ID).Status)
}

// TestThanksOfARecurringGift: the page says that the gift goes on, and until when.
func TestThanksOfARecurringGift(t *testing.T) {
	h := program.New(t, program.Options{})
	for _, c := range []struct {
		occurrences string
		says        []string
	}{
		{"", []string{"Your gift of $20 every month", "until you stop it"}},
		{"12", []string{"Your gift of $20 every month", "first of 12 gifts"}},
	} {
		t.Run(c.occurrences, func(t *testing.T) {
			form := program.ValidForm()
			form.Frequency, form.Occurrences = "monthly", c.occurrences
			d := h.StartedGift(form)
			settle(h, d)
			page := visitor.New(t, h).Ask("GET", "/give/csio/thanks?gift="+d.PublicRef, nil).Page
			for _, says := range c.says {
				require.Contains(t, page, says)
			}
		})
	}
	once := h.SettledGift(program.ValidForm())
	require.NotContains(t, visitor.New(t, h).Ask("GET", "/give/csio/thanks?gift="+once.PublicRef, nil).Page, "every month")
}

// TestPartsAreShownAsWritten: the parts of a gift and the fee that its donor covers stand beside each other.
func TestPartsAreShownAsWritten(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Fund, form.CoverFees = "", true
	form.Split = map[string]string{"general": "50", "network": "25"}
	form.Amount, form.AmountOther = "other", "75"
	d := h.SettledGift(form)
	page := visitor.New(t, h).Ask("GET", "/give/csio/thanks?gift="+d.PublicRef, nil).Page
	var parts []string
	for _, found := range regexp.MustCompile(`<dd class="amount">([^<]+)</dd>`).FindAllStringSubmatch(page, -1) {
		parts = append(parts, found[1])
	}
	require.Equal(t, []string{"$50", "$25", d.Covered().Format("en")}, parts)
}

// TestEachLineOfTheErrorsNamesItsField: "Please fill this in" may be about any field.
func TestEachLineOfTheErrorsNamesItsField(t *testing.T) {
	h := program.New(t, program.Options{})
	for lang, labels := range map[string][]string{"en": {"First name: ", "E-mail"}, "es": {"Nombre: "}} {
		page := visitor.New(t, h).Ask("POST", "/give/csio?lang="+lang, url.Values{"form": {visitor.FilledForm().Get("form")}, "amount": {"20"}, "fund": {"general"}, "frequency": {"once"}}).Page
		_, summary, _ := strings.Cut(page, `id="errors"`)
		summary, _, _ = strings.Cut(summary, "</div>")
		lines := regexp.MustCompile(`<li><a href="#[^"]+">([^<]+)</a></li>`).FindAllStringSubmatch(summary, -1)
		require.GreaterOrEqual(t, len(lines), 2)
		for _, line := range lines {
			require.Contains(t, line[1], ": ", "the field's label")
		}
		for _, label := range labels {
			require.Contains(t, summary, label)
		}
	}
}
