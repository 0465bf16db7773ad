package web_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/phrase"
	"konbit/internal/web/portal"
)

// publicPages returns the visits of pages that need no session.
func (g *pagesProgram) publicPages(lang phrase.Language) []pageVisit {
	submit := chromedp.Tasks{chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#errors", chromedp.ByID)}
	monthly := chromedp.Tasks{
		chromedp.Click(`label[for="amount-1"]`), chromedp.Click(`input[value="monthly"]`), chromedp.SendKeys("#occurrences", "12"),
	}
	manage := func(p plan.Plan) string { return strings.TrimPrefix(g.links.Manage(p.PublicRef, lang), g.URL) }
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
		{"missing", "GET /", "/nowhere", nil, false},
		{"form", "GET /give/{org}", "/give/" + fullOrganisation, nil, false},
		{"form-monthly", "GET /give/{org}", "", monthly, false},
		{"form-wrong", "POST /give/{org}", "/give/" + fullOrganisation, submit, false},
		{"thanks", "GET /give/{org}/thanks", thanks(g.plan), nil, false},
		{"thanks-settling", "GET /give/{org}/thanks", thanks(g.open), nil, false},
		{"thanks-unpaid", "GET /give/{org}/thanks", thanks(g.unpaid), nil, false},
		{"thanks-unknown", "GET /give/{org}/thanks", "/give/" + fullOrganisation + "/thanks?gift=x", nil, false},
		{"event", "GET /give/{org}/event", "/give/" + fullOrganisation + "/event", nil, false},
		{"plan-link", planRoute, manage(g.active), nil, true},
		{"plan-link-changed", planRoute, manage(g.active) + "&said=change", nil, false},
		{"plan-link-failing", planRoute, manage(g.failing), nil, false},
		{"plan-link-paused", planRoute, manage(g.paused), nil, false},
		{"plan-link-stopped", planRoute, manage(g.cancelled) + "&said=cancel", nil, false},
		{"plan-link-skip", planRoute, manage(g.active) + "&do=skip", nil, false},
		{"plan-link-wrong", "POST /plans/{ref}/{key}", manage(g.active) + "&do=change&amount=1&frequency=monthly&fund=nothing&date=2001-01-01", nil, false},
		{"plan-link-more", planRoute, manage(g.active) + "&do=change&amount=5000&frequency=weekly&fund=where-needed-most", nil, true},
		{"plan-link-stale", planRoute, manage(g.cancelled) + "&do=skip", nil, false},
		{"email-choice", "GET /letters/{token}", choice, nil, false},
		{"email-choice-stopped", "POST /letters/{token}", "", chromedp.Tasks{chromedp.Click("#stop"), chromedp.WaitNotPresent("#stop")}, false},
		{"card", "GET /plans/card/{token}", card, nil, false},
		{"card-done", "GET /plans/card/{token}", card + "&done=1", nil, false},
		{"card-gone", "GET /plans/card/{token}", "/plans/card/x", nil, false},
		{"sign-in-wrong", "POST /sign-in", "/sign-in", submit, false},
		{"sign-in-out", "GET /sign-in", "/sign-in?said=out", nil, false},
		{"sign-in-closed", "GET /portal", "/portal", nil, false},
		{"code-wrong", "POST /sign-in/code", "/sign-in/code", submit, false},
		{"code-sent", "GET /sign-in/code", "/sign-in", chromedp.Tasks{
			chromedp.SendKeys("#email", "ana@example.org"), chromedp.Click("#submit"), chromedp.WaitVisible("#code"),
		}, true},
		{"link", "GET /sign-in/link", "/sign-in/link#x", chromedp.WaitVisible("#submit"), false},
		{"link-used", "POST /sign-in/link", "", chromedp.Tasks{chromedp.Click("#submit"), chromedp.WaitNotPresent("#submit")}, false},
	}
}

// donorPages returns the visits of a signed-in donor.
func (g *pagesProgram) donorPages(phrase.Language) []pageVisit {
	plan := "/portal/plans/" + g.active.PublicRef
	year := time.Now().In(g.Offer("csio").Entity.Location()).Year()
	linkAddress := chromedp.Tasks{
		chromedp.Click("#addresses summary"), chromedp.SendKeys("#email", "rosa@example.org"), chromedp.Submit("#email"), chromedp.WaitVisible("#code"),
	}
	wrong := chromedp.Tasks{chromedp.SendKeys("#code", "1"), chromedp.Submit("#code"), chromedp.WaitVisible("#errors")}
	const badDetails = `document.getElementById("first_name").value = ""; document.getElementById("phone").value = "call me"`
	details := chromedp.Tasks{chromedp.Evaluate(badDetails, nil), chromedp.Submit("#phone"), chromedp.WaitVisible("#errors")}
	erase := chromedp.Tasks{chromedp.Submit(`[value="erase"]`), chromedp.WaitVisible(".notice-error")}
	return []pageVisit{
		{"portal-table", "GET /portal", "/portal", chromedp.Click(".fold summary"), false},
		{"gifts-year", "GET /portal/gifts", fmt.Sprintf("/portal/gifts?org=csio&year=%d", year-1), nil, false},
		{"gifts-none", "GET /portal/gifts", "/portal/gifts?year=1999", nil, false},
		{"receipt", "GET /portal/gifts/{ref}/receipt", "/portal/gifts/" + g.plan.PublicRef + "/receipt", nil, false},
		{"plan", "GET /portal/plans/{ref}", plan, nil, true},
		{"plan-pause", "GET /portal/plans/{ref}", plan + "?do=pause&months=3", nil, false},
		{"plan-change", "GET /portal/plans/{ref}", plan + "?do=change&amount=25&frequency=weekly&fund=haiti-dessalines-brigade&cover_fees=yes", nil, false},
		{"plan-resume", "GET /portal/plans/{ref}", "/portal/plans/" + g.paused.PublicRef + "?do=resume", nil, false},
		{"plan-wrong", "POST /portal/plans/{ref}", plan + "?do=pause&months=40", nil, false},
		{"erase", "GET /portal/records", "/portal/records?do=erase", nil, false},
		{"erase-no", "POST /portal/records/erasure", "", erase, false},
		{"statement", "GET /portal/statements/{ref}", fmt.Sprintf("/portal/statements/%d-%s", year, g.paid.DonorID), nil, false},
		{"details-saved", "GET /portal/details", "/portal/details?said=saved", nil, false},
		{"details-wrong", "POST /portal/details", "/portal/details", details, false},
		{"join", "POST /portal/addresses", "/portal/details", linkAddress, false},
		{"join-wrong", "POST /portal/addresses/prove", "", wrong, false},
	}
}
