package portal_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// text returns a page without markup.
func text(page string) string {
	page = regexp.MustCompile(`(?s)<head>.*?</head>|<select.*?</select>`).ReplaceAllString(page, "")
	return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")), " ")
}

func TestPortalShowsWhatWasGiven(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	split := visitor.FormOf("ana@example.org", "Ana")
	split.Fund, split.Split = "", map[string]string{"general": "15", "network": "5"}
	d := h.SettledGift(split)
	old := h.StartedGift(visitor.FormOf("ana@example.org", "Ana"))
	_, err := h.Settle(program.ChargeOf(old, old.CreatedAt.AddDate(-1, 0, 0)))
	require.NoError(t, err)
	h.StartedGift(visitor.FormOf("ana@example.org", "Ana")) // never paid
	visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	aina := visitor.FormOf("ana@example.org", "Ana")
	aina.Fund = "land"
	other, err := h.SubmitFor("aina", aina)
	require.NoError(t, err)
	_, err = h.Settle(program.ChargeOf(other.Donation, other.CreatedAt))
	require.NoError(t, err)
	ana := visitor.New(t, h).SignIn("ana@example.org")

	home := text(ana.Ask("GET", "/portal", nil).Page)
	assert.Contains(t, home, "$60 in "+d.CreatedAt.Format("2006")+" $80 in all, with 4 gifts")
	assert.Contains(t, home, "Where it is needed most Center to Support Immigrant Organizing $55")
	assert.Contains(t, home, "Leadership Network Center to Support Immigrant Organizing $5")
	assert.Contains(t, home, "Land Aina Foundation $20")
	assert.Contains(t, home, "$20 every month to Center to Support Immigrant Organizing The next charge is on")
	assert.Contains(t, home, "11 payments to come")

	all := ana.Ask("GET", "/portal/gifts", nil).Page
	assert.Equal(t, 4, strings.Count(all, `<li class="gift">`))
	assert.Equal(t, 1, strings.Count(ana.Ask("GET", "/portal/gifts?org=aina", nil).Page, `<li class="gift">`))
	last := old.CreatedAt.AddDate(-1, 0, 0).Format("2006")
	assert.Equal(t, 1, strings.Count(ana.Ask("GET", "/portal/gifts?org=csio&year="+last, nil).Page, `<li class="gift">`))
	assert.Contains(t, text(ana.Ask("GET", "/portal/gifts?year=1999&org=<b>", nil).Page), "There is no gift of that kind.")

	path := "/portal/gifts/" + d.PublicRef + "/receipt"
	assert.Contains(t, all, path)
	page := ana.Ask("GET", path, nil)
	for _, want := range []string{"TSNE-20", "Ana Pérez", "$20.00", "12-3456789", "No goods or services", "the work of the Center", "$15.00"} {
		assert.Contains(t, page.Page, want)
	}
	pdf := ana.Ask("GET", path+".pdf", nil)
	assert.Equal(t, "application/pdf", pdf.Header.Get("Content-Type"))
	assert.Equal(t, "no-store", pdf.Header.Get("Cache-Control"))
	assert.True(t, strings.HasPrefix(pdf.Page, "%PDF-"))
	assert.Regexp(t, `^attachment; filename="TSNE-\d{4}-\d{6}\.pdf"$`, pdf.Header.Get("Content-Disposition"))
	assert.Equal(t, "no-store", page.Header.Get("Cache-Control"))
	assert.Equal(t, "same-origin", page.Header.Get("Referrer-Policy"))
	assert.NotContains(t, h.Log.String(), d.PublicRef, "T5: the log contains routes and no references")

	plans := text(ana.Ask("GET", "/portal/plans", nil).Page)
	assert.Contains(t, plans, "$20 every month to Center")
}

