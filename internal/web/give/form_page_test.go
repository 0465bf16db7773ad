package give_test

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web/give"
)

func formOf(t testing.TB, v *view.View, p give.FormPage) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, p.Write(&b, v))
	return b.String()
}

func TestGiveSaysWhoWhatAndHowMuch(t *testing.T) {
	page := formOf(t, newView(t), givePage("en"))
	for _, want := range []string{
		"Your gift is made to TSNE MissionWorks, the fiscal sponsor of Center to Support Immigrant Organizing.",
		"From $5 to $25,000.",
		"To support our grants to peasant movements in Haiti.",
		"EIN 12-3456789",
		`<input type="hidden" name="form" value="0193-form">`,
		`<input type="hidden" name="frequency" value="once">`,
		`<form method="post" action="/give/csio?lang=en" novalidate`,
		`id="fund-0" name="fund" value="general" checked`,
		`>Continue to payment</button>`,
		"You will be charged the amount you choose, with the fee if you cover it, once, today, by TSNE MissionWorks.",
		`data-button="Give {amount}"`,
	} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, page, `type="checkbox" id="news" name="news" value="yes" checked`)
	assert.NotRegexp(t, `name="amount"[^>]* checked`, page)
	assert.NotContains(t, page, `name="occurrences"`)
}

func TestGiveOffersFrequencies(t *testing.T) {
	p := givePage("es")
	p.Frequencies = []string{"once", "monthly"}
	page := formOf(t, newView(t), p)
	assert.Contains(t, page, `name="frequency" value="once" checked`)
	assert.Contains(t, page, `name="frequency" value="monthly">`)
	assert.Contains(t, page, `name="occurrences"`)
	assert.Contains(t, page, `data-frequency="monthly"`)
	assert.NotContains(t, page, `type="hidden" name="frequency"`)
	p.Entry.Frequency = "monthly"
	assert.Contains(t, formOf(t, newView(t), p), `name="frequency" value="monthly" checked`)
}

// TestGiveKeepsWhatWasTyped: the page of a bad form contains every value that was typed.
func TestGiveKeepsWhatWasTyped(t *testing.T) {
	p := badPage("en")
	page := formOf(t, newView(t), p)
	e := p.Entry
	for name, value := range map[string]string{
		"amount_other": e.AmountOther, "first_name": e.FirstName, "last_name": "", "email": e.Email, "phone": e.Phone,
		"address_line1": e.AddressLine1, "address_line2": "", "city": e.City, "region": e.Region, "postal_code": e.PostalCode,
	} {
		assert.Regexp(t, fmt.Sprintf(`name="%s" [^>]*value="%s"`, name, regexp.QuoteMeta(value)), page)
	}
	for _, want := range []string{
		`name="amount" value="other" checked`, `value="gln" checked`, `<option value="US" selected>United States</option>`,
		">\n" + e.Note + "</textarea>", `name="anonymous" value="yes" checked`,
	} {
		assert.Contains(t, page, want)
	}
	p.Entry.Country = "Ayiti"
	assert.Contains(t, formOf(t, newView(t), p), `<option value="Ayiti" selected>Ayiti</option>`)
}

// TestGiveOpensSectionsInUse: an optional section is open if it has a value or an error, and no check box is checked
// beforehand.
func TestGiveOpensSectionsInUse(t *testing.T) {
	v := newView(t)
	open := regexp.MustCompile(`<details class="fold[^"]*" id="(\w+)"[^>]* open>`)
	opened := func(change func(p *give.FormPage)) (ids []string) {
		p := givePage("en")
		change(&p)
		page := formOf(t, v, p)
		assert.NotContains(t, page, `id="cover_fees" name="cover_fees" value="yes" checked`)
		for _, fold := range open.FindAllStringSubmatch(page, -1) {
			ids = append(ids, fold[1])
		}
		return ids
	}
	bad := func(names ...string) func(p *give.FormPage) {
		return func(p *give.FormPage) {
			for _, name := range names {
				p.Problems = append(p.Problems, fault.Field{Name: name, Phrase: "give.error.check"})
			}
		}
	}
	assert.Empty(t, opened(func(*give.FormPage) {}))
	assert.Empty(t, opened(func(p *give.FormPage) { p.Entry.Split, p.Entry.Dedication = map[string]string{"gln": ""}, "none" }))
	assert.Equal(t, []string{"split"}, opened(func(p *give.FormPage) { p.Entry.Split = map[string]string{"gln": "5"} }))
	assert.Equal(t, []string{"address"}, opened(func(p *give.FormPage) { p.Entry.City = "Boston" }))
	assert.Equal(t, []string{"dedicate"}, opened(func(p *give.FormPage) { p.Entry.Dedication = "honour" }))
	assert.Equal(t, []string{"dedicate"}, opened(func(p *give.FormPage) { p.Entry.CardMessage = "Hi" }))
	assert.Equal(t, []string{"split", "address", "dedicate"}, opened(bad("split[haiti]", "region", "card_email")))
	assert.Equal(t, []string{"split", "address", "dedicate"}, opened(bad("split", "country", "dedication")))
}

