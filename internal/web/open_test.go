package web_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/setup"
	"konbit/internal/platform/phrase"
	"konbit/internal/web/portal"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// full is the organisation of the walk: it offers all languages.
const full = "grassroots-international"

// noPage are the routes without a page to check: those for programs, documents, and redirects.
var noPage = []string{
	"GET /healthz", "GET /readyz", "* /static/*", "POST /hooks/stripe/{entity}", "POST /give/{org}/event", "POST /plans/card/{token}",
	"POST /portal/addresses/part", "POST /letters/{token}/again", "POST /portal/sessions/end", "POST /sign-out", "GET /portal/gifts/{ref}/receipt.pdf",
	"GET /portal/records/data.json", "GET /portal/records/data.csv", "GET /portal/statements/{ref}/pdf",
}

// stop is one page of the walk, and how a donor gets there.
type stop struct {
	name  string
	route string          // the route that serves the page
	path  string          // empty: the page where the previous stop ended
	do    chromedp.Action // done on the page; nil: nothing
	keys  bool            // also checked by keyboard
}

// site is a program with a donor who has everything that a donor can have.
type site struct {
	*program.Program
	ana                             *visitor.Visitor
	paid, plan, open, unpaid, other donation.Donation
	active, failing, paused, halted recurring.Plan
	links                           portal.PlanLinks
}

func newSite(t *testing.T) *site {
	g := &site{Program: program.New(t, program.Options{UnlimitedSignIn: true})}
	file, err := os.ReadFile("../../cmd/demo/demo.yaml")
	require.NoError(t, err)
	// The stand-in has an account of only one of the entities.
	file = bytes.ReplaceAll(file, []byte("entity: grassroots-international"), []byte("entity: tsne"))
	demo, err := setup.Read("demo.yaml", file)
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), g.DB.Server, demo, time.Now(), program.NewID, false)
	require.NoError(t, err)
	g.links = portal.PlanLinks{Base: g.Server.BaseURL, Secret: g.Server.Secret, Now: time.Now}

	ana := visitor.FormOf("ana@example.org", "Ana")
	g.paid = g.SettledGift(ana)
	old := g.StartedGift(ana)
	_, err = g.Settle(program.ChargeOf(old, old.CreatedAt.AddDate(-1, 0, 0)))
	require.NoError(t, err)
	other := visitor.FormOf("ana.perez.de.la.cruz@mail.cooperativa-campesina.example", "Ana")
	other.Fund, other.Split, other.CoverFees = "", map[string]string{"where-needed-most": "1200", "haiti-dessalines-brigade": "50.50"}, true
	other.Amount, other.AmountOther = "other", "1250.50"
	g.other = g.startedFor(t, full, other)
	_, err = g.Settle(program.ChargeOf(g.other, g.other.CreatedAt))
	require.NoError(t, err)
	g.open, g.unpaid = g.startedFor(t, full, visitor.FormOf("ana@example.org", "Ana")), g.startedFor(t, full, visitor.FormOf("ana@example.org", "Ana"))
	g.Exec(`UPDATE donation SET status = 'expired' WHERE id = $1`, g.unpaid.ID)

	for i, plan := range []*recurring.Plan{&g.active, &g.failing, &g.paused, &g.halted} {
		f := visitor.FormOf("ana@example.org", "Ana")
		f.Fund, f.Frequency, f.Occurrences = "where-needed-most", []string{"monthly", "quarterly", "weekly", "yearly"}[i], "12"
		g.plan = g.startedFor(t, full, f)
		g.Pay(g.plan)
		g.DeliverNew()
		g.DrainAll()
		g.RunPlanJobs()
		*plan, err = recurring.ByID(t.Context(), g.DB.Server, g.plan.ID)
		require.NoError(t, err)
		require.NotNil(t, plan.NextAt)
	}
	g.Exec(`UPDATE plan SET failing_since = now(), failing_code = 'insufficient_funds' WHERE id = $1`, g.failing.ID)
	_, err = g.Plans.Pause(t.Context(), recurring.DonorRequest{PlanID: g.paused.ID, SubmissionID: program.NewID().String(), Channel: "portal"}, 3)
	require.NoError(t, err)
	_, err = g.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: g.halted.ID, SubmissionID: program.NewID().String(), Channel: "portal"}, "")
	require.NoError(t, err)
	g.RunPlanJobs()
	g.ana = visitor.New(t, g.Program).SignIn("ana@example.org")
	g.Exec(`INSERT INTO mailbox (email, person_id, proved_at) SELECT $1, person_id, now() FROM mailbox LIMIT 1`, other.Contact.Email)
	return g
}

