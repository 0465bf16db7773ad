package web_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/web"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// route is a row of the table of routes.
type route struct{ web.Route }

// name returns the route's method and pattern.
func (r route) name() string { return r.Method + " " + r.Pattern }

// writes reports whether the route may change something.
func (r route) writes() bool { return r.Method == http.MethodPost }

// needsSession, isOwners and isLink report who may use the route.
func (r route) needsSession() bool { return r.Permission == "donor's session" }
func (r route) isOwners() bool     { return strings.HasPrefix(r.Permission, "owner: ") }
func (r route) isLink() bool       { return strings.HasPrefix(r.Permission, "link: ") }
func (r route) isStaffs() bool     { return strings.HasPrefix(r.Permission, "staff") }
func (r route) isOpened() bool     { return r.Permission == "opened link: plan" }

// path returns an address of the route. ref names its objects, such as a gift or a plan.
func (r route) path(ref string) string {
	path := strings.NewReplacer("{org}", "csio", "{entity}", "tsne", "{key}", "key", "{token}", "token", "*", "x").Replace(r.Pattern)
	return parameter.ReplaceAllLiteralString(path, ref)
}

var parameter = regexp.MustCompile(`\{\w+\}`)

// object returns the reference to Ana's object if the route is for its owner or for who opened its link; else one that
// names nothing.
func (r route) object(t *testing.T, e visitor.TwoDonors) string {
	if r.isOwners() || r.isOpened() {
		return e.Object(t, r.Pattern)
	}
	return missing
}

// linkPath returns the address of Ana's signed link that opens the route.
func (r route) linkPath(t *testing.T, e visitor.TwoDonors) string {
	t.Helper()
	pattern, undo := strings.CutSuffix(r.Pattern, "/again")
	link := e.Links[pattern]
	require.NotEmpty(t, link, "no link for %s", r.name())
	if undo {
		link = strings.Replace(link, "?", "/again?", 1)
	}
	return link
}

// missing is the reference of no object.
const missing = "AAAAAAAAAAAAAAAAAAAAAA"

// routes returns the table of routes. It reports an error if the handler serves a route that is not in the table.
func routes(t *testing.T, h *program.Program) (all []route) {
	t.Helper()
	declared := map[string]bool{}
	for _, r := range h.Server.Routes() {
		require.False(t, declared[r.Method+" "+r.Pattern], "%s %s is declared twice", r.Method, r.Pattern)
		declared[r.Method+" "+r.Pattern] = true
		all = append(all, route{r})
	}
	table, ok := h.Server.Handler().(chi.Routes)
	require.True(t, ok)
	require.NoError(t, chi.Walk(table, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		assert.True(t, declared[method+" "+pattern] || declared["* "+pattern], "%s %s is served and not in the table", method, pattern)
		return nil
	}))
	require.Greater(t, len(all), 25)
	return all
}

// form returns a form that would change something, from a visitor's own pages.
func form(e visitor.TwoDonors, v *visitor.Visitor) url.Values {
	f := url.Values{"do": {"cancel"}, "press": {program.NewID().String()}}
	if v != e.Nobody {
		f.Set("session", v.Token())
	}
	return f
}

