package web_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// rule says who may use a route.
type rule int

const (
	open    rule = iota + 1 // anybody, and no cookie gives a right to more
	letter                  // whoever has the link of a letter, which is signed
	machine                 // Stripe, by its signature
	mine                    // who is signed in, to what is theirs; anybody else is shown the way in
	thing                   // the donor whose thing it is; to anybody else it is not there
)

// rules has one for every route. A new route without one fails.
var rules = map[string]rule{
	"GET /healthz": open, "GET /readyz": open, "* /static/*": open, "POST /hooks/stripe/{entity}": machine,
	"GET /": open, "GET /give/{org}": open, "POST /give/{org}": open, "GET /give/{org}/thanks": open,
	"GET /give/{org}/event": open, "POST /give/{org}/event": open,
	"GET /plans/card/{token}": letter, "POST /plans/card/{token}": letter, "GET /plans/{ref}/{key}": letter, "POST /plans/{ref}/{key}": letter,
	"GET /letters/{token}": letter, "POST /letters/{token}": letter, "POST /letters/{token}/again": letter,
	"GET /sign-in": open, "POST /sign-in": open, "GET /sign-in/code": open, "POST /sign-in/code": open,
	"GET /sign-in/link": open, "POST /sign-in/link": open, "POST /sign-out": mine,
	"GET /portal": mine, "GET /portal/gifts": mine, "GET /portal/plans": mine, "GET /portal/details": mine, "POST /portal/details": mine,
	"POST /portal/addresses": mine, "POST /portal/addresses/prove": mine, "POST /portal/addresses/part": mine, "POST /portal/sessions/end": mine,
	"GET /portal/gifts/{ref}/receipt": thing, "GET /portal/gifts/{ref}/receipt.pdf": thing,
	"GET /portal/records": mine, "GET /portal/records/data.json": mine, "GET /portal/records/data.csv": mine, "POST /portal/records/erasure": mine,
	"GET /portal/statements/{ref}": thing, "GET /portal/statements/{ref}/pdf": thing,
	"GET /portal/plans/{ref}": thing, "POST /portal/plans/{ref}": thing,
}

// fromAnywhere are the routes that may be asked to write from wherever, and why. They read no cookie.
var fromAnywhere = map[string]string{
	"POST /hooks/stripe/{entity}": "Stripe's servers send no headers of a browser; the signature counts",
	"POST /letters/{token}":       "one press in a mail program, which may be another site's page (RFC 8058); the address is the right to that one choice",
}

type route struct {
	method, pattern string
	rule            rule
}

// writes tells whether the route may change something.
func (r route) writes() bool { return r.method != http.MethodGet }

// path is an address of the route. ref names a thing: a gift, or a plan, which has the reference of its first gift's row.
func (r route) path(ref string) string {
	return strings.NewReplacer("{org}", "csio", "{entity}", "tsne", "{ref}", ref, "{key}", "key", "{token}", "token", "*", "x").Replace(r.pattern)
}

// routes are all there are.
func routes(t *testing.T, h *program.Program) (all []route) {
	t.Helper()
	table, ok := h.Server.Handler().(chi.Routes)
	require.True(t, ok)
	seen := map[string]bool{}
	require.NoError(t, chi.Walk(table, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		name := method + " " + pattern
		if strings.HasSuffix(pattern, "*") {
			name, method = "* "+pattern, http.MethodGet
		}
		if !seen[name] {
			seen[name] = true
			assert.NotZero(t, rules[name], "%s has no rule: say in rules who may use it", name)
			all = append(all, route{method, pattern, rules[name]})
		}
		return nil
	}))
	for name := range rules {
		assert.True(t, seen[name], "%s is no route any more", name)
	}
	require.Greater(t, len(all), 25)
	return all
}

// estate is a house with two donors, each with a gift and a recurring gift, and what names them in addresses.
type estate struct {
	*program.Program
	ana, bea, nobody *visitor
	things           map[string]string // of Ana's: by the beginning of a route's pattern
	links            map[string]string // of Ana's letters, that open: by the pattern
}

func newEstate(t *testing.T) estate {
	h := program.New(t, program.Options{})
	e := estate{Program: h, nobody: newVisitor(t, h), things: map[string]string{}}
	d := h.SettledGift(from("ana@example.org", "Ana"))
	h.SettledGift(from("bea@example.net", "Bea"))
	p := planned(t, h, from("ana@example.org", "Ana"))
	e.things["/portal/gifts/"] = d.PublicRef
	e.things["/portal/statements/"] = fmt.Sprintf("%d-%s", time.Now().In(h.Offer("csio").Entity.Location()).Year(), d.DonorID)
	require.NoError(t, h.DB.Owner.Get(&p.PublicRef, `SELECT public_ref FROM plan WHERE id = $1`, p.ID))
	e.things["/portal/plans/"] = p.PublicRef
	links := h.Receipts.Plans
	e.links = map[string]string{
		"/plans/{ref}/{key}": links.Manage(p.PublicRef, "en"), "/plans/card/{token}": links.PaymentMethod(d.DonorID, "en"),
		"/letters/{token}": h.Receipts.StopURL(d.DonorID, "statements", "en"),
	}
	for pattern, link := range e.links {
		e.links[pattern] = strings.TrimPrefix(link, h.URL)
	}
	e.ana, e.bea = newVisitor(t, h).enter("ana@example.org"), newVisitor(t, h).enter("bea@example.net")
	return e
}

