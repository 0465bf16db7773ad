package web_test

import (
	"bytes"
	"cmp"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/setup"
	"konbit/internal/people/staff"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// fullOrganisation is the organisation that offers all languages.
const fullOrganisation = "grassroots-international"

// routesWithoutPage are the routes that no test can open by itself (POST, or with a parameter) and that show no page:
// those for programs, documents, and redirects.
var routesWithoutPage = []string{
	"* /static/*", "POST /hooks/stripe/{entity}", "POST /give/{org}/event", "POST /portal/plans/{ref}/card",
	"POST /plans/fresh", "POST /plans/{ref}/email", "GET /plans/card/{token}", "POST /plans/card/{token}",
	"POST /portal/addresses/part", "POST /portal/addresses/choose", "POST /letters/{token}/again", "POST /portal/sessions/end", "POST /portal/sessions/end-one", "POST /sign-out", "POST /office/sign-out",
	"GET /portal/gifts/{ref}/receipt.pdf",
	"GET /portal/statements/{ref}/pdf", "GET /office/{entity}/disputes/{dispute}/evidence",
	"GET /office/{entity}/deposits/{deposit}/slip", "GET /office/{entity}/imports/{import}/left",
}

// pageVisit is one page to check, and how a person opens it.
type pageVisit struct {
	name       string
	route      string          // the route that serves the page
	path       string          // empty: the page that is open after the previous visit
	action     chromedp.Action // what the person does on the page; nil for nothing
	byKeyboard bool            // also checked by keyboard
}

// person is a kind of visitor, who may use the routes of one permission, or of all roles of a kind of permission.
type person struct {
	permission string // "staff" is all permissions that begin with "staff: ", each a role: the visitor has all of them; "": only the pages are visited
	visitor    *visitor.Visitor
	pages      func(testing.TB, phrase.Language) []pageVisit // the visits that need a parameter, a form or a special state; nil if none
}

// may reports whether the person may use routes with a permission.
func (p person) may(permission string) bool {
	return permission == p.permission || strings.HasPrefix(permission, p.permission+": ")
}

// reads reports whether the person's pages are written in a language: those of staff are in two.
func (p person) reads(lang phrase.Language) bool {
	return p.permission == "public" || p.permission == "donor's session" || slices.Contains(view.StaffLanguages, lang)
}

// persons returns a person for each kind of permission whose routes can be opened without a parameter. A new kind of
// person, such as staff, is a row here.
func (g *pagesProgram) persons(t *testing.T) []person {
	return []person{
		{"public", visitor.New(t, g.Program), g.publicPages},
		{"donor's session", g.visitor, g.donorPages},
		{"staff", g.staff(t).Visitor, g.staffPages},
		{"", g.memberOf(t, staff.Admin), todayOf("admin")},
		{"", g.memberOf(t, staff.Entry), todayOf("entry")},
	}
}

// listedVisits returns the visits in page_visits_test.go.
func (p person) listedVisits(t testing.TB, lang phrase.Language) []pageVisit {
	if p.pages == nil {
		return nil
	}
	return p.pages(t, lang)
}

// opensByItself reports whether a test can open the route without an entry in a list: it is read, and its address has
// no parameter.
func opensByItself(r route) bool {
	return r.Method == http.MethodGet && !strings.ContainsAny(r.Pattern, "{*")
}

// plainVisits returns a visit for each route that a person's permission allows and that can be opened without a list.
// Routes whose response is no HTML, such as files and health, are left out. It reports an error if the person may not
// read a route.
func plainVisits(t *testing.T, g *pagesProgram, p person) (visits []pageVisit) {
	t.Helper()
	for _, r := range routes(t, g.Program) {
		if !opensByItself(r) || !p.may(r.Permission) {
			continue
		}
		got := p.visitor.Ask(http.MethodGet, r.Pattern, nil)
		require.Equal(t, http.StatusOK, got.StatusCode, "%s as a visitor with permission %q", r.name(), r.Permission)
		if kind, _, _ := mime.ParseMediaType(got.Header.Get("Content-Type")); kind == "text/html" {
			name := strings.ReplaceAll(strings.Trim(r.Pattern, "/"), "/", "-")
			visits = append(visits, pageVisit{cmp.Or(name, "home"), r.name(), r.Pattern, nil, true})
		}
	}
	require.NotEqual(t, p.permission == "", len(visits) > 0, "pages of permission %q", p.permission)
	return visits
}

// pagesProgram is a program with a donor who has every kind of gift and plan.
type pagesProgram struct {
	*program.Program
	visitor                            *visitor.Visitor
	paid, plan, open, unpaid, other    donation.Donation
	active, failing, paused, cancelled plan.Plan
	approval                           string // address of a request for a second person
	returned                           string // address of a line of the bank that took a check back
	correctable                        string // address of a gift without a processor, of which all is there
	wire                               string // address of the form that makes a gift of a line of the bank
	erasable                           string // a donor without a recurring gift
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

	for i, plan := range []*plan.Plan{&g.active, &g.failing, &g.paused, &g.cancelled} {
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

// TestEveryPageIsAccessible opens every page, in every language, and checks it by WCAG 2.2 AA and by keyboard. Routes
// that are read without a parameter are opened by themselves; the others have an entry in page_visits_test.go.
func TestEveryPageIsAccessible(t *testing.T) {
	g := newPagesProgram(t)
	persons := g.persons(t)
	plain := map[string][]pageVisit{}
	visited := map[string]bool{}
	for _, p := range persons {
		plain[p.permission] = plainVisits(t, g, p)
		for _, v := range p.listedVisits(t, phrase.English) {
			visited[v.route] = true
		}
	}
	for _, r := range routes(t, g.Program) {
		if opensByItself(r) {
			known := slices.ContainsFunc(persons, func(p person) bool { return p.may(r.Permission) })
			assert.True(t, known, "%s: no person has permission %q: add a row to persons", r.name(), r.Permission)
			continue
		}
		assert.NotEqual(t, slices.Contains(routesWithoutPage, r.name()), visited[r.name()], "%s: add a visit of its page, or list it in routesWithoutPage", r.name())
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
			for _, p := range persons {
				if !p.reads(lang) {
					continue
				}
				tab.run(network.ClearBrowserCookies())
				for name, value := range p.visitor.Cookies {
					tab.run(network.SetCookie(name, value).WithURL(g.URL))
				}
				for _, v := range append(slices.Clone(plain[p.permission]), p.listedVisits(t, lang)...) {
					tab.checkPage(v)
				}
			}
		})
	}
}
