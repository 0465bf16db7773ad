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

// fullOrganisation is the organisation that offers all languages.
const fullOrganisation = "grassroots-international"

// routesWithoutPage are the routes that show no page: those for programs, documents, and redirects.
var routesWithoutPage = []string{
	"GET /healthz", "GET /readyz", "GET /.well-known/security.txt", "* /static/*", "POST /hooks/stripe/{entity}", "POST /give/{org}/event", "POST /plans/card/{token}",
	"POST /portal/addresses/part", "POST /letters/{token}/again", "POST /portal/sessions/end", "POST /sign-out", "GET /portal/gifts/{ref}/receipt.pdf",
	"GET /portal/records/data.json", "GET /portal/records/data.csv", "GET /portal/statements/{ref}/pdf",
}

// pageVisit is one page to check, and how a donor opens it.
type pageVisit struct {
	name       string
	route      string          // the route that serves the page
	path       string          // empty: the page that is open after the previous visit
	action     chromedp.Action // what the donor does on the page; nil for nothing
	byKeyboard bool            // also checked by keyboard
}

// pagesProgram is a program with a donor who has every kind of gift and plan.
type pagesProgram struct {
	*program.Program
	visitor                            *visitor.Visitor
	paid, plan, open, unpaid, other    donation.Donation
	active, failing, paused, cancelled recurring.Plan
	links                              portal.PlanLinks
}

func newPagesProgram(t *testing.T) *pagesProgram {
	g := &pagesProgram{Program: program.New(t, program.Options{UnlimitedSignIn: true})}
	file, err := os.ReadFile("../../cmd/demo/demo.yaml")
	require.NoError(t, err)
	// The stand-in has an account of only one of the entities.
	file = bytes.ReplaceAll(file, []byte("entity: grassroots-international"), []byte("entity: tsne"))
	demo, err := setup.Read("demo.yaml", file)
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), g.DB.Owner, demo, time.Now(), program.NewID, false)
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
	g.other = g.startGift(t, fullOrganisation, other)
	_, err = g.Settle(program.ChargeOf(g.other, g.other.CreatedAt))
	require.NoError(t, err)
	g.open, g.unpaid = g.startGift(t, fullOrganisation, visitor.FormOf("ana@example.org", "Ana")), g.startGift(t, fullOrganisation, visitor.FormOf("ana@example.org", "Ana"))
	g.Exec(`UPDATE donation SET status = 'expired' WHERE id = $1`, g.unpaid.ID)

	for i, plan := range []*recurring.Plan{&g.active, &g.failing, &g.paused, &g.cancelled} {
		f := visitor.FormOf("ana@example.org", "Ana")
		f.Fund, f.Frequency, f.Occurrences = "where-needed-most", []string{"monthly", "quarterly", "weekly", "yearly"}[i], "12"
		g.plan = g.startGift(t, fullOrganisation, f)
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
	_, err = g.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: g.cancelled.ID, SubmissionID: program.NewID().String(), Channel: "portal"}, "")
	require.NoError(t, err)
	g.RunPlanJobs()
	g.visitor = visitor.New(t, g.Program).SignIn("ana@example.org")
	g.Exec(`INSERT INTO mailbox (email, person_id, proved_at) SELECT $1, person_id, now() FROM mailbox LIMIT 1`, other.Contact.Email)
	return g
}

func (g *pagesProgram) startGift(t *testing.T, slug string, f donation.Form) donation.Donation {
	t.Helper()
	if slug == fullOrganisation && f.Fund == "general" {
		f.Fund = "where-needed-most"
	}
	begun, err := g.SubmitFor(slug, f)
	require.NoError(t, err)
	return begun.Donation
}

