package web_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	officebank "konbit/internal/office/bank"
	"konbit/internal/office/giftimport"
	"konbit/internal/office/offline"
	"konbit/internal/people/staff"
	"konbit/internal/platform/phrase"
	"konbit/internal/web/portal/signedlink"
	"konbit/internal/workshop/testkit/bank"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// publicPages returns the visits of pages that need no session.
func (g *pagesProgram) publicPages(t testing.TB, lang phrase.Language) []pageVisit {
	submit := chromedp.Tasks{chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#errors", chromedp.ByID)}
	monthly := chromedp.Tasks{
		chromedp.Click(`label[for="amount-1"]`), chromedp.Click(`input[value="monthly"]`), chromedp.SendKeys("#occurrences", "12"),
	}
	secret := func(p plan.Plan) string {
		_, token, _ := strings.Cut(visitor.PlanLink(t, g.Program, p.PublicRef).ManageURL, "#")
		return "/plans/open#" + token
	}
	manage := func(p plan.Plan) string { return "/plans/" + p.PublicRef }
	oldLink := strings.Replace(visitor.OldPlanLink(g.Program, g.active.PublicRef), "lang=en", "lang="+string(lang), 1)
	shown := chromedp.WaitVisible("dl.facts", chromedp.ByQuery)
	thanks := func(d donation.Donation) string { return "/give/" + fullOrganisation + "/thanks?gift=" + d.PublicRef }
	const planRoute = "GET /plans/{ref}"
	// Each language uses a donor of its own.
	kind := map[phrase.Language]string{"en": "statements", "es": "reminders", "pt": "statements", "ht": "reminders"}[lang]
	of := g.paid.DonorID
	if lang == "pt" || lang == "ht" {
		of = g.other.DonorID
	}
	choice := strings.TrimPrefix(signedlink.StopLink(g.Server.BaseURL, g.Server.Keys)(of, kind, lang), g.URL)
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
		{"open-wrong", "POST /plans/open", "/plans/open", chromedp.Tasks{chromedp.Click("#open"), chromedp.WaitVisible("#errors", chromedp.ByID)}, false},
		{"open-closed", planRoute, manage(g.active), nil, false},
		{"open-old", "GET /plans/{ref}/{key}", oldLink, nil, true},
		{"open-sent", "POST /plans/{ref}/{key}", "", chromedp.Tasks{chromedp.Click("#fresh"), chromedp.WaitNotPresent("#fresh")}, false},
		{"plan-link", planRoute, secret(g.active), shown, true},
		{"plan-link-changed", planRoute, manage(g.active) + "?said=change", nil, false},
		{"plan-link-skip", planRoute, manage(g.active) + "?do=skip", nil, false},
		{"plan-link-wrong", "POST /plans/{ref}", manage(g.active) + "?do=change&amount=1&frequency=monthly&fund=nothing&date=2001-01-01", nil, false},
		{"plan-link-more", planRoute, manage(g.active) + "?do=change&amount=5000&frequency=weekly&fund=where-needed-most", nil, false},
		{"plan-link-code", "GET /plans/{ref}/code", "", chromedp.Tasks{chromedp.Click("#prove"), chromedp.WaitVisible("#code")}, true},
		{"plan-link-code-wrong", "POST /plans/{ref}/code", "", submit, false},
		{"plan-link-card", "GET /plans/{ref}/card", manage(g.active) + "/card", nil, false},
		{"plan-link-failing", planRoute, secret(g.failing), shown, false},
		{"plan-link-paused", planRoute, secret(g.paused), shown, false},
		{"plan-link-stopped", planRoute, secret(g.cancelled), shown, false},
		{"plan-link-stale", planRoute, manage(g.cancelled) + "?do=skip", nil, false},
		{"email-choice", "GET /letters/{token}", choice, nil, false},
		{"email-choice-stopped", "POST /letters/{token}", "", chromedp.Tasks{chromedp.Click("#stop"), chromedp.WaitNotPresent("#stop")}, false},
		{"address-move", "GET /addresses/move", "/addresses/move#x", chromedp.WaitVisible("#submit"), true},
		{"address-move-wrong", "POST /addresses/move", "", chromedp.Tasks{chromedp.Click("#submit"), chromedp.WaitNotPresent("#submit")}, false},
		{"office-sign-in-wrong", "POST /office/sign-in", "/office/sign-in", submit, true},
		{"office-invitation-wrong", "POST /office/invitation", "/office/invitation", submit, true},
		{"sign-in-wrong", "POST /sign-in", "/sign-in", submit, false},
		{"sign-in-out", "GET /sign-in", "/sign-in?said=out", nil, false},
		{"sign-in-code-used", "GET /sign-in", "/sign-in?said=used", nil, false},
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
func (g *pagesProgram) donorPages(testing.TB, phrase.Language) []pageVisit {
	plan := "/portal/plans/" + g.active.PublicRef
	year := time.Now().In(g.Offer("csio").Entity.Location()).Year()
	linkAddress := chromedp.Tasks{
		chromedp.Click("#addresses summary"), chromedp.SendKeys("#email", "rosa@example.org"), chromedp.Submit("#email"), chromedp.WaitVisible("#code"),
	}
	wrong := chromedp.Tasks{chromedp.SendKeys("#code", "1"), chromedp.Submit("#code"), chromedp.WaitVisible("#errors")}
	const badDetails = `document.getElementById("first_name").value = ""; document.getElementById("phone").value = "call me"`
	details := chromedp.Tasks{chromedp.Evaluate(badDetails, nil), chromedp.Submit("#phone"), chromedp.WaitVisible("#errors")}
	// A page that was opened before the recurring gift began has the button.
	const eraseAnyway = `const form = document.createElement("form"); form.method = "post"; form.action = "/portal/records/erasure" + location.search;
		form.append(document.querySelector('[name="session"]').cloneNode(), Object.assign(document.createElement("input"), {name: "do", value: "erase"}));
		document.body.append(form); form.submit()`
	erase := chromedp.Tasks{chromedp.Evaluate(eraseAnyway, nil), chromedp.WaitVisible(`[role="alert"]`)}
	return []pageVisit{
		{"portal-table", "GET /portal", "/portal", chromedp.Click(".fold summary"), false},
		{"gifts-year", "GET /portal/gifts", fmt.Sprintf("/portal/gifts?org=csio&year=%d", year-1), nil, false},
		{"gifts-none", "GET /portal/gifts", "/portal/gifts?year=1999", nil, false},
		{"receipt", "GET /portal/gifts/{ref}/receipt", "/portal/gifts/" + g.plan.PublicRef + "/receipt", nil, false},
		{"plan", "GET /portal/plans/{ref}", plan, nil, true},
		{"plan-pause", "GET /portal/plans/{ref}", plan + "?do=pause&months=3", nil, false},
		{"plan-change", "GET /portal/plans/{ref}", plan + "?do=change&amount=25&frequency=weekly&fund=haiti-dessalines-brigade&cover_fees=yes", nil, false},
		{"plan-resume", "GET /portal/plans/{ref}", "/portal/plans/" + g.paused.PublicRef + "?do=resume", nil, false},
		{"plan-card", "GET /portal/plans/{ref}/card", plan + "/card", nil, false},
		{"plan-card-done", "GET /portal/plans/{ref}/card", plan + "/card?done=1", nil, false},
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

// staff returns a member of the staff with all roles in two scopes, whose factor is not fresh.
func (g *pagesProgram) staff(t testing.TB) *visitor.Member {
	m := visitor.NewMember(t, g.Program, "max@example.org", staff.Admin, visitor.ScopeOf(t, g.Program, "tsne", ""))
	for _, role := range []staff.RoleName{staff.Entry, staff.Finance, staff.Auditor} {
		visitor.Invited(t, g.Program, m.Email, role, visitor.ScopeOf(t, g.Program, "tsne", ""))
	}
	visitor.Invited(t, g.Program, m.Email, staff.Auditor, visitor.ScopeOf(t, g.Program, "grassroots-international", ""))
	visitor.Invited(t, g.Program, "ana.perez.de.la.cruz@mail.cooperativa-campesina.example", staff.Finance, visitor.ScopeOf(t, g.Program, "tsne", "csio"))
	m.SignIn()
	disputed := g.SettledGift(visitor.FormOf("dan@example.org", "Dan"))
	g.erasable = disputed.DonorID.String()
	_, err := g.Fake.Dispute(g.IntentOf(disputed), false)
	require.NoError(t, err)
	asked := g.SettledGift(visitor.FormOf("eva@example.org", "Eva"))
	bank.AddAccount(t, g.Program, "tsne", "checking", "all")
	_, err = g.Fake.AdjustBalance("tsne", "network_cost_of_the_future", "usd", 1240) // in suspense
	require.NoError(t, err)
	_, err = g.Fake.ManualPayout("tsne", 500, false)
	require.NoError(t, err)
	posted := visitor.PostBatch(t, g.Program, "csio", offline.Typed{"first_name": "Rosa", "last_name": "Lima", "amount": "100", "number": "1001"},
		offline.Typed{"first_name": "Cy", "method": "cash", "amount": "50", "counted_by": "June and Clara"})
	g.DeliverNew()
	g.DrainAll()
	_, err = g.Collector.Sweep(t.Context()) // the fees of the gifts
	require.NoError(t, err)
	g.RetryParked()
	got := m.PostOffice("/office/tsne/gifts/"+asked.PublicRef+"/refund", url.Values{"all": {"1"}, "reason": {"requested"}, "note": {"Ana called"}, "submission": {program.NewID().String()}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	g.approval, _, _ = strings.Cut(got.Header.Get("Location"), "?")
	g.returned = g.returnedCheck(t, m, posted)
	g.sendFile(t, posted)
	check := g.Lines(`SELECT public_ref FROM donation g JOIN payment p ON p.donation_id = g.id AND p.method = 'check' ORDER BY g.created_at DESC LIMIT 1`)[0]
	got = m.PostOffice("/office/tsne/gifts/"+check+"/refund", url.Values{"part[general]": {"10"}, "reason": {"requested"}, "submission": {program.NewID().String()}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	visitor.PostBatch(t, g.Program, "csio", offline.Typed{"first_name": "Ivy", "email": "ivy@example.org", "method": "transfer", "amount": "60"})
	g.correctable = "/office/tsne/gifts/" + g.Lines(`SELECT public_ref FROM donation g JOIN offline_gift o ON o.donation_id = g.id AND o.method = 'transfer'`)[0]
	return m.Stale()
}

// sendFile sends a file with gifts: one that can be posted, one that cannot.
func (g *pagesProgram) sendFile(t testing.TB, by *office.Person) {
	raw := []byte("Name,Amount,Check,Date,Fund\nRosa Lima,25,77,2026-01-05,general\nBen,many,78,2026-01-05,general\n")
	table, err := giftimport.ReadTable(raw)
	require.NoError(t, err)
	require.NoError(t, by.InTx(t, g.DB.Server, func(tx *sqlx.Tx) error {
		_, err := giftimport.UploadTx(t.Context(), tx, program.NewID(), visitor.ScopeOf(t, g.Program, "tsne", "").EntityID, "gifts.csv", raw, table)
		return err
	}))
}

// returnedCheck deposits what waits, and returns the page of a line of the bank that took one of the checks back. Another deposit is open.
func (g *pagesProgram) returnedCheck(t testing.TB, m *visitor.Member, by *office.Person) string {
	account := bank.AddAccount(t, g.Program, "tsne", "deposits", "all")
	got := m.PostOffice("/office/tsne/deposits", url.Values{"submission": {program.NewID().String()}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	got = m.PostOffice("/office/tsne/deposits/1", url.Values{"do": {"close"}, "account": {"deposits"}, "total": {"15000"},
		"deposited_on": {time.Now().AddDate(0, 0, -1).Format(time.DateOnly)}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	line := bank.AddLine(t, g.Program, by, account, 15000, "COUNTER DEPOSIT")
	require.NoError(t, by.InTx(t, g.DB.Server, func(tx *sqlx.Tx) error {
		_, err := g.Bank.MatchTx(t.Context(), tx, g.CurrentCatalog(), account.EntityID, officebank.Order{Account: "deposits", Lines: []officebank.Part{line},
			Items: []officebank.Chosen{{Item: "deposit:1"}}})
		return err
	}))
	visitor.PostBatch(t, g.Program, "csio", offline.Typed{"first_name": "Ben", "amount": "80", "number": "1002"})
	got = m.PostOffice("/office/tsne/deposits", url.Values{"submission": {program.NewID().String()}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	g.wire = "/office/tsne/bank/deposits/gift?line=" + bank.AddLine(t, g.Program, by, account, 25000, "WIRE FIDELITY CHARITABLE").String()
	return "/office/tsne/deposits/returned?line=" + bank.AddLine(t, g.Program, by, account, -10000, "RETURNED CHECK 1001").String()
}

// memberOf returns a member of the staff with one role, who reads no money.
func (g *pagesProgram) memberOf(t testing.TB, role staff.RoleName) *visitor.Visitor {
	return visitor.NewMember(t, g.Program, string(role)+"@example.org", role, visitor.ScopeOf(t, g.Program, "tsne", "")).Visitor
}

// todayOf returns the visit of the first page of such a member.
func todayOf(name string) func(testing.TB, phrase.Language) []pageVisit {
	return func(testing.TB, phrase.Language) []pageVisit {
		return []pageVisit{{"office-today-" + name, "GET /office/{entity}", "/office/tsne", nil, true}}
	}
}

// formsOfStaff are the pages with the forms that are posted below.
var formsOfStaff = map[string]string{
	"POST /office/{entity}/donors/{id}/plans/{plan}": "", "POST /office/{entity}/donors/{id}/receipts/{receipt}": "", "POST /office/{entity}/donors/{id}/details": "",
	"POST /office/{entity}/gifts/export": "", "POST /office/{entity}/batches": "", "POST /office/{entity}/batches/{n}": "", "POST /office/{entity}/tasks/{task}": "",
	"POST /office/{entity}/bank/{account}": "", "POST /office/{entity}/bank/{account}/files": "", "POST /office/{entity}/bank/{account}/lines": "",
	"POST /office/{entity}/bank/{account}/rule": "", "POST /office/{entity}/payouts": "", "POST /office/{entity}/suspense/{subject}": "", "POST /office/{entity}/notes": "/office/{entity}/gifts/{ref}",
}

// staffPages returns the visits of a member of the staff: those below, and one for each page of a scope that is read, with an
// object of csio, or of another organisation, where the address names one; and the answer to each form that is sent empty.
func (g *pagesProgram) staffPages(_ testing.TB, _ phrase.Language) []pageVisit {
	refund := "/office/tsne/gifts/" + g.paid.PublicRef + "/refund"
	check := chromedp.Tasks{chromedp.Click("#all"), chromedp.Click("#reason"), chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#effect", chromedp.ByID)}
	withdraw := chromedp.Tasks{chromedp.Evaluate(`document.querySelector("#withdraw button")?.click()`, nil), chromedp.WaitNotPresent("#withdraw")}
	submit := chromedp.Tasks{chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#errors", chromedp.ByID)}
	invite := chromedp.Tasks{
		chromedp.SendKeys("#email", "new@example.org"), chromedp.SendKeys("#name", "New"), chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#confirm", chromedp.ByID),
	}
	closeWrong := chromedp.Tasks{chromedp.Evaluate(`document.getElementById("deposited_on").value = ""`, nil), chromedp.Click("#submit", chromedp.ByID),
		chromedp.WaitVisible("#errors", chromedp.ByID)}
	noCheck := chromedp.Tasks{chromedp.Evaluate(`document.querySelector("[name=check]").checked = false`, nil), chromedp.Click("#submit", chromedp.ByID),
		chromedp.WaitVisible("#errors", chromedp.ByID)}
	mapped := chromedp.Tasks{chromedp.Click("#mapping summary"), chromedp.Evaluate(`document.body.dataset.before = "1"`, nil),
		chromedp.Click("#mapping button", chromedp.ByQuery), chromedp.WaitNotPresent("body[data-before]", chromedp.ByQuery), chromedp.WaitVisible("#mapping summary")}
	owedWrong := chromedp.Tasks{chromedp.Click("#content section summary"), chromedp.Click("#content section form button"), chromedp.WaitVisible("#errors", chromedp.ByID)}
	corrected := chromedp.Tasks{chromedp.Evaluate(`document.getElementById("amount").value = "61"`, nil), chromedp.SendKeys("#reason", "read wrong"),
		chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#effect", chromedp.ByID)}
	visits := []pageVisit{
		{"office-scope", "GET /office/{entity}", "/office/tsne?org=csio", nil, true},
		{"office-people", "GET /office/{entity}/people", "/office/tsne/people?said=invited", chromedp.Click(".person .fold summary"), true},
		{"office-people-wrong", "POST /office/{entity}/people", "/office/tsne/people", submit, false},
		{"office-people-confirm", "POST /office/{entity}/people", "/office/tsne/people", invite, true},
		{"office-refund", "GET /office/{entity}/gifts/{ref}/refund", refund, nil, true},
		{"office-refund-wrong", "POST /office/{entity}/gifts/{ref}/refund", refund, submit, false},
		{"office-refund-check", "POST /office/{entity}/gifts/{ref}/refund", refund, check, true},
		{"office-gift-void", "GET /office/{entity}/gifts/{ref}/void", g.correctable + "/void", nil, true},
		{"office-gift-void-wrong", "POST /office/{entity}/gifts/{ref}/void", g.correctable + "/void", submit, false},
		{"office-gift-correct", "GET /office/{entity}/gifts/{ref}/correct", g.correctable + "/correct", nil, true},
		{"office-gift-correct-check", "POST /office/{entity}/gifts/{ref}/correct", g.correctable + "/correct", corrected, true},
		{"office-bank-gift", "GET /office/{entity}/bank/{account}/gift", g.wire, nil, true},
		{"office-bank-gift-wrong", "POST /office/{entity}/bank/{account}/gift", g.wire, submit, false},
		{"office-refunds", "GET /office/{entity}/refunds", "/office/tsne/refunds", nil, true},
		{"office-deposits", "POST /office/{entity}/deposits", "/office/tsne/deposits", nil, false},
		{"office-deposit", "GET /office/{entity}/deposits/{deposit}", "/office/tsne/deposits/2", nil, true},
		{"office-deposit-booked", "GET /office/{entity}/deposits/{deposit}", "/office/tsne/deposits/1", nil, false},
		{"office-deposit-wrong", "POST /office/{entity}/deposits/{deposit}", "/office/tsne/deposits/2", closeWrong, false},
		{"office-returned", "GET /office/{entity}/deposits/returned", g.returned, nil, true},
		{"office-returned-wrong", "POST /office/{entity}/deposits/returned", g.returned, noCheck, false},
		{"office-imports-wrong", "POST /office/{entity}/imports", "/office/tsne/imports", submit, false},
		{"office-import", "GET /office/{entity}/imports/{import}", "/office/tsne/imports/1", chromedp.Click("#mapping summary"), true},
		{"office-import-mapped", "POST /office/{entity}/imports/{import}", "/office/tsne/imports/1", mapped, false},
		{"office-owed", "GET /office/{entity}/refunds/owed", "/office/tsne/refunds/owed", chromedp.Click("#content section summary"), true},
		{"office-owed-wrong", "POST /office/{entity}/refunds/owed", "/office/tsne/refunds/owed", owedWrong, false},
		{"office-approvals", "GET /office/{entity}/approvals", "/office/tsne/approvals?list=all", nil, true},
		{"office-approval", "GET /office/{entity}/approvals/{request}", g.approval, nil, true},
		{"office-approval-withdrawn", "POST /office/{entity}/approvals/{request}", g.approval, withdraw, false},
		{"office-setup-wrong", "POST /office/setup", "/office/setup", submit, true},
		{"office-account-wrong", "POST /office/account", "/office/account", submit, true},
	}
	const press = `(() => { const b = document.querySelector("#notes button, main form [id^=submit]"); b.closest("details")?.setAttribute("open", ""); b.click() })()`
	empty := chromedp.Tasks{chromedp.Evaluate(press, nil), chromedp.WaitVisible("#errors", chromedp.ByID)}
	visits = append(visits, pageVisit{"office-erasure-wrong", "POST /office/{entity}/donors/{id}/erasure", "/office/tsne/donors/" + g.erasable + "/erasure", empty, false})
	for _, r := range g.Server.Routes() {
		name := r.Method + " " + r.Pattern
		listed := slices.ContainsFunc(visits, func(v pageVisit) bool { return v.route == name }) || slices.Contains(routesWithoutPage, name)
		form, posted := formsOfStaff[name]
		if listed || r.Method != http.MethodGet && !posted || !strings.HasPrefix(r.Pattern, "/office/{entity}/") {
			continue
		}
		path := visitor.OfficePath(g.Program, cmp.Or(form, r.Pattern), "tsne", "csio", fullOrganisation)
		visit := pageVisit{"office" + strings.NewReplacer("/office/{entity}", "", "/", "-", "{", "", "}", "").Replace(r.Pattern), name, path, nil, true}
		if posted {
			visit.name, visit.action, visit.byKeyboard = visit.name+"-wrong", empty, false
		}
		if path != "" {
			visits = append(visits, visit)
		}
	}
	return visits
}
