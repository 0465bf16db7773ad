package view_test

import (
	"bytes"
	"io"
	"maps"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/give"
	"konbit/internal/web/portal"
)

// TestEveryPage executes every template, in every language and state, and
// holds the promises of doc.go about what comes out.
func TestEveryPage(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		for name, write := range everyPage(v, lang) {
			t.Run(string(lang)+"/"+name, func(t *testing.T) {
				var page bytes.Buffer
				require.NoError(t, write(&page))
				checkPage(t, page.String())
			})
		}
	}
}

type writer = func(io.Writer) error

func everyPage(v *view.View, lang phrase.Language) map[string]writer {
	pages := map[string]writer{
		"styleguide": func(w io.Writer) error { return v.Styleguide(w, view.StyleguidePage{Frame: frame(lang)}) },
		"home empty": func(w io.Writer) error { return give.HomePage{Frame: view.Frame{Language: lang}}.Write(w, v) },
		"home": func(w io.Writer) error {
			return give.HomePage{Frame: frame(lang), Organisations: []give.HomeOrganisation{
				{Name: centro(lang).Name, Donee: tsne.Name, URL: "/give/csio"},
			}}.Write(w, v)
		},
	}
	form := func(name string, p give.FormPage) {
		pages["give "+name] = func(w io.Writer) error { return p.Write(w, v) }
	}
	form("blank", givePage(lang))
	for name, p := range planPages(lang) {
		pages["plan "+name] = func(w io.Writer) error { return p.Write(w, v) }
	}
	for _, done := range []bool{false, true} {
		pages["card "+strconv.FormatBool(done)] = func(w io.Writer) error {
			return portal.PaymentMethodPage{Frame: frame(lang), Organisation: centro(lang), Action: "/plans/card/x?lang=en", Done: done,
				Plans: []portal.PlanSummary{{Organisation: "Centro", Amount: money.New(2000, "USD"), Every: "monthly", Brand: "visa", Last4: "4242"}}}.Write(w, v)
		}
	}
	form("with problems", badPage(lang))
	everything := badPage(lang)
	everything.Frequencies = []string{"once", "weekly", "monthly", "quarterly", "yearly"}
	for _, name := range []string{"amount", "fund", "split[gln]", "frequency", "occurrences", "first_name", "phone",
		"address_line1", "address_line2", "city", "region", "postal_code", "country", "note", "anonymous", "news",
		"split", "cover_fees", "dedication", "dedication_name", "card_name", "card_email", "card_message", "form"} {
		everything.Problems = append(everything.Problems, fault.Field{Name: name, Phrase: "give.error.check"})
	}
	form("with every problem and frequency", everything)
	single := everything
	single.Funds, single.Frequencies, single.Presets = single.Funds[:1], []string{"monthly"}, nil
	single.Organisation.Sponsored = false
	form("without choices", single)

	held := givePage(lang)
	held.Entry, held.RateLimited, held.Event = badPage(lang).Entry, true, true
	form("held, on a shared tablet", held)
	pages["step"] = func(w io.Writer) error {
		return give.ChallengePage{
			Frame: view.Frame{Language: lang}, Organisation: centro(lang), Action: "/give/csio?lang=" + string(lang),
			Values: []view.FormValue{{Name: "split[gln]", Value: `"5"`}, {Name: "note", Value: "<3"}}, Token: "token", Seed: "seed",
			Rounds: 16, Difficulty: 14, Wait: 20 * time.Second,
		}.Write(w, v)
	}

	pages["event"] = func(w io.Writer) error {
		return give.EventModePage{Frame: frame(lang), Organisation: centro(lang), Action: "/give/csio/event?lang=" + string(lang)}.Write(w, v)
	}

	maps.Copy(pages, ownPages(v, lang))
	for state := give.ThanksUnknown; state <= give.ThanksUnpaid; state++ {
		p := give.ThanksPage{
			Frame: frame(lang), Organisation: centro(lang), State: state, Amount: usd(2050),
			Covered: usd(50), Purposes: receiptWords(lang).Purposes, FormURL: "/give/csio?lang=" + string(lang),
		}
		pages["thanks "+strconv.Itoa(int(state))] = func(w io.Writer) error { return p.Write(w, v) }
		again := p
		again.Refresh = &give.Refresh{URL: "/give/csio/thanks?look=2", After: 3 * time.Second}
		returning := p
		returning.NextDonor = &give.Refresh{URL: "/give/csio", After: 15 * time.Second}
		pages["thanks on a shared tablet "+strconv.Itoa(int(state))] = func(w io.Writer) error { return returning.Write(w, v) }
		pages["thanks again "+strconv.Itoa(int(state))] = func(w io.Writer) error { return again.Write(w, v) }
	}
	for _, status := range []int{400, 403, 404, 405, 413, 429, 500, 502, 503} {
		p := web.ProblemPage{Frame: view.Frame{Language: lang}, Status: status, Reference: "7F3K"}
		pages["problem "+strconv.Itoa(status)] = func(w io.Writer) error { return p.Write(w, v) }
	}
	return pages
}