// publicPages returns the pages that need no session.
func (g *pagesProgram) publicPages(lang phrase.Language) []pageVisit {
	submit := chromedp.Tasks{chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#errors", chromedp.ByID)}
	monthly := chromedp.Tasks{
		chromedp.Click(`label[for="amount-1"]`), chromedp.Click(`input[value="monthly"]`), chromedp.SendKeys("#occurrences", "12"),
	}
	manage := func(p recurring.Plan) string { return strings.TrimPrefix(g.links.Manage(p.PublicRef, lang), g.URL) }
	card := strings.TrimPrefix(g.links.PaymentMethod(g.active.DonorID, lang), g.URL)
	thanks := func(d donation.Donation) string { return "/give/" + fullOrganisation + "/thanks?gift=" + d.PublicRef }
	planRoute := "GET /plans/{ref}/{key}"
	// Each language uses a donor of its own.
	kind := map[phrase.Language]string{"en": "statements", "es": "reminders", "pt": "statements", "ht": "reminders"}[lang]
	of := g.paid.DonorID
	if lang == "pt" || lang == "ht" {
		of = g.other.DonorID
	}
	choice := strings.TrimPrefix(portal.StopLink(g.Server.BaseURL, g.Server.Secret)(of, kind, lang), g.URL)
	return []pageVisit{
		{"home", "GET /", "/", nil, false},
		{"missing", "GET /", "/nowhere", nil, false},
		{"form", "GET /give/{org}", "/give/" + fullOrganisation, nil, false},
		{"form-monthly", "GET /give/{org}", "", monthly, false},
		{"form-wrong", "POST /give/{org}", "/give/" + fullOrganisation, submit, false},
		{"thanks", "GET /give/{org}/thanks", thanks(g.plan), nil, false},
		{"thanks-settling", "GET /give/{org}/thanks", thanks(g.open), nil, false},
		{"thanks-unpaid", "GET /give/{org}/thanks", thanks(g.unpaid), nil, false},
		{"thanks-unknown", "GET /give/{org}/thanks", "/give/" + fullOrganisation + "/thanks?gift=x", nil, false},
		{"event", "GET /give/{org}/event", "/give/" + fullOrganisation + "/event", nil, false},
		{"letter-plan", planRoute, manage(g.active), nil, true},
		{"letter-said", planRoute, manage(g.active) + "&said=change", nil, false},
		{"letter-failing", planRoute, manage(g.failing), nil, false},
		{"letter-paused", planRoute, manage(g.paused), nil, false},
		{"letter-stopped", planRoute, manage(g.cancelled) + "&said=cancel", nil, false},
		{"letter-skip", planRoute, manage(g.active) + "&do=skip", nil, false},
		{"letter-wrong", "POST /plans/{ref}/{key}", manage(g.active) + "&do=change&amount=1&frequency=monthly&fund=nothing&date=2001-01-01", nil, false},
		{"letter-more", planRoute, manage(g.active) + "&do=change&amount=5000&frequency=weekly&fund=where-needed-most", nil, true},
		{"letter-stale", planRoute, manage(g.cancelled) + "&do=skip", nil, false},
		{"letters", "GET /letters/{token}", choice, nil, false},
		{"letters-stopped", "POST /letters/{token}", "", chromedp.Tasks{chromedp.Click("#stop"), chromedp.WaitNotPresent("#stop")}, false},
		{"card", "GET /plans/card/{token}", card, nil, false},
		{"card-done", "GET /plans/card/{token}", card + "&done=1", nil, false},
		{"card-gone", "GET /plans/card/{token}", "/plans/card/x", nil, false},
		{"sign-in", "GET /sign-in", "/sign-in", nil, true},
		{"sign-in-wrong", "POST /sign-in", "", submit, false},
		{"sign-in-out", "GET /sign-in", "/sign-in?said=out", nil, false},
		{"sign-in-closed", "GET /portal", "/portal", nil, false},
		{"sign-in-elsewhere", "GET /sign-in/link", "/sign-in/link", nil, false},
		{"code", "GET /sign-in/code", "/sign-in/code", nil, false},
		{"code-wrong", "POST /sign-in/code", "", submit, false},
		{"code-sent", "GET /sign-in/code", "/sign-in", chromedp.Tasks{
			chromedp.SendKeys("#email", "ana@example.org"), chromedp.Click("#submit"), chromedp.WaitVisible("#code"),
		}, true},
		{"link", "GET /sign-in/link", "/sign-in/link#x", chromedp.WaitVisible("#submit"), false},
		{"link-used", "POST /sign-in/link", "", chromedp.Tasks{chromedp.Click("#submit"), chromedp.WaitNotPresent("#submit")}, false},
	}
}

// donorPages returns the pages of a signed-in donor.
func (g *pagesProgram) donorPages() []pageVisit {
	plan := "/portal/plans/" + g.active.PublicRef
	year := time.Now().In(g.Offer("csio").Entity.Location()).Year()
	linkAddress := chromedp.Tasks{
		chromedp.Click("#addresses summary"), chromedp.SendKeys("#email", "rosa@example.org"), chromedp.Submit("#email"), chromedp.WaitVisible("#code"),
	}
	wrong := chromedp.Tasks{chromedp.SendKeys("#code", "1"), chromedp.Submit("#code"), chromedp.WaitVisible("#errors")}
	details := chromedp.Tasks{chromedp.Evaluate(`document.getElementById("first_name").value = ""; document.getElementById("phone").value = "call me"`, nil), chromedp.Submit("#phone"), chromedp.WaitVisible("#errors")}
	erase := chromedp.Tasks{chromedp.Submit(`[value="erase"]`), chromedp.WaitVisible(".notice-error")}
	return []pageVisit{
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
		{"join", "POST /portal/addresses", "/portal/details", linkAddress, false},
		{"join-wrong", "POST /portal/addresses/prove", "", wrong, false},
	}
}

// TestEveryPageIsAccessible opens every page, in every language, and checks it by WCAG 2.2 AA and by keyboard.
func TestEveryPageIsAccessible(t *testing.T) {
	g := newPagesProgram(t)
	visited := map[string]bool{}
	for _, s := range append(g.publicPages("en"), g.donorPages()...) {
		visited[s.route] = true
	}
	for _, r := range routes(t, g.Program) {
		name := r.Method + " " + r.Pattern
		if strings.HasSuffix(r.Pattern, "*") {
			name = "* " + r.Pattern
		}
		listed := false
		for _, no := range routesWithoutPage {
			listed = listed || no == name
		}
		assert.NotEqual(t, listed, visited[name], "%s: add a visit of its page, or list it in routesWithoutPage", name)
	}
	for _, lang := range g.Server.Languages {
		if only := os.Getenv("KONBIT_LANG"); only != "" && only != string(lang) {
			continue
		}
		t.Run(string(lang), func(t *testing.T) {
			t.Parallel()
			tab := &pageCheck{t, g, lang, testkit.Browser(t)}
			// Without its script the page that waits for a payment does not reload itself in the middle of a check.
			tab.run(network.Enable(), network.SetBlockedURLs([]string{"*/static/wait.*.js"}))
			for _, s := range g.publicPages(lang) {
				tab.checkPage(s)
			}
			for name, value := range g.visitor.Cookies {
				tab.run(network.SetCookie(name, value).WithURL(g.URL))
			}
			for _, s := range g.donorPages() {
				tab.checkPage(s)
			}
		})
	}
}

// pageCheck checks all pages in one language.
type pageCheck struct {
	t    *testing.T
	g    *pagesProgram
	lang phrase.Language
	ctx  context.Context
}

func (w *pageCheck) run(actions ...chromedp.Action) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, 2*time.Minute)
	defer cancel()
	require.NoError(w.t, chromedp.Run(ctx, actions...))
}