// TestT10OnlyOwnersSeeTheirObjects requests every object of Ana's by every route, as Ana, as Bea and without a session,
// and objects that do not exist: only Ana learns that hers exist.
func TestT10OnlyOwnersSeeTheirObjects(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	use := func(v *visitor.Visitor, r route, ref string) visitor.Response {
		if r.writes() {
			return v.Ask(r.Method, r.path(ref), form(e, v))
		}
		return v.Ask(r.Method, r.path(ref), nil)
	}
	for _, r := range routes(t, e.Program) {
		switch {
		case r.isOwners():
			ref := e.Object(t, r.Pattern)
			if !r.writes() {
				assert.Equal(t, 200, use(e.Ana, r, ref).StatusCode, r.name())
			}
			want := use(e.Ana, r, missing)
			assert.Equal(t, 404, want.StatusCode, r.name())
			for who, v := range map[string]*visitor.Visitor{"Bea": e.Bea, "nobody": e.Nobody} {
				for _, got := range []visitor.Response{use(v, r, ref), use(v, r, missing)} {
					assert.Equal(t, 404, got.StatusCode, "%s as %s", r.name(), who)
					assert.Equal(t, want.Page, got.Page, "%s as %s", r.name(), who)
					assert.Equal(t, headers(want), headers(got), "%s as %s", r.name(), who)
				}
			}
		case r.needsSession():
			got := use(e.Nobody, r, "")
			assert.Equal(t, 401, got.StatusCode, r.name())
			assert.Empty(t, got.Cookies(), r.name())
			assert.NotContains(t, got.Page, "Ana", r.name())
			if !r.writes() {
				page := e.Bea.Ask(r.Method, r.path(""), nil)
				assert.Equal(t, 200, page.StatusCode, r.name())
				for _, secret := range append([]string{"Ana", "ana@example.org"}, refs(e)...) {
					assert.NotContains(t, page.Page, secret, "%s as Bea", r.name())
				}
			}
		}
	}
	assert.Equal(t, "active", e.Lines(`SELECT status FROM plan`)[0], "Bea cancelled nothing")
	assert.NotContains(t, e.Ana.Ask("GET", "/portal", nil).Page, "Bea")
}

// headers returns the headers of a response without its date.
func headers(a visitor.Response) http.Header {
	all := a.Header.Clone()
	all.Del("Date")
	return all
}

// TestT10ForeignAndMissingObjectsTakeTheSameTime requests as Bea, in turns, Ana's objects and objects that do not
// exist: the medians of more than two hundred responses of each route differ by at most 20 ms.
func TestT10ForeignAndMissingObjectsTakeTheSameTime(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	for _, r := range routes(t, e.Program) {
		if !r.isOwners() {
			continue
		}
		fields, owned := url.Values(nil), e.Object(t, r.Pattern)
		if r.writes() {
			fields = form(e, e.Bea)
		}
		took := map[string][]time.Duration{}
		for n := range 101 {
			if n%5 == 0 { // before a limit is reached
				e.Exec(`DELETE FROM guard_count`)
			}
			order := []string{owned, missing}
			if n%2 == 1 {
				slices.Reverse(order)
			}
			for _, ref := range order {
				began := time.Now()
				require.Equal(t, 404, e.Bea.Ask(r.Method, r.path(ref), fields).StatusCode, r.name())
				took[ref] = append(took[ref], time.Since(began))
			}
		}
		theirs, gone := median(took[owned]), median(took[missing])
		t.Logf("%s: not theirs %v, not there %v", r.name(), theirs, gone)
		assert.InDelta(t, theirs.Seconds(), gone.Seconds(), 0.020, r.name())
	}
}

func median(of []time.Duration) time.Duration {
	return slices.Sorted(slices.Values(of))[len(of)/2]
}

// refs returns the references to all of Ana's objects.
func refs(e visitor.TwoDonors) (all []string) {
	for _, ref := range e.Objects {
		all = append(all, ref)
	}
	return all
}

// TestT9OtherSitesChangeNothing posts forms of other sites to every route that changes something, and reads every other
// route: the database stays the same.
func TestT9OtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	elsewhere := map[string][]string{
		"another site": {"Sec-Fetch-Site: cross-site"}, "another host of the site": {"Sec-Fetch-Site: same-site"},
		"no known origin": {"Origin: null"}, "an old browser, another site": {"Origin: https://evil.example"},
	}
	require.NoError(t, e.Server.Ready(t.Context()), "the first process records its key and address, as konbit migrate does")
	token, before := e.Ana.Token(), visitor.TableHashes(t, e.Program)
	for _, r := range routes(t, e.Program) {
		if !r.writes() {
			readOnly(t, e, r)
			continue
		}
		fields := url.Values{"session": {token}, "email": {"ana@example.org"}, "do": {"cancel"}, "press": {program.NewID().String()}}
		path := r.path(r.object(t, e))
		for where, headers := range elsewhere {
			want := []int{403}
			if r.FromAnySite != "" || r.Wrap == web.Machine { // the link or the signature is wrong
				want = []int{400, 404, 422}
			}
			got := e.Ana.Ask(r.Method, path, fields, headers...)
			assert.Contains(t, want, got.StatusCode, "%s from %s", r.name(), where)
			assert.Empty(t, got.Cookies(), "%s from %s", r.name(), where)
		}
		if r.isOpened() {
			for _, wrong := range []string{"", "AAAA", token} {
				fields.Set("session", wrong)
				assert.Equal(t, 409, e.Bearer.Ask(r.Method, path, fields).StatusCode, "%s without its token: the page again", r.name())
			}
		}
		if r.needsSession() || r.isOwners() {
			for _, wrong := range []string{"", "AAAA", e.Bea.Token()} {
				fields.Set("session", wrong)
				assert.Equal(t, 403, e.Ana.Ask(r.Method, path, fields).StatusCode, "%s without its token", r.name())
				assert.Equal(t, 403, e.Ana.Ask(r.Method, path, fields, "Sec-Fetch-Site: same-origin").StatusCode, "%s without its token", r.name())
			}
		}
	}
	assert.Equal(t, before, visitor.TableHashes(t, e.Program), "nothing was changed")
}