func (g *site) startedFor(t *testing.T, slug string, f donation.Form) donation.Donation {
	t.Helper()
	if slug == full && f.Fund == "general" {
		f.Fund = "where-needed-most"
	}
	d, err := g.SubmitFor(slug, f)
	require.NoError(t, err)
	return d
}

// publicStops returns the pages that need no session.
func (g *site) publicStops(lang phrase.Language) []stop {
	press := chromedp.Tasks{chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#errors", chromedp.ByID)}
	monthly := chromedp.Tasks{
		chromedp.Click(`label[for="amount-1"]`), chromedp.Click(`input[value="monthly"]`), chromedp.SendKeys("#occurrences", "12"),
	}
	manage := func(p recurring.Plan) string { return strings.TrimPrefix(g.links.Manage(p.PublicRef, lang), g.URL) }
	card := strings.TrimPrefix(g.links.PaymentMethod(g.active.DonorID, lang), g.URL)
	thanks := func(d donation.Donation) string { return "/give/" + full + "/thanks?gift=" + d.PublicRef }
	letters := "GET /plans/{ref}/{key}"
	// Each language uses a donor of its own.
	kind := map[phrase.Language]string{"en": "statements", "es": "reminders", "pt": "statements", "ht": "reminders"}[lang]
	of := g.paid.DonorID
	if lang == "pt" || lang == "ht" {
		of = g.other.DonorID
	}
	choice := strings.TrimPrefix(portal.StopLink(g.Server.BaseURL, g.Server.Secret)(of, kind, lang), g.URL)
	return []stop{
		{"home", "GET /", "/", nil, false},
		{"missing", "GET /", "/nowhere", nil, false},
		{"form", "GET /give/{org}", "/give/" + full, nil, false},
		{"form-monthly", "GET /give/{org}", "", monthly, false},
		{"form-wrong", "POST /give/{org}", "/give/" + full, press, false},
		{"thanks", "GET /give/{org}/thanks", thanks(g.plan), nil, false},
		{"thanks-settling", "GET /give/{org}/thanks", thanks(g.open), nil, false},
		{"thanks-unpaid", "GET /give/{org}/thanks", thanks(g.unpaid), nil, false},
		{"thanks-unknown", "GET /give/{org}/thanks", "/give/" + full + "/thanks?gift=x", nil, false},
		{"event", "GET /give/{org}/event", "/give/" + full + "/event", nil, false},
		{"letter-plan", letters, manage(g.active), nil, true},
		{"letter-said", letters, manage(g.active) + "&said=change", nil, false},
		{"letter-failing", letters, manage(g.failing), nil, false},
		{"letter-paused", letters, manage(g.paused), nil, false},
		{"letter-stopped", letters, manage(g.halted) + "&said=cancel", nil, false},
		{"letter-skip", letters, manage(g.active) + "&do=skip", nil, false},
		{"letter-wrong", "POST /plans/{ref}/{key}", manage(g.active) + "&do=change&amount=1&frequency=monthly&fund=nothing&date=2001-01-01", nil, false},
		{"letter-stale", letters, manage(g.halted) + "&do=skip", nil, false},
		{"letters", "GET /letters/{token}", choice, nil, false},
		{"letters-stopped", "POST /letters/{token}", "", chromedp.Tasks{chromedp.Click("#stop"), chromedp.WaitNotPresent("#stop")}, false},
		{"card", "GET /plans/card/{token}", card, nil, false},
		{"card-done", "GET /plans/card/{token}", card + "&done=1", nil, false},
		{"card-gone", "GET /plans/card/{token}", "/plans/card/x", nil, false},
		{"sign-in", "GET /sign-in", "/sign-in", nil, true},
		{"sign-in-wrong", "POST /sign-in", "", press, false},
		{"sign-in-out", "GET /sign-in", "/sign-in?said=out", nil, false},
		{"sign-in-closed", "GET /portal", "/portal", nil, false},
		{"sign-in-elsewhere", "GET /sign-in/link", "/sign-in/link", nil, false},
		{"code", "GET /sign-in/code", "/sign-in/code", nil, false},
		{"code-wrong", "POST /sign-in/code", "", press, false},
		{"code-sent", "GET /sign-in/code", "/sign-in", chromedp.Tasks{
			chromedp.SendKeys("#email", "ana@example.org"), chromedp.Click("#submit"), chromedp.WaitVisible("#code"),
		}, true},
		{"link", "GET /sign-in/link", "/sign-in/link#x", chromedp.WaitVisible("#submit"), false},
		{"link-used", "POST /sign-in/link", "", chromedp.Tasks{chromedp.Click("#submit"), chromedp.WaitNotPresent("#submit")}, false},
	}
}

// donorStops returns the pages of a signed-in donor.
func (g *site) donorStops() []stop {
	plan := "/portal/plans/" + g.active.PublicRef
	year := time.Now().In(g.Offer("csio").Entity.Location()).Year()
	join := chromedp.Tasks{
		chromedp.Click("#addresses summary"), chromedp.SendKeys("#email", "rosa@example.org"), chromedp.Submit("#email"), chromedp.WaitVisible("#code"),
	}
	wrong := chromedp.Tasks{chromedp.SendKeys("#code", "1"), chromedp.Submit("#code"), chromedp.WaitVisible("#errors")}
	details := chromedp.Tasks{chromedp.Evaluate(`document.getElementById("first_name").value = ""; document.getElementById("phone").value = "call me"`, nil), chromedp.Submit("#phone"), chromedp.WaitVisible("#errors")}
	erase := chromedp.Tasks{chromedp.Submit(`[value="erase"]`), chromedp.WaitVisible(".notice-error")}
	return []stop{
		{"portal", "GET /portal", "/portal", nil, false},
		{"portal-table", "GET /portal", "", chromedp.Click(".fold summary"), false},
		{"gifts", "GET /portal/gifts", "/portal/gifts", nil, false},
		{"gifts-year", "GET /portal/gifts", fmt.Sprintf("/portal/gifts?org=csio&year=%d", year-1), nil, false},
		{"gifts-none", "GET /portal/gifts", "/portal/gifts?year=1999", nil, false},
		{"receipt", "GET /portal/gifts/{ref}/receipt", "/portal/gifts/" + g.plan.PublicRef + "/receipt", nil, false},
		{"plans", "GET /portal/plans", "/portal/plans", nil, false},
		{"plan", "GET /portal/plans/{ref}", plan, nil, true},
		{"plan-pause", "GET /portal/plans/{ref}", plan + "?do=pause&months=3", nil, false},
		{"plan-change", "GET /portal/plans/{ref}", plan + "?do=change&amount=25&frequency=weekly&fund=haiti-dessalines-brigade&cover_fees=yes", nil, false},
		{"plan-resume", "GET /portal/plans/{ref}", "/portal/plans/" + g.paused.PublicRef + "?do=resume", nil, false},
		{"plan-wrong", "POST /portal/plans/{ref}", plan + "?do=pause&months=40", nil, false},
		{"records", "GET /portal/records", "/portal/records", nil, false},
		{"erase", "GET /portal/records", "/portal/records?do=erase", nil, false},
		{"erase-no", "POST /portal/records/erasure", "", erase, false},
		{"statement", "GET /portal/statements/{ref}", fmt.Sprintf("/portal/statements/%d-%s", year, g.paid.DonorID), nil, false},
		{"details", "GET /portal/details", "/portal/details", nil, false},
		{"details-saved", "GET /portal/details", "/portal/details?said=saved", nil, false},
		{"details-wrong", "POST /portal/details", "/portal/details", details, false},
		{"join", "POST /portal/addresses", "/portal/details", join, false},
		{"join-wrong", "POST /portal/addresses/prove", "", wrong, false},
	}
}

// TestOpenToEveryone visits every page, in every language, and checks it by WCAG 2.2 AA and by keyboard.
func TestOpenToEveryone(t *testing.T) {
	g := newSite(t)
	stops := map[string]bool{}
	for _, s := range append(g.publicStops("en"), g.donorStops()...) {
		stops[s.route] = true
	}
	for _, r := range routes(t, g.Program) {
		name := r.Method + " " + r.Pattern
		if strings.HasSuffix(r.Pattern, "*") {
			name = "* " + r.Pattern
		}
		listed := false
		for _, no := range noPage {
			listed = listed || no == name
		}
		assert.NotEqual(t, listed, stops[name], "%s: say how one gets to its page, or that it has none", name)
	}
	for _, lang := range g.Server.Languages {
		if only := os.Getenv("KONBIT_LANG"); only != "" && only != string(lang) {
			continue
		}
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			w := &walk{t, g, lang, testkit.Browser(t)}
			// Without its script the page that waits for a payment does not reload itself in the middle of a check.
			w.do(network.Enable(), network.SetBlockedURLs([]string{"*/static/wait.*.js"}))
			for _, s := range g.publicStops(lang) {
				w.see(s)
			}
			for name, value := range g.ana.Cookies {
				w.do(network.SetCookie(name, value).WithURL(g.URL))
			}
			for _, s := range g.donorStops() {
				w.see(s)
			}
		})
	}
}

