package portal_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/mail"
	"konbit/internal/web/letters"
	"konbit/internal/workshop/testkit/visitor"
)

// linkRow is a row of the table of links in internal/mail/README.md. Its lists are sorted.
type linkRow struct {
	name    string
	address *regexp.Regexp // of the link without host and language
	emails  []string       // kinds
	shows   []string
	can     []string
	lasts   string
	endedBy []string
}

// readLinkTable reads the table of links, and the kinds of emails from the table before it.
func readLinkTable(t *testing.T) (rows []linkRow, kinds []string) {
	t.Helper()
	readme, err := os.ReadFile("../../mail/README.md")
	require.NoError(t, err)
	for line := range strings.Lines(string(readme)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		switch {
		case len(cells) == 8 && strings.HasPrefix(cells[0], "`"):
			kinds = append(kinds, strings.Trim(cells[0], "`"))
		case len(cells) == 7 && strings.HasPrefix(cells[1], "`"):
			rows = append(rows, linkRow{cells[0], linkPattern(cells[1]), words(cells[2]), words(cells[3]), words(cells[4]), cells[5], words(cells[6])})
		}
	}
	require.Len(t, rows, 10)
	require.Greater(t, len(kinds), 20)
	return rows, kinds
}

// linkPattern returns the pattern of an address, or of a code, as the table writes it.
func linkPattern(cell string) *regexp.Regexp {
	pattern, part := regexp.QuoteMeta(strings.Trim(cell, "`")), `[\w-]+`
	signs := strings.NewReplacer("A", "[0-9A-Z]", "9", "[0-9]")
	if strings.HasPrefix(pattern, "/") {
		signs = strings.NewReplacer(`\?…`, `\?[\w=&-]+`, "…", part, `\{token\}`, part, `\{ref\}`, part, `\{key\}`, part, `\{org\}`, part)
	}
	return regexp.MustCompile("^" + signs.Replace(pattern) + "$")
}

// words returns the words of a cell, sorted.
func words(cell string) (all []string) {
	for word := range strings.SplitSeq(strings.ReplaceAll(cell, "`", ""), ",") {
		if word = strings.TrimSpace(word); word != "none" && word != "nothing" {
			all = append(all, word)
		}
	}
	slices.Sort(all)
	return all
}

// is reports whether a link of an email is the row's.
func (r linkRow) is(link, host string) bool {
	address, inLanguage := strings.TrimPrefix(link, host), regexp.MustCompile(`lang=\w\w&?`)
	address = inLanguage.ReplaceAllString(address, "")
	return r.address.MatchString(strings.TrimSuffix(strings.ReplaceAll(address, "?#", "#"), "?"))
}

// TestLinksOfEveryEmail sends every email in every language, uses each link without a cookie, and compares what it
// shows and does with the table of links in internal/mail/README.md. Reading a link changes nothing.
func TestLinksOfEveryEmail(t *testing.T) {
	s := newSender(t)
	s.checkActs()
	rows, kinds := readLinkTable(t)
	var givers []giver
	for _, lang := range s.Server.Languages {
		g := s.newGiver(lang)
		s.sendReceipts(g)
		givers = append(givers, g)
	}
	s.sendStatements()
	for _, g := range givers {
		s.reviseReceipts(g)
		s.sendNotices(g)
		s.sendThanks(g)
		_, err := mail.MoveRequest{SignIns: s.SignIns, MoveLink: letters.MoveLink(s.Server.BaseURL)}.Send(t.Context(), g.address, "new-"+string(g.lang)+"@example.net")
		require.NoError(t, err)
		s.sendAddresses(s.signIn(g), g.other)
		s.sendEvents(g, runningEvents)
		require.NoError(t, s.plans.MailFreshLink(t.Context(), g.plan.ID))
	}
	s.sendStatements()
	s.sendDigest()
	s.refuseRequests()
	for _, g := range givers {
		s.tryLinks(rows, g)
	}
	for _, g := range givers {
		s.cancel(g)
		s.sendEvents(g, endingEvents)
		s.erase(g)
	}
	s.checkWhere(rows, kinds)
}