// readOnly reads a route in several ways. Programs open the links of emails before people do, so these are read many
// times.
func readOnly(t *testing.T, e visitor.TwoDonors, r route) {
	t.Helper()
	path, times := r.path(r.object(t, e)), 1
	if r.isLink() {
		path, times = r.linkPath(t, e), 20
		require.Equal(t, 200, e.Nobody.Ask("GET", path, nil).StatusCode, r.name())
	}
	for range times {
		e.Nobody.Ask("GET", path, nil, "Sec-Purpose: prefetch;prerender")
		e.Ana.Ask("HEAD", path, nil)
	}
	e.Ana.Ask("GET", path, nil)
}

// TestT5SecretsAreOnlyOnTheirOwnPage: no log and no page contains a secret that opens a session or an object, except
// the object's own page. Pages are not cached, and other hosts get no address. A reference to a gift is 128 random bits
// and not its number.
func TestT5SecretsAreOnlyOnTheirOwnPage(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	require.Equal(t, 303, e.Nobody.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	link, code, _ := e.Nobody.SignInEmail()
	_, planToken, _ := strings.Cut(e.PlanLink.ManageURL, "#")
	secrets := []string{link, code, planToken, e.PlanLink.Code, e.OpenedCookie(t), strings.ReplaceAll(code, " ", ""), e.Ana.Cookies["konbit-session"], e.Nobody.Cookies["konbit-asked"]}
	for _, opens := range e.Links {
		path, _, _ := strings.Cut(opens, "?")
		secrets = append(secrets, path[strings.LastIndex(path, "/")+1:])
	}
	pages := 0
	for _, r := range routes(t, e.Program) {
		if r.writes() || r.isLink() {
			continue
		}
		for _, v := range []*visitor.Visitor{e.Ana, e.Bea, e.Bearer, e.Nobody} {
			got := v.Ask("GET", r.path(r.object(t, e)), nil)
			for _, secret := range secrets {
				require.NotEmpty(t, secret)
				assert.NotContains(t, got.Page, secret, r.Pattern)
			}
			if got.StatusCode == 200 && (r.needsSession() || r.isOwners()) {
				pages++
				assert.Contains(t, got.Header.Get("Cache-Control"), "no-store", r.Pattern)
				assert.Equal(t, "same-origin", got.Header.Get("Referrer-Policy"), r.Pattern)
			}
		}
	}
	require.Greater(t, pages, 10)
	for _, opens := range e.Links {
		require.Equal(t, 200, e.Nobody.Ask("GET", opens, nil).StatusCode)
	}
	for _, secret := range append(secrets, refs(e)...) {
		assert.NotContains(t, e.Log.String(), secret)
	}
	all := e.Lines(`SELECT public_ref FROM donation UNION SELECT public_ref FROM plan`)
	require.GreaterOrEqual(t, len(all), 3)
	for _, ref := range all {
		bits, err := base64.RawURLEncoding.DecodeString(ref)
		require.NoError(t, err)
		assert.Len(t, bits, 16)
	}
}
