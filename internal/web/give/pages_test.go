package give_test

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/give"
	"konbit/internal/workshop/testkit/pages"
)

// TestEveryPage renders every page of the area in every language and state and checks it: see pages.Check.
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

// everyPage returns every page of the area, in every state.
func everyPage(v *view.View, lang phrase.Language) map[string]writer {
	all := map[string]writer{
		"home empty": func(w io.Writer) error { return give.HomePage{Frame: view.Frame{Language: lang}}.Write(w, v) },
		"home": func(w io.Writer) error {
			return give.HomePage{Frame: frame(lang), Organisations: []give.HomeOrganisation{
				{Name: centro(lang).Name, Donee: tsne.Name, URL: "/give/csio"},
			}}.Write(w, v)
		},
	}
	form := func(name string, p give.FormPage) {
		all["give "+name] = func(w io.Writer) error { return p.Write(w, v) }
	}
	form("blank", givePage(lang))
	form("with problems", badPage(lang))
	everything := badPage(lang)
	everything.Frequencies = []string{"once", "weekly", "monthly", "quarterly", "yearly"}
	for _, name := range append(contact.FieldNames(), "amount", "fund", "split[gln]", "frequency", "occurrences", "note",
		"anonymous", "news", "split", "cover_fees", "dedication", "dedication_name", "card_name", "card_email", "card_message", "form") {
		everything.Problems = append(everything.Problems, fault.Field{Name: name, Phrase: "give.error.check"})
	}
	form("with every problem and frequency", everything)
	single := everything
	single.Funds, single.Frequencies, single.Presets = single.Funds[:1], []string{"monthly"}, nil
	single.Organisation.Sponsored = false
	form("without choices", single)

	rateLimited := givePage(lang)
	rateLimited.Entry, rateLimited.RateLimited, rateLimited.Event = badPage(lang).Entry, true, true
	form("rate-limited, on a shared tablet", rateLimited)
	all["step"] = func(w io.Writer) error {
		return give.ChallengePage{
			Frame: view.Frame{Language: lang}, Organisation: centro(lang), Step: web.Step{
				Action: "/give/csio?lang=" + string(lang), Values: []view.FormValue{{Name: "split[gln]", Value: `"5"`}, {Name: "note", Value: "<3"}},
				Token: "token", Seed: "seed", Rounds: 16, Difficulty: 14, Wait: 20 * time.Second,
			},
		}.Write(w, v)
	}

	all["step, only a wait"] = func(w io.Writer) error {
		return give.ChallengePage{
			Frame: view.Frame{Language: lang}, Organisation: centro(lang), SignIn: true, Step: web.Step{
				Action: "/give/csio?lang=" + string(lang), Token: "token", Seed: "seed", Wait: 8 * time.Minute,
			},
		}.Write(w, v)
	}

	all["event"] = func(w io.Writer) error {
		return give.EventModePage{Frame: frame(lang), Organisation: centro(lang), Action: "/give/csio/event?lang=" + string(lang)}.Write(w, v)
	}

	for state := give.ThanksUnknown; state <= give.ThanksUnpaid; state++ {
		p := give.ThanksPage{
			Frame: frame(lang), Organisation: centro(lang), State: state, Amount: usd(2050),
			Covered: usd(50), Purposes: receiptWords(lang).Purposes, FormURL: "/give/csio?lang=" + string(lang),
		}
		all["thanks "+strconv.Itoa(int(state))] = func(w io.Writer) error { return p.Write(w, v) }
		again := p
		again.Refresh = &give.Refresh{URL: "/give/csio/thanks?look=2", After: 3 * time.Second}
		returning := p
		returning.NextDonor = &give.Refresh{URL: "/give/csio", After: 15 * time.Second}
		all["thanks on a shared tablet "+strconv.Itoa(int(state))] = func(w io.Writer) error { return returning.Write(w, v) }
		all["thanks again "+strconv.Itoa(int(state))] = func(w io.Writer) error { return again.Write(w, v) }
	}
	return all
}

func TestThanksShowsTheState(t *testing.T) {
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

// TestPagesAreAccessible checks every page in a browser: see pages.OpenToEveryone.
func TestPagesAreAccessible(t *testing.T) {
	v := newView(t)
	pages.OpenToEveryone(t, v, everyPage(v, "es"))
}