// checkWhere compares which emails contain which links.
func (s sender) checkWhere(rows []linkRow, kinds []string) {
	s.t.Helper()
	sent, seen := map[string]bool{}, map[string]map[string]bool{} // kind and language; row and language, kind
	for _, m := range s.Mail.Messages() {
		email := readEmail(s.t, m)
		sent[email.kind+" "+string(email.lang)] = true
		for _, link := range email.links {
			i := slices.IndexFunc(rows, func(r linkRow) bool { return r.is(link, s.URL) })
			if assert.GreaterOrEqual(s.t, i, 0, "no row is about %s of %s", link, email.kind) {
				key := rows[i].name + " " + string(email.lang)
				if seen[key] == nil {
					seen[key] = map[string]bool{}
				}
				seen[key][email.kind] = true
			}
		}
	}
	for _, lang := range s.Server.Languages {
		for _, kind := range kinds {
			assert.True(s.t, sent[kind+" "+string(lang)] || kind == "head" && sent["head en"], "no email %s in %s", kind, lang)
		}
		for _, r := range rows {
			assert.Equal(s.t, r.emails, slices.Sorted(maps.Keys(seen[r.name+" "+string(lang)])), "emails in %s with the link %s", lang, r.name)
		}
	}
}

// refuseRequests refuses what donors request by links, as soon as it is stored: nothing is executed, and no page waits.
func (s sender) refuseRequests() {
	ctx := s.t.Context()
	go func() {
		for ctx.Err() == nil {
			_, _ = s.DB.Owner.ExecContext(ctx, `UPDATE plan_request SET refused = 'a test' WHERE asked_by = 'letter' AND carried_at IS NULL AND refused IS NULL`)
			time.Sleep(20 * time.Millisecond)
		}
	}()
}

// newestLink returns the newest link of a row in the emails to an address; "" if there is none.
func (s sender) newestLink(r linkRow, to string) string {
	s.t.Helper()
	for _, m := range s.Mail.Messages() { // the newest is first
		email := readEmail(s.t, m)
		if i := slices.IndexFunc(email.links, func(link string) bool { return r.is(link, s.URL) }); i >= 0 && email.to == to {
			return email.links[i]
		}
	}
	return ""
}

// tryLinks tries the newest link of each row in the emails to a person.
func (s sender) tryLinks(rows []linkRow, g giver) {
	s.t.Helper()
	inLanguage := strings.NewReplacer("lang=en", "lang="+string(g.lang))
	for _, r := range rows {
		s.t.Run(string(g.lang)+"/"+r.name, func(t *testing.T) {
			s.Exec(`DELETE FROM guard_count`)
			u := use{sender: s, g: g, v: visitor.New(t, s.Program), asker: visitor.New(t, s.Program)}
			u.t = t
			switch r.name {
			case "plan, before `plan_link`":
				u.link = s.URL + inLanguage.Replace(visitor.OldPlanLink(s.Program, g.plan.PublicRef))
			case "card, before `plan_link`":
				u.link = s.URL + inLanguage.Replace(visitor.OldCardLink(s.Program, g.plan.DonorID))
			case "sign-in", "sign-in's code":
				u.asker, _, _ = s.sendSignIn(g)
				u.link = s.newestLink(r, g.address)
			case "new address":
				u.link = s.newestLink(r, "new-"+string(g.lang)+"@example.net")
			default:
				u.link = s.newestLink(r, g.address)
			}
			require.NotEmpty(t, u.link)
			u.read()
			u.follow(u.v)
			u.follow(u.asker)
			assert.Equal(t, r.shows, u.shown(), "shows")
			var done []string
			for _, act := range linkActs {
				if act.try(u) {
					done = append(done, act.name)
				}
			}
			slices.Sort(done)
			assert.Equal(t, r.can, done, "can")
		})
	}
}

// use is the use of a link or code.
type use struct {
	sender
	g        giver
	link     string
	v, asker *visitor.Visitor // without a cookie; that asked for the newest sign-in email
}

// path returns the link's address without host and secret, and the secret behind the #.
func (u use) path() (path, secret string) {
	path, secret, _ = strings.Cut(strings.TrimPrefix(u.link, u.URL), "#")
	return path, secret
}