func TestGiveSaysWhatToDo(t *testing.T) {
	page := formOf(t, newView(t), badPage("en"))
	for _, want := range []string{
		`<div class="notice notice-error" id="errors" role="alert" tabindex="-1" autofocus>`,
		"<title>3 things need another look – ",
		`<a href="#amount_other">Another amount: The smallest gift we can take here is $5. Please choose that or more</a>`,
		`<a href="#last_name">`, `<a href="#email">`,
		`<p class="error" id="email-error">Check your e-mail address. It should look like name@example.com</p>`,
		`aria-describedby="email-hint email-error" aria-invalid="true"`,
	} {
		assert.Contains(t, page, want)
	}
	assert.Equal(t, 3, strings.Count(page, `class="error"`))
	assert.NotContains(t, formOf(t, newView(t), givePage("en")), "aria-invalid")
}

// TestGiveIsHardToBreak puts markup and template text into every field: the page shows it as text.
func TestGiveIsHardToBreak(t *testing.T) {
	v := newView(t)
	for _, hostile := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' autofocus onfocus='alert(1)`,
		`</textarea><script>`, `{{.FormID}}`, `${alert(1)}`, `javascript:alert(1)`, `one-time-id-belongs-here`, "\x00\u202e&lt;",
	} {
		p := givePage("en")
		p.Organisation.Name, p.Organisation.Donee.Name, p.Organisation.Donee.EIN = hostile, hostile, hostile
		p.Funds[0].Name, p.Funds[0].Purpose, p.Accent = hostile, hostile, hostile
		p.Entry = give.Entry{
			Amount: "other", AmountOther: hostile, Fund: hostile, Note: hostile, Contact: contact.FromForm(func(string) string { return hostile }),
			Split: map[string]string{"general": hostile, hostile: hostile}, Dedication: hostile, DedicationName: hostile,
			CardName: hostile, CardEmail: hostile, CardMessage: hostile,
		}
		page := formOf(t, v, p)
		bare := formOf(t, v, givePage("en"))
		for _, tag := range []string{"<script", "<img", "<input", "<textarea", "</textarea", "onerror=alert(1)>", "onfocus='"} {
			assert.Equal(t, strings.Count(bare, tag), strings.Count(page, tag), "%q in %s", hostile, tag)
		}
		if !strings.Contains(hostile, "\x00") {
			assert.Contains(t, html.UnescapeString(page), ">\n"+hostile+"</textarea>")
		}
	}
}

func TestPreparedGiveIsTheSamePage(t *testing.T) {
	v := newView(t)
	for _, id := range []string{"0193-form", `"><script>alert('x')</script>&`, ""} {
		p := givePage("es")
		p.FormID = id
		prepared, err := give.PrepareForm(v, p)
		require.NoError(t, err)
		var b strings.Builder
		require.NoError(t, prepared.Write(&b, id))
		assert.Equal(t, formOf(t, v, p), b.String())
	}
	p := givePage("es")
	p.Organisation.Name = "one-time-id-belongs-here"
	_, err := give.PrepareForm(v, p)
	assert.Error(t, err, "the id must be in one place only")
}

// TestGiveIsLight: the form, uncompressed, and all files it loads are below 30 kB as a browser requests them.
func TestGiveIsLight(t *testing.T) {
	v := newView(t)
	page := formOf(t, v, badPage("es"))
	total := len(page)
	for _, path := range regexp.MustCompile(`/static/[^"]+`).FindAllString(page, -1) {
		request := httptest.NewRequest(http.MethodGet, path, nil)
		request.Header.Set("Accept-Encoding", "gzip")
		answer := httptest.NewRecorder()
		v.Static().ServeHTTP(answer, request)
		require.Equal(t, http.StatusOK, answer.Code, path)
		total += answer.Body.Len()
	}
	t.Logf("%d bytes", total)
	assert.Less(t, total, 30_000)
}

func TestGivePresetsWithCents(t *testing.T) {
	p := givePage("en")
	p.Presets = []money.Amount{usd(1250), usd(100000)}
	page := formOf(t, newView(t), p)
	assert.Contains(t, page, `value="12.50"><label for="amount-0">$12.50</label>`)
	assert.Contains(t, page, `value="1000"><label for="amount-1">$1,000</label>`)
}

func BenchmarkGive(b *testing.B) {
	v := newView(b)
	p := givePage("en")
	prepared, err := give.PrepareForm(v, p)
	require.NoError(b, err)
	b.Run("prepared", func(b *testing.B) {
		for b.Loop() {
			_ = prepared.Write(io.Discard, p.FormID)
		}
	})
	b.Run("rendered", func(b *testing.B) {
		for b.Loop() {
			_ = p.Write(io.Discard, v)
		}
	})
	b.Run("raw", func(b *testing.B) {
		raw := bytes.Repeat([]byte("x"), 14000)
		for b.Loop() {
			_, _ = io.Discard.Write(raw)
		}
	})
}