func TestPortalSubtractsReturns(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	part, whole := h.SettledGift(visitor.FormOf("ana@example.org", "Ana")), h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	issuer := receipt.Issuer{Queue: h.Queue, NewID: program.NewID}
	latest, err := receipt.Latest(t.Context(), h.DB.Server, []uuid.UUID{part.ID, whole.ID})
	require.NoError(t, err)
	change := receipt.Change{Reason: receipt.Refund, On: "2026-12-02", By: "re_1"}
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		facts := latest[part.ID].Facts
		facts.Amount = money.New(1500, "USD")
		facts.Returned = &receipt.Returned{Charged: money.New(2000, "USD"), Amount: money.New(500, "USD"), On: "2026-12-02"}
		facts.Lines[0].Amount = facts.Amount
		_, err := issuer.ReplaceTx(t.Context(), tx, []receipt.Replacement{{Of: latest[part.ID].ID, Change: change, Facts: facts}}, h.Fake.Now())
		if err != nil {
			return err
		}
		return issuer.VoidTx(t.Context(), tx, []receipt.Void{{Of: latest[whole.ID].ID, Change: change}}, h.Fake.Now())
	}))
	ana := visitor.New(t, h).SignIn("ana@example.org")
	home := text(ana.Ask("GET", "/portal", nil).Page)
	assert.Contains(t, home, "$15 in all, with 1 gift")
	assert.Contains(t, home, "A part went back to you. $15 stays given.")
	assert.Contains(t, home, "It went back to you.")
	assert.Contains(t, ana.Ask("GET", "/portal/gifts/"+part.PublicRef+"/receipt", nil).Page, "$5.00")
	assert.Contains(t, ana.Ask("GET", "/portal/records", nil).Page, "/portal/statements/")
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		latest, err := receipt.Latest(t.Context(), tx, []uuid.UUID{part.ID})
		if err != nil {
			return err
		}
		return issuer.VoidTx(t.Context(), tx, []receipt.Void{{Of: latest[part.ID].ID, Change: change}}, h.Fake.Now())
	}))
	assert.NotContains(t, text(ana.Ask("GET", "/portal?lang=en", nil).Page), "No gift with your address", "gifts arrived and went back")
	assert.NotContains(t, ana.Ask("GET", "/portal/records", nil).Page, "/portal/statements/", "nothing remains, and none was issued")
	void := "/portal/gifts/" + whole.PublicRef + "/receipt"
	assert.Contains(t, ana.Ask("GET", void, nil).Page, "therefore no longer valid")
	assert.Equal(t, 404, ana.Ask("GET", void+".pdf", nil).StatusCode, "a void receipt has no document")
}

// TestGiftsFollowTheMailbox: a gift belongs to the person who can read the mailbox it was given with; a name in a form
// gives no access.
func TestGiftsFollowTheMailbox(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ana := visitor.New(t, h).SignIn("ana@example.org")
	h.SettledGift(visitor.FormOf("ana@work.example", "Ana"))
	assert.Contains(t, text(ana.Ask("GET", "/portal", nil).Page), "$20 in all, with 1 gift")

	assert.Equal(t, 422, ana.Post("/portal/addresses", url.Values{"email": {"nothing"}}).StatusCode)
	got := ana.Post("/portal/addresses", url.Values{"email": {"Ana@Work.example"}})
	require.Equal(t, 200, got.StatusCode)
	assert.Contains(t, got.Page, `value="ana@work.example"`)
	link, code, letter := ana.SignInEmail()
	assert.Empty(t, link, "an email that links an address has no link")
	assert.NotContains(t, letter, "sign-in page")
	assert.Contains(t, letter, "somebody who signed in asked to add")
	assert.Equal(t, 422, ana.Post("/portal/addresses/prove", url.Values{"email": {"ana@work.example"}, "code": {"1"}}).StatusCode)
	assert.Equal(t, 422, visitor.New(t, h).Ask("POST", "/sign-in/code", url.Values{"email": {"ana@work.example"}, "code": {code}}).StatusCode)
	got = ana.Post("/portal/addresses/prove", url.Values{"email": {"ana@work.example"}, "code": {code}})
	require.Equal(t, 303, got.StatusCode)
	assert.Contains(t, text(ana.Ask("GET", "/portal", nil).Page), "$40 in all, with 2 gifts")
	assert.Contains(t, text(ana.Ask("GET", "/portal/details?said=joined", nil).Page), "ana@work.example")

	assert.Equal(t, 409, ana.Post("/portal/addresses/part", url.Values{"email": {"ana@example.org"}}).StatusCode)
	assert.Equal(t, 404, ana.Post("/portal/addresses/part", url.Values{"email": {"bea@example.net"}}).StatusCode)
	require.Equal(t, 303, ana.Post("/portal/addresses/part", url.Values{"email": {"ana@work.example"}}).StatusCode)
	assert.Contains(t, text(ana.Ask("GET", "/portal", nil).Page), "$20 in all, with 1 gift")
	assert.Contains(t, text(visitor.New(t, h).SignIn("ana@work.example").Ask("GET", "/portal", nil).Page), "$20 in all, with 1 gift")

	// A gift with another person's address belongs to that person's history; the one who typed it does not see it.
	h.SettledGift(visitor.FormOf("ana@example.org", "Eve"))
	assert.Contains(t, text(ana.Ask("GET", "/portal", nil).Page), "$40 in all, with 2 gifts")
}