// read reads a link as programs do before people: it changes nothing.
func (u use) read() {
	u.t.Helper()
	path, _ := u.path()
	if !strings.HasPrefix(path, "/") {
		return
	}
	before := visitor.TableHashes(u.t, u.Program)
	for range 3 {
		got := visitor.New(u.t, u.Program).Ask("GET", path, nil)
		require.Equal(u.t, http.StatusOK, got.StatusCode)
		require.Equal(u.t, string(u.g.lang), regexp.MustCompile(`<html lang="(\w\w)`).FindStringSubmatch(got.Page)[1])
		visitor.New(u.t, u.Program).Ask("HEAD", path, nil)
	}
	require.Equal(u.t, before, visitor.TableHashes(u.t, u.Program))
}

// follow opens a link as the script of its page does, or types a code.
func (u use) follow(v *visitor.Visitor) {
	u.t.Helper()
	path, secret := u.path()
	switch {
	case strings.HasPrefix(path, "/"):
		v.Ask("GET", path, nil)
		if secret != "" && !strings.HasPrefix(path, letters.MovePath) { // its page waits for the button, which is an act
			v.Ask("POST", path, url.Values{"link": {secret}})
		}
	case planCode.MatchString(u.link):
		v.Ask("POST", "/plans/open", url.Values{"code": {u.link}})
	default:
		v.Ask("POST", "/sign-in/code", url.Values{"email": {u.g.address}, "code": {u.link}})
	}
}

// planPath returns the address of the plan's page for who opened a link, or of a page below it.
func (u use) planPath(below string) string { return "/plans/" + u.g.plan.PublicRef + below }

// shown returns what the pages say that a link opens.
func (u use) shown() (all []string) {
	path, _ := u.path()
	text := u.v.Ask("GET", u.planPath(""), nil).Page + u.v.Ask("GET", u.planPath("/card"), nil).Page + u.v.Ask("GET", u.planPath("/code"), nil).Page
	if strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "/give/") { // that is the form, which everybody can open
		text += u.v.Ask("GET", path, nil).Page
	}
	for word, pattern := range map[string]string{
		"plan": `\$[\s\x{a0}\x{202f}]?20\b`, "card": "4242", "kind of email": "List-Unsubscribe", "name": `Pérez|\bAna\b`, "address": "ana-|perez-", "other gift": `\$[\s\x{a0}\x{202f}]?77\b`,
	} {
		if regexp.MustCompile(pattern).MatchString(text) {
			all = append(all, word)
		}
	}
	slices.Sort(all)
	return all
}

var sessionToken = regexp.MustCompile(`name="session" value="([^"]+)"`)

// token returns the token of the forms on the plan's page; "" if there is none.
func (u use) token() string {
	if found := sessionToken.FindStringSubmatch(u.v.Ask("GET", u.planPath(""), nil).Page); found != nil {
		return found[1]
	}
	return ""
}

// post posts a form and reports whether it raised the number that a query returns.
func (u use) post(path string, form url.Values, query string, args ...any) bool {
	u.t.Helper()
	before := u.Count(query, args...)
	form.Set("session", u.token())
	u.v.Ask("POST", path, form)
	return u.Count(query, args...) > before
}

// change requests a change of the plan, and reports whether it was accepted.
func (u use) change(kind string, typed url.Values) bool {
	u.t.Helper()
	typed.Set("do", kind)
	typed.Set("press", uuid.NewString())
	return u.post(u.planPath(""), typed, `SELECT count(*) FROM plan_request WHERE plan_id = $1 AND kind = $2`, u.g.plan.ID, kind)
}

// terms requests other terms of the plan, and reports whether they were accepted.
func (u use) terms(amount, frequency, fund string, more ...string) bool {
	u.t.Helper()
	typed := url.Values{"amount": {amount}, "frequency": {frequency}, "fund": {fund}}
	if len(more) == 2 {
		typed.Set(more[0], more[1])
	}
	return u.change("change", typed)
}

// actsOfRoutes are the acts that try the routes to which a person with a link may post.
var actsOfRoutes = map[string][]string{
	"/plans/{ref}": {
		"pause", "skip", "cancel", "less", "more", "resume", "earlier date", "another fund", "cover the fee",
	},
	"/plans/{ref}/email":     {"code to the donor"},
	"/plans/{ref}/code":      {"session"}, // it takes the code of an email that goes to the donor
	"/plans/{ref}/{key}":     {"link to the donor"},
	"/plans/card/{token}":    {"link to the donor"},
	"/letters/{token}":       {"stop emails"},
	"/letters/{token}/again": {"allow emails"},
}