// walk is a visit of all pages in one language.
type walk struct {
	t    *testing.T
	g    *site
	lang phrase.Language
	ctx  context.Context
}

func (w *walk) do(actions ...chromedp.Action) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	require.NoError(w.t, chromedp.Run(ctx, actions...))
}

func (w *walk) see(s stop) {
	w.t.Helper()
	began := time.Now()
	w.do(emulation.SetDeviceMetricsOverride(320, 640, 1, true))
	if s.path != "" {
		address := w.g.URL + s.path
		if path, fragment, cut := strings.Cut(s.path, "#"); !strings.Contains(path, "lang=") {
			mark := "?"
			if strings.Contains(path, "?") {
				mark = "&"
			}
			address = w.g.URL + path + mark + "lang=" + string(w.lang)
			if cut {
				address += "#" + fragment
			}
		}
		w.do(chromedp.Navigate(address))
	}
	if s.do != nil {
		w.do(s.do)
	}
	w.loaded()
	w.shot(s.name)
	for _, width := range w.widths() {
		w.do(emulation.SetDeviceMetricsOverride(width, 640, 1, width < 600))
		var bad []string
		w.do(chromedp.Evaluate(crooked, &bad))
		assert.Empty(w.t, bad, "%s, %d wide", s.name, width)
		if width == 320 || w.lang == phrase.English { // on a desktop only the words differ between languages
			assert.Empty(w.t, testkit.Axe(w.t, w.ctx), "%s, %d wide", s.name, width)
		}
	}
	w.t.Log(s.name, time.Since(began).Round(time.Millisecond))
	if s.keys && w.lang == phrase.English {
		w.byKeyboard(s.name)
	}
}