func TestDonorsChangeTheirDetails(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	f := visitor.FormOf("ana@example.org", "Ana")
	f.News = true
	h.SettledGift(f)
	ana := visitor.New(t, h).SignIn("ana@example.org")
	page := ana.Ask("GET", "/portal/details", nil).Page
	assert.Contains(t, page, `name="news_tsne" value="yes" checked`)
	form := url.Values{
		"first_name": {"Anahí"}, "last_name": {"Pérez"}, "phone": {"+1 617 555 0100"}, "city": {"Boston"}, "country": {"US"}, "language": {"es"},
		"reminders_tsne": {"yes"}, "statements_tsne": {"yes"}, "role": {"admin"}, "email": {"eve@example.net"}, "first_gift_at": {"1999-01-01"},
	}
	got := ana.Post("/portal/details", form)
	require.Equal(t, 303, got.StatusCode, got.Page)
	assert.Equal(t, []string{"Anahí|Pérez|+1 617 555 0100|Boston|US|es|ana@example.org|f"}, h.Lines(
		`SELECT concat_ws('|', first_name, last_name, phone, city, country, language, email, news_consented_at IS NOT NULL) FROM donor`))
	assert.Equal(t, []string{"news|f|portal"}, h.Lines(`SELECT concat_ws('|', kind, given, by) FROM donor_consent`))
	assert.Contains(t, ana.Ask("GET", "/portal", nil).Page, "Hola, Anahí")
	h.SettledGift(visitor.FormOf("ana@example.org", "Eve"))
	assert.Contains(t, ana.Ask("GET", "/portal", nil).Page, "Hola, Anahí", "no form renames a donor with a profile")

	form.Set("first_name", "")
	form.Set("country", "QQ")
	form.Set("phone", "call me")
	form.Set("city", `A "garden"`)
	bad := ana.Post("/portal/details", form)
	assert.Equal(t, 422, bad.StatusCode)
	for _, shown := range []string{`id="first_name-error"`, `id="country-error"`, `id="phone-error"`, `value="call me"`, "A &#34;garden&#34;"} {
		assert.Contains(t, bad.Page, shown)
	}
}

// TestMistypedAddressIsAskedAboutOnce: adding an address asks about gmial.com, and takes it when it is submitted again.
func TestMistypedAddressIsAskedAboutOnce(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ana := visitor.New(t, h).SignIn("ana@example.org")
	asked := ana.Post("/portal/addresses", url.Values{"email": {"ana2@gmial.com"}})
	require.Equal(t, 422, asked.StatusCode)
	require.Contains(t, asked.Page, "Do you mean ana2@gmail.com?")
	require.Contains(t, asked.Page, `name="emails_asked" value="ana2@gmial.com"`)
	require.Equal(t, 422, ana.Post("/portal/addresses", url.Values{"email": {"ana2@gmial.com"}, "emails_asked": {"nothing"}}).StatusCode)
	again := ana.Post("/portal/addresses", url.Values{"email": {"Ana2@gmial.com"}, "emails_asked": {"ana2@gmial.com"}})
	require.Equal(t, 200, again.StatusCode)
	require.Contains(t, again.Page, `value="ana2@gmial.com"`)
}

// TestPlanErrorsNameTheirFields: the summary of errors names each field as the page does.
func TestPlanErrorsNameTheirFields(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	ana := visitor.New(t, h).SignIn("ana@example.org")
	change := "/portal/plans/" + p.PublicRef + "?lang=en&do=change&frequency=monthly&fund=general&amount="
	assert.Contains(t, text(ana.Ask("GET", change+"x", nil).Page), "Amount each time: Write the amount")
	assert.Contains(t, text(ana.Ask("GET", change+"20&date=1999-01-01", nil).Page), "Date of the next charge: Choose a day")
}