func (e estate) thing(t *testing.T, r route) string {
	for begins, ref := range e.things {
		if strings.HasPrefix(r.pattern, begins) {
			return ref
		}
	}
	t.Fatalf("no thing for %s", r.pattern)
	return ""
}

// TestT10 asks for every thing of Ana's as Ana, as Bea and as nobody, by every route there is, and for things that are not
// there: nobody but Ana learns so much as that they are.
func TestT10NobodySeesWhatIsAnothers(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	use := func(v *visitor, r route, ref string) answer {
		if r.writes() {
			return v.ask(r.method, r.path(ref), e.form(v))
		}
		return v.ask(r.method, r.path(ref), nil)
	}
	for _, r := range routes(t, e.Program) {
		name := r.method + " " + r.pattern
		switch r.rule {
		case thing:
			ref := e.thing(t, r)
			if !r.writes() {
				assert.Equal(t, 200, use(e.ana, r, ref).StatusCode, name)
			}
			want := use(e.ana, r, missing)
			assert.Equal(t, 404, want.StatusCode, name)
			for who, v := range map[string]*visitor{"Bea": e.bea, "nobody": e.nobody} {
				got, gone := use(v, r, ref), use(v, r, missing)
				for _, a := range []answer{got, gone} {
					assert.Equal(t, 404, a.StatusCode, "%s as %s", name, who)
					assert.Equal(t, want.body, a.body, "%s as %s", name, who)
					assert.Equal(t, headers(want), headers(a), "%s as %s", name, who)
				}
			}
		case mine:
			got := use(e.nobody, r, "")
			assert.Equal(t, 401, got.StatusCode, name)
			assert.Empty(t, got.Cookies(), name)
			assert.NotContains(t, got.body, "Ana", name)
			if !r.writes() {
				page := e.bea.ask(r.method, r.path(""), nil)
				assert.Equal(t, 200, page.StatusCode, name)
				for _, anas := range append([]string{"Ana", "ana@example.org"}, e.refs()...) {
					assert.NotContains(t, page.body, anas, "%s as Bea", name)
				}
			}
		}
	}
	assert.Equal(t, "active", e.Lines(`SELECT status FROM plan`)[0], "Bea cancelled nothing")
	assert.NotContains(t, e.ana.ask("GET", "/portal", nil).body, "Bea")
}

// missing names nothing.
const missing = "AAAAAAAAAAAAAAAAAAAAAA"

// form is one that changes something, from a visitor's own pages.
func (e estate) form(v *visitor) url.Values {
	f := url.Values{"do": {"cancel"}, "press": {program.NewID().String()}}
	if v != e.nobody {
		f.Set("session", v.token())
	}
	return f
}

// headers are an answer's, but for its date.
func headers(a answer) http.Header {
	all := a.Header.Clone()
	all.Del("Date")
	return all
}

// TestT10NotYoursTakesAsLongAsNotThere asks for Ana's things and for things that are not there, as Bea, in turns: the medians of two
// hundred and more answers of each route are within 20 ms of each other.
func TestT10NotYoursTakesAsLongAsNotThere(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	for _, r := range routes(t, e.Program) {
		if r.rule != thing {
			continue
		}
		name, form := r.method+" "+r.pattern, url.Values(nil)
		if r.writes() {
			form = e.form(e.bea)
		}
		took := map[string][]time.Duration{}
		for n := range 101 {
			refs := []string{e.thing(t, r), missing}
			if n%2 == 1 {
				slices.Reverse(refs)
			}
			for _, ref := range refs {
				began := time.Now()
				require.Equal(t, 404, e.bea.ask(r.method, r.path(ref), form).StatusCode, name)
				took[ref] = append(took[ref], time.Since(began))
			}
		}
		theirs, gone := median(took[e.thing(t, r)]), median(took[missing])
		t.Logf("%s: not theirs %v, not there %v", name, theirs, gone)
		assert.InDelta(t, theirs.Seconds(), gone.Seconds(), 0.020, name)
	}
}

func median(of []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(of))[len(of)/2]
}

func (e estate) refs() (refs []string) {
	for _, ref := range e.things {
		refs = append(refs, ref)
	}
	return refs
}