var (
	attribute = regexp.MustCompile(` ([a-zA-Z-]+)="([^"]*)"`)
	key       = regexp.MustCompile(`\b(page|home|give|thanks|problem|receipt|currency|plan|sign_in|portal)\.[a-z0-9_.#]+`)
	untold    = regexp.MustCompile(`data-(charge|button|exact|left|over|comes|date)="[^"]*"`)
)

func checkPage(t *testing.T, page string) {
	t.Helper()
	assert.NotContains(t, page, "ZgotmplZ", "html/template refused a value")
	assert.NotContains(t, page, "<no value>")
	assert.NotContains(t, page, "<style")
	assert.NotRegexp(t, `<script[^>]*>[^<]`, page, "the policy forbids inline scripts")
	assert.NotRegexp(t, `\{[a-z_]+\}`, untold.ReplaceAllString(page, ""), "a placeholder was not filled")
	words := regexp.MustCompile(`(src|href|id|url)="[^"]*"`).ReplaceAllString(page, "")
	assert.NotRegexp(t, key, words, "a key stands where its words should")

	ids := map[string]int{}
	var wanted []string
	for _, a := range attribute.FindAllStringSubmatch(page, -1) {
		name, value := a[1], a[2]
		switch {
		case name == "id":
			ids[value]++
		case name == "style" || strings.HasPrefix(name, "on"):
			t.Errorf("inline %s=%q", name, value)
		case name == "for" || name == "aria-labelledby" || name == "aria-describedby":
			wanted = append(wanted, strings.Fields(value)...)
		case name == "href" || name == "src" || name == "action":
			if strings.HasPrefix(value, "#") {
				wanted = append(wanted, value[1:])
			} else {
				assert.Regexp(t, `^/([^/]|$)`, value, "only our own addresses")
			}
		}
	}
	for id, times := range ids {
		assert.Equal(t, 1, times, "id %q", id)
	}
	for _, id := range wanted {
		assert.Contains(t, ids, id, "something points at it")
	}
}

func TestProblem(t *testing.T) {
	v := newView(t)
	for status, want := range map[int]string{
		404: "There is nothing at this address", 405: "We could not read that", 502: "Something went wrong on our side",
	} {
		var page strings.Builder
		require.NoError(t, web.ProblemPage{Frame: view.Frame{Language: "en"}, Status: status}.Write(&page, v))
		assert.Contains(t, page.String(), want)
		assert.NotContains(t, page.String(), "Reference")
	}
	var page strings.Builder
	require.NoError(t, web.ProblemPage{
		Frame: view.Frame{Language: "es"}, Status: 400, Reference: "7F3K", BackURL: "/give/csio",
		Detail: fault.Field{Phrase: "give.error.too_long", Args: fault.Args{"max": 100}},
	}.Write(&page, v))
	assert.Contains(t, page.String(), "Acorte este texto a 100 caracteres")
	assert.Contains(t, page.String(), "Referencia: 7F3K")
	assert.Contains(t, page.String(), `href="/give/csio"`)
}

func TestThanksTellsTheTruth(t *testing.T) {
	v := newView(t)
	page := func(state give.ThanksState, again *give.Refresh) string {
		var b strings.Builder
		require.NoError(t, give.ThanksPage{
			Frame: frame("en"), Organisation: centro("en"), State: state, Amount: usd(2000), FormURL: "/give/csio?gift=1", Refresh: again,
		}.Write(&b, v))
		return b.String()
	}
	again := &give.Refresh{URL: "/give/csio/thanks?look=2", After: 5 * time.Second}

	assert.Contains(t, page(give.ThanksPaid, nil), "Your gift of $20 to Center to Support Immigrant Organizing has arrived.")
	assert.Contains(t, page(give.ThanksSettling, again), `<noscript><meta http-equiv="refresh" content="5;url=/give/csio/thanks?look=2"></noscript>`)
	assert.NotContains(t, page(give.ThanksSettling, nil), "refresh")
	assert.Contains(t, page(give.ThanksSettling, nil), "taking longer than usual")
	assert.Contains(t, page(give.ThanksSettlingBank, nil), "five business days")
	assert.Contains(t, page(give.ThanksUnpaid, nil), `href="/give/csio?gift=1"`)
	for _, state := range []give.ThanksState{give.ThanksUnpaid, give.ThanksUnknown} {
		assert.NotContains(t, page(state, nil), "$20")
	}
}

func TestSwitch(t *testing.T) {
	u, err := url.Parse("/give/csio?fund=gln&lang=en")
	require.NoError(t, err)
	assert.Equal(t, []view.LanguageLink{
		{Language: "en", URL: "/give/csio?fund=gln&lang=en", Current: true},
		{Language: "es", URL: "/give/csio?fund=gln&lang=es"},
	}, view.Switch(u, "en", []phrase.Language{"en", "es"}))
	assert.Empty(t, view.Switch(u, "en", []phrase.Language{"en"}))
}