// loaded waits until the page is there as a whole.
func (w *walk) loaded() {
	w.t.Helper()
	testkit.Eventually(w.t, 2*time.Minute, func() error {
		var complete bool
		err := chromedp.Run(w.ctx, chromedp.Evaluate(`document.readyState === "complete" && document.body !== null`, &complete))
		if err == nil && !complete {
			err = errors.New("the page is still loading")
		}
		return err
	})
}

// widths returns the window widths in CSS pixels: a small phone, which is also a desktop at 400 % zoom, and a desktop.
func (w *walk) widths() []int64 {
	if w.lang == phrase.English || w.lang == phrase.Spanish {
		return []int64{320, 1280}
	}
	return []int64{320}
}

// crooked is a script that returns what extends beyond the window, and what is too low to be touched, except for links
// within a sentence.
const crooked = `(() => {
	const seen = (e) => e.checkVisibility({ visibilityProperty: true, opacityProperty: true }) && !e.closest(".skip, .unseen");
	const name = (e) => e.outerHTML.slice(0, 120);
	const wide = document.documentElement.clientWidth;
	const bad = document.documentElement.scrollWidth > wide ? ["the page scrolls sideways"] : [];
	for (const e of document.body.querySelectorAll("*")) {
		const r = e.getBoundingClientRect();
		if (r.width && (r.left < -0.5 || r.right > wide + 0.5) && seen(e)) bad.push("out of the window: " + name(e));
	}
	for (const e of document.querySelectorAll("a, button, summary, select, textarea, label[for], input:not([type=hidden], [type=radio], [type=checkbox])")) {
		const target = e.localName !== "label" || e.control?.matches("[type=radio], [type=checkbox]");
		const within = e.localName === "a" && e.parentElement.textContent.trim() !== e.textContent.trim() && e.parentElement.matches("p, dd");
		if (target && !within && seen(e) && (e.closest(".card") ?? e).getBoundingClientRect().height < 43.5) bad.push("too low for a finger: " + name(e));
	}
	return bad;
})()`