func (w *pageCheck) checkPage(s pageVisit) {
	w.t.Helper()
	began := time.Now()
	w.run(emulation.SetDeviceMetricsOverride(320, 640, 1, true))
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
		w.run(chromedp.Navigate(address))
	}
	if s.action != nil {
		w.run(s.action)
	}
	w.waitUntilLoaded()
	w.saveScreenshot(s.name)
	for _, width := range w.windowWidths() {
		w.run(emulation.SetDeviceMetricsOverride(width, 640, 1, width < 600))
		var bad []string
		w.run(chromedp.Evaluate(layoutProblems, &bad))
		assert.Empty(w.t, bad, "%s, %d wide", s.name, width)
		if width == 320 || w.lang == phrase.English { // on a desktop only the words differ between languages
			assert.Empty(w.t, testkit.Axe(w.t, w.ctx), "%s, %d wide", s.name, width)
		}
	}
	w.t.Log(s.name, time.Since(began).Round(time.Millisecond))
	if s.byKeyboard && w.lang == phrase.English {
		w.checkKeyboard(s.name)
	}
}

// waitUntilLoaded waits until the whole page is loaded.
func (w *pageCheck) waitUntilLoaded() {
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

// windowWidths returns the window widths in CSS pixels: a small phone, which is also a desktop at 400 % zoom, and a
// desktop.
func (w *pageCheck) windowWidths() []int64 {
	if w.lang == phrase.English || w.lang == phrase.Spanish {
		return []int64{320, 1280}
	}
	return []int64{320}
}

// layoutProblems is a script that returns the elements that extend beyond the window, and the controls that are too low
// to be touched, except for links within a sentence.
const layoutProblems = `(() => {
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

// checkKeyboard moves over the page with the Tab key: every control gets the focus, in reading order, and shows it.
func (w *pageCheck) checkKeyboard(name string) {
	w.t.Helper()
	const usable = `[...document.querySelectorAll("a, button, summary, select, textarea, input:not([type=hidden])")].filter((e) => e.checkVisibility())`
	var all int
	w.run(chromedp.Evaluate(`document.activeElement.blur(); `+usable+`.length`, &all))
	reached := map[int]bool{}
	for last := -1; ; {
		var at struct {
			N    int
			Seen bool
		}
		w.run(chromedp.KeyEvent(kb.Tab), chromedp.Evaluate(`(() => {
			const e = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(e);
			return { N: `+usable+`.indexOf(e), Seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
		})()`, &at))
		if at.N < last || at.N < 0 {
			break
		}
		assert.True(w.t, at.Seen, "%s: the focus on control %d is not visible", name, at.N)
		reached[at.N], last = true, at.N
		if len(reached) == all {
			break
		}
	}
	assert.Len(w.t, reached, all, "%s: some controls were not reached, or not in order", name)
}

// saveScreenshot saves a picture of the page in the directory KONBIT_SHOTS, if it is set.
func (w *pageCheck) saveScreenshot(name string) {
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
		w.run(set, chromedp.FullScreenshot(&png, 100))
		require.NoError(w.t, os.WriteFile(filepath.Join(dir, name+"-"+string(w.lang)+"-"+size+".png"), png, 0o644))
	}
}
