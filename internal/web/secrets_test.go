package web_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/visitor"
)

// linkSecrets returns every secret that emails and browsers hold.
func linkSecrets(t *testing.T, e visitor.TwoDonors) map[string]string {
	t.Helper()
	require.Equal(t, 303, e.Nobody.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	token, code, _ := e.Nobody.SignInEmail()
	_, planToken, _ := strings.Cut(e.PlanLink.ManageURL, "#")
	all := map[string]string{
		"token of a plan": planToken, "code of a plan": e.PlanLink.Code, "typed code of a plan": strings.ReplaceAll(e.PlanLink.Code, "-", ""),
		"opened link": e.OpenedCookie(t), "sign-in's token": token, "sign-in's code": code, "typed code": strings.ReplaceAll(code, " ", ""),
		"session": e.Ana.Cookies["konbit-session"], "known browser": e.Ana.Cookies["konbit-known"], "wrong token": "Zzcanary-wrong-token_0000000",
	}
	for pattern, link := range e.Links {
		path, _, _ := strings.Cut(link, "?")
		all[pattern] = path[strings.LastIndex(path, "/")+1:]
	}
	for name, secret := range all {
		require.Greater(t, len(secret), 7, name)
	}
	return all
}

// TestSecretsOfLinksStayOut sends each secret in every place of every route, right and wrong, also while the database
// does not answer. No log, metric, row or page contains one, nor an address to which a response leads. Only the page
// whose address has a secret may contain it, and that page names no path as its Referer.
func TestSecretsOfLinksStayOut(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	secrets, tried := linkSecrets(t, e), 0
	for _, r := range routes(t, e.Program) {
		for name, secret := range secrets {
			e.Exec(`DELETE FROM guard_count`)
			path := strings.NewReplacer("{org}", secret, "{entity}", secret, "{ref}", secret, "{key}", secret, "{token}", secret, "*", secret).Replace(r.Pattern)
			form := url.Values{"link": {secret}, "code": {secret}, "ended": {secret}, "session": {secret}, "press": {secret}, "do": {secret}, "gift": {secret}}
			v := visitor.New(t, e.Program)
			if r.isOpened() {
				v = e.Bearer
			}
			for _, got := range []visitor.Response{
				v.Ask("GET", path+"?link="+url.QueryEscape(secret), nil), v.Ask("PUT", path, nil), v.Ask("POST", path, form),
				v.Ask("POST", r.path(missing), form), v.Ask("POST", r.path(missing), form, "Sec-Fetch-Site: cross-site"),
			} {
				tried++
				if asked, err := url.QueryUnescape(got.Request.URL.String()); err == nil && !strings.Contains(asked, secret) {
					assert.NotContains(t, got.Page, secret, "%s %s with the %s", got.Request.Method, r.Pattern, name)
					assert.NotContains(t, got.Header.Get("Location"), secret, "%s %s with the %s", got.Request.Method, r.Pattern, name)
				}
			}
		}
		if r.isLink() && !r.writes() {
			got := e.Nobody.Ask("GET", r.linkPath(t, e), nil)
			assert.Equal(t, "strict-origin", got.Header.Get("Referrer-Policy"), r.Pattern)
		}
	}
	require.Greater(t, tried, 2000)

	tx := e.DB.Owner.MustBegin()
	tx.MustExec(`LOCK TABLE plan_link, donor, sign_in, session, plan`)
	for _, busy := range []visitor.Response{
		visitor.New(t, e.Program).Ask("POST", "/plans/open", url.Values{"link": {secrets["token of a plan"]}}),
		visitor.New(t, e.Program).Ask("POST", "/plans/open", url.Values{"code": {secrets["code of a plan"]}}),
		e.Bearer.Ask("GET", "/plans/"+e.Objects["/plans/"], nil), e.Nobody.Ask("POST", e.Links["/plans/{ref}/{key}"], url.Values{}),
		e.Nobody.Ask("POST", e.Links["/letters/{token}"], url.Values{"List-Unsubscribe": {"One-Click"}}),
		e.Nobody.Ask("POST", "/sign-in/link", url.Values{"link": {secrets["sign-in's token"]}}),
	} {
		assert.Equal(t, http.StatusServiceUnavailable, busy.StatusCode, busy.Request.URL.Path)
		for name, secret := range secrets {
			assert.NotContains(t, busy.Page, secret, name)
		}
	}
	require.NoError(t, tx.Rollback())

	scraped := httptest.NewRecorder()
	e.Metrics.Handler().ServeHTTP(scraped, httptest.NewRequest("GET", "/metrics", nil))
	require.Contains(t, scraped.Body.String(), "/plans/open")
	tables := e.Lines(`SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'`)
	for name, secret := range secrets {
		assert.NotContains(t, e.Log.String(), secret, name)
		assert.NotContains(t, scraped.Body.String(), secret, name)
		for _, table := range tables {
			const query = `SELECT count(*) FROM %q x WHERE strpos(x::text, $1) > 0 OR strpos(x::text, $2) > 0`
			assert.Zero(t, e.Count(fmt.Sprintf(query, table), secret, hex.EncodeToString([]byte(secret))), "%s in table %s", name, table)
		}
	}
}