// checkActs checks that each route to which a person with a link may post is tried by an act.
func (s sender) checkActs() {
	s.t.Helper()
	n := 0
	for _, r := range s.Server.Routes() {
		if r.Method == http.MethodGet || !strings.HasPrefix(r.Permission, "opened link") && !strings.HasPrefix(r.Permission, "link: ") {
			continue
		}
		n++
		assert.NotEmpty(s.t, actsOfRoutes[r.Pattern], "no act tries %s: add one to linkActs, and its word to the table of links", r.Pattern)
		for _, name := range actsOfRoutes[r.Pattern] {
			assert.True(s.t, slices.ContainsFunc(linkActs, func(a linkAct) bool { return a.name == name }), name)
		}
	}
	require.Len(s.t, actsOfRoutes, n, "a route does not exist any more")
}

// linkAct is an act that a person may try with a link, and reports whether it worked.
type linkAct struct {
	name string
	try  func(u use) bool
}

// linkActs are all acts that a person may try with a link.
var linkActs = []linkAct{
	{"session", func(u use) bool { return u.v.Ask("GET", "/portal", nil).StatusCode == http.StatusOK }},
	{"session in the browser that asked", func(u use) bool { return u.asker.Ask("GET", "/portal", nil).StatusCode == http.StatusOK }},
	{"code to the donor", func(u use) bool {
		return u.post(u.planPath("/email"), url.Values{"do": {"card"}}, `SELECT count(*) FROM sign_in`)
	}},
	{"link to the donor", func(u use) bool {
		const query = `SELECT count(*) FROM river_job WHERE kind = 'plan_link_letter'`
		path, secret := u.path()
		if strings.HasPrefix(path, "/plans/") && secret == "" {
			return u.post(path, url.Values{}, query)
		}
		return u.post("/plans/fresh", url.Values{"link": {secret}, "code": {u.link}, "ended": {secret}}, query)
	}},
	{"resume", func(u use) bool {
		u.Exec(`UPDATE plan SET status = 'paused', paused_until = now() + interval '2 months' WHERE id = $1`, u.g.plan.ID)
		defer u.Exec(`UPDATE plan SET status = 'active', paused_until = NULL WHERE id = $1`, u.g.plan.ID)
		return u.change("resume", url.Values{})
	}},
	{"more", func(u use) bool {
		return u.terms("5000", "weekly", "where-needed-most") || u.terms("21", "monthly", "where-needed-most") || u.terms("20", "weekly", "where-needed-most")
	}},
	{"earlier date", func(u use) bool {
		return u.terms("20", "monthly", "where-needed-most", "date", u.g.plan.NextAt.AddDate(0, 0, -5).Format(time.DateOnly))
	}},
	{"another fund", func(u use) bool { return u.terms("20", "monthly", "haiti-dessalines-brigade") }},
	{"cover the fee", func(u use) bool { return u.terms("20", "monthly", "where-needed-most", "cover_fees", "yes") }},
	{"another card", func(u use) bool {
		for _, path := range []string{u.planPath("/card"), "/portal" + u.planPath("/card")} {
			got := u.v.Ask("POST", path, url.Values{"session": {u.token()}})
			if strings.HasPrefix(got.Header.Get("Location"), u.FakeURL) {
				return true
			}
		}
		return false
	}},
	{"less", func(u use) bool { return u.terms("10", "monthly", "where-needed-most") }},
	{"pause", func(u use) bool { return u.change("pause", url.Values{"months": {"1"}}) }},
	{"skip", func(u use) bool { return u.change("skip", url.Values{}) }},
	{"cancel", func(u use) bool { return u.change("cancel", url.Values{}) }},
	{"stop emails", func(u use) bool {
		path, _ := u.path()
		return strings.HasPrefix(path, "/") && u.post(path, url.Values{"List-Unsubscribe": {"One-Click"}}, `SELECT count(*) FROM donor_consent`)
	}},
	{"move the gifts", func(u use) bool {
		_, secret := u.path()
		return u.post("/addresses/move", url.Values{"link": {secret}}, `SELECT count(*) FROM mailbox_step WHERE kind = 'moved'`)
	}},
	{"allow emails", func(u use) bool {
		path, _ := u.path()
		return strings.HasPrefix(path, "/") && u.post(strings.Replace(path, "?", "/again?", 1), url.Values{}, `SELECT count(*) FROM donor_consent`)
	}},
}