// TestT9 posts to every route that changes something from elsewhere, and reads every route that does not.
func TestT9NobodyElseSpeaksForADonor(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	elsewhere := map[string][]string{
		"another site": {"Sec-Fetch-Site: cross-site"}, "another host of the site": {"Sec-Fetch-Site: same-site"},
		"no origin to be told": {"Origin: null"}, "an old browser, from elsewhere": {"Origin: https://evil.example"},
	}
	ref := func(r route) string {
		if r.rule == thing {
			return e.thing(t, r)
		}
		return "AAAAAAAAAAAAAAAAAAAAAA"
	}
	for name := range fromAnywhere {
		require.NotZero(t, rules[name], name)
	}
	token, before := e.ana.token(), hashes(t, e.Program)
	for _, r := range routes(t, e.Program) {
		name := r.method + " " + r.pattern
		if !r.writes() {
			path, times := r.path(ref(r)), 1
			if r.rule == letter { // which machines open before people do
				require.NotEmpty(t, e.links[r.pattern], "no link for %s", name)
				path, times = e.links[r.pattern], 20
				require.Equal(t, 200, e.nobody.ask("GET", path, nil).StatusCode, name)
			}
			for range times {
				e.nobody.ask("GET", path, nil, "Sec-Purpose: prefetch;prerender")
				e.ana.ask("HEAD", path, nil)
			}
			e.ana.ask("GET", path, nil)
			continue
		}
		form := url.Values{"session": {token}, "email": {"ana@example.org"}, "do": {"cancel"}, "press": {program.NewID().String()}}
		for where, headers := range elsewhere {
			want := []int{403}
			if fromAnywhere[name] != "" { // but not with what these headers came with
				want = []int{400, 404, 422}
			}
			got := e.ana.ask(r.method, r.path(ref(r)), form, headers...)
			assert.Contains(t, want, got.StatusCode, "%s from %s", name, where)
			assert.Empty(t, got.Cookies(), "%s from %s", name, where)
		}
		if r.rule == mine || r.rule == thing {
			for _, wrong := range []string{"", "AAAA", e.bea.token()} {
				form.Set("session", wrong)
				assert.Equal(t, 403, e.ana.ask(r.method, r.path(ref(r)), form).StatusCode, "%s without its token", name)
				assert.Equal(t, 403, e.ana.ask(r.method, r.path(ref(r)), form, "Sec-Fetch-Site: same-origin").StatusCode, "%s without its token", name)
			}
		}
	}
	assert.Equal(t, before, hashes(t, e.Program), "nothing was changed")
}

// TestT5SecretsStayWhereTheyBelong: what lets somebody in, or opens a thing, stands in no log and on no page but that of the thing
// itself; pages are kept nowhere, and other hosts are told of none. What names a gift is 128 random bits and not its number.
func TestT5SecretsStayWhereTheyBelong(t *testing.T) {
	t.Parallel()
	e := newEstate(t)
	require.Equal(t, 303, e.nobody.ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	link, code, _ := e.nobody.letter()
	secrets := []string{link, code, strings.ReplaceAll(code, " ", ""), e.ana.cookies["konbit-session"], e.nobody.cookies["konbit-asked"]}
	for _, opens := range e.links {
		path, _, _ := strings.Cut(opens, "?")
		secrets = append(secrets, path[strings.LastIndex(path, "/")+1:])
	}
	pages := 0
	for _, r := range routes(t, e.Program) {
		ref := missing
		if r.rule == thing {
			ref = e.thing(t, r)
		}
		if r.writes() || r.rule == letter {
			continue
		}
		for _, v := range []*visitor{e.ana, e.bea, e.nobody} {
			got := v.ask("GET", r.path(ref), nil)
			for _, secret := range secrets {
				require.NotEmpty(t, secret)
				assert.NotContains(t, got.body, secret, r.pattern)
			}
			if got.StatusCode == 200 && (r.rule == mine || r.rule == thing) {
				pages++
				assert.Contains(t, got.Header.Get("Cache-Control"), "no-store", r.pattern)
				assert.Equal(t, "same-origin", got.Header.Get("Referrer-Policy"), r.pattern)
			}
		}
	}
	require.Greater(t, pages, 10)
	for _, opens := range e.links {
		require.Equal(t, 200, e.nobody.ask("GET", opens, nil).StatusCode)
	}
	for _, secret := range append(secrets, e.refs()...) {
		assert.NotContains(t, e.Log.String(), secret)
	}
	refs := e.Lines(`SELECT public_ref FROM donation UNION SELECT public_ref FROM plan`)
	require.GreaterOrEqual(t, len(refs), 3)
	for _, ref := range refs {
		bits, err := base64.RawURLEncoding.DecodeString(ref)
		require.NoError(t, err)
		assert.Len(t, bits, 16)
	}
}

// hashes are one of each table.
func hashes(t *testing.T, h *program.Program) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, table := range h.Lines(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`) {
		if !slices.Contains([]string{"guard_count", "river_leader", "river_queue", "river_client"}, table) {
			sums[table] = h.Lines(fmt.Sprintf(`SELECT coalesce(md5(string_agg(x::text, '' ORDER BY x::text)), '') FROM %q x`, table))[0]
		}
	}
	require.Greater(t, len(sums), 20)
	return sums
}