// byKeyboard moves over the page with the Tab key: every control gets the focus, in reading order, and shows it.
func (w *walk) byKeyboard(name string) {
	w.t.Helper()
	const usable = `[...document.querySelectorAll("a, button, summary, select, textarea, input:not([type=hidden])")].filter((e) => e.checkVisibility())`
	var all int
	w.do(chromedp.Evaluate(`document.activeElement.blur(); `+usable+`.length`, &all))
	reached := map[int]bool{}
	for last := -1; ; {
		var at struct {
			N    int
			Seen bool
		}
		w.do(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => {
			const e = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(e);
			return { N: `+usable+`.indexOf(e), Seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
		})()`, &at))
		if at.N < last || at.N < 0 {
			break
		}
		assert.True(w.t, at.Seen, "%s: where the keyboard is, at %d, is not seen", name, at.N)
		reached[at.N], last = true, at.N
		if len(reached) == all {
			break
		}
	}
	assert.Len(w.t, reached, all, "%s: not all is reached, or not in order", name)
}

// shot saves a picture of the page in the directory KONBIT_SHOTS, if it is set.
func (w *walk) shot(name string) {
	w.t.Helper()
	dir := os.Getenv("KONBIT_SHOTS")
	if dir == "" {
		return
	}
	for size, set := range map[string]chromedp.Action{
		"phone": emulation.SetDeviceMetricsOverride(360, 740, 1, true), "desk": emulation.SetDeviceMetricsOverride(1280, 900, 1, false),
	} {
		if only := os.Getenv("KONBIT_SIZE"); only != "" && only != size {
			continue
		}
		var png []byte
		w.do(set, chromedp.FullScreenshot(&png, 100))
		require.NoError(w.t, os.WriteFile(filepath.Join(dir, name+"-"+string(w.lang)+"-"+size+".png"), png, 0o644))
	}
}
