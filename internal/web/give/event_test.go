package give_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/guard"
	"konbit/internal/web/give"
)

// TestEventMode: a tablet at an event takes gift after gift, remembers no donor, and every use of its pass is recorded.
func TestEventMode(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	organisation := g.Offer("csio").Organisation.ID
	pass, token, err := guard.OpenPass(t.Context(), g.DB.Server, uuid.New(), organisation, time.Hour)
	require.NoError(t, err)
	get := func(path string, cookies ...*http.Cookie) reply {
		t.Helper()
		r, err := http.NewRequest(http.MethodGet, g.URL+path, nil)
		require.NoError(t, err)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		return g.send(r)
	}
	post := func(path, pass string) reply {
		t.Helper()
		r, err := http.NewRequest(http.MethodPost, g.URL+path, strings.NewReader(url.Values{"pass": {pass}}.Encode()))
		require.NoError(t, err)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return g.send(r)
	}
	for _, wrong := range [][2]string{{"/give/csio/event", ""}, {"/give/csio/event", token + "x"}, {"/give/csio/event?pass=" + token, ""}, {"/give/aina/event", token}} {
		a := post(wrong[0], wrong[1])
		require.Equal(t, http.StatusNotFound, a.status)
		require.Empty(t, a.cookies)
	}
	require.Equal(t, "/give/csio/event#"+token, give.EventPath("csio", token))
	linkPage := get("/give/csio/event?lang=en&pass=" + token)
	require.Equal(t, http.StatusOK, linkPage.status)
	require.Empty(t, linkPage.cookies)
	require.NotContains(t, linkPage.body, token)
	require.Zero(t, g.Count(`SELECT count(*) FROM event_pass_step WHERE kind = 'device'`), "reading the link's page opens nothing")
	opened := post("/give/csio/event?lang=en", " "+token+" ")
	require.Equal(t, []any{http.StatusSeeOther, "/give/csio?lang=en"}, []any{opened.status, opened.location})
	require.Len(t, opened.cookies, 1)
	cookie := opened.cookies[0]
	require.True(t, cookie.HttpOnly)

	for range 40 {
		a := g.postFrom("203.0.113.9", g.formAfter(time.Minute), "Cookie", cookie.Name+"="+cookie.Value)
		require.Equal(t, http.StatusSeeOther, a.status)
		require.Empty(t, a.cookies, "no cookie leads to what the last donor typed")
	}
	form := get("/give/csio?lang=en", cookie).body
	require.Contains(t, form, "/static/event.")
	require.NotContains(t, form, `autocomplete="email"`)
	ref := g.Lines(`SELECT public_ref FROM donation LIMIT 1`)[0]
	require.NotContains(t, get("/give/csio?lang=en&again="+ref, cookie).body, "Pérez")
	require.Contains(t, get("/give/csio/thanks?lang=en&gift=unknown", cookie).body, "Ready for the next donor")

	require.Equal(t, 40, g.Count(`SELECT count(*) FROM event_pass_step WHERE kind = 'gift'`))
	require.Equal(t, 1, g.Count(`SELECT count(*) FROM event_pass_step WHERE kind = 'device'`))
	require.NoError(t, guard.ClosePass(t.Context(), g.DB.Server, pass.ID))
	passed := 0
	for range 12 {
		if g.postFrom("203.0.113.9", g.formAfter(time.Minute), "Cookie", cookie.Name+"="+cookie.Value).status == http.StatusSeeOther {
			passed++
		}
	}
	require.Equal(t, 5, passed, "after its end the limits apply again")
	require.NotContains(t, get("/give/csio?lang=en", cookie).body, "/static/event.")
}
