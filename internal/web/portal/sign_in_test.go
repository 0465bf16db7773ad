package portal_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestT6ScannersDoNotUseLinksUp: programs that open links before people do are not signed in and do not use links up.
func TestT6ScannersDoNotUseLinksUp(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ana, scanner := visitor.New(t, h), visitor.New(t, h)
	require.Equal(t, 303, ana.Ask("POST", "/sign-in", url.Values{"email": {" Ana@Example.org "}}).StatusCode)
	assert.Contains(t, ana.Ask("GET", "/sign-in/code", nil).Page, "ana@example.org", "the browser that requested the email shows its address")
	assert.NotContains(t, scanner.Ask("GET", "/sign-in/code", nil).Page, "ana@example.org")
	link, code, text := ana.SignInEmail()
	require.NotEmpty(t, link)
	require.NotEmpty(t, code)
	assert.Contains(t, text, h.URL+"/sign-in/link?lang=en#"+link, "the secret is the fragment")
	for range 20 {
		for _, who := range []*visitor.Visitor{ana, scanner} {
			assert.Equal(t, 200, who.Ask("GET", "/sign-in/link?lang=en", nil).StatusCode)
			assert.Equal(t, 200, who.Ask("HEAD", "/sign-in/link?lang=en", nil).StatusCode)
			assert.Equal(t, 200, who.Ask("GET", "/sign-in/link?link="+link, nil, "Sec-Purpose: prefetch;prerender").StatusCode)
		}
		got := scanner.Ask("POST", "/sign-in/link", url.Values{"link": {link}})
		assert.Equal(t, 422, got.StatusCode, "a scanner that submits the form is refused")
	}
	assert.Zero(t, h.Count(`SELECT count(*) FROM session`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM sign_in WHERE used_at IS NOT NULL`))
	got := ana.Ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Equal(t, 303, got.StatusCode)
	assert.Equal(t, "/portal", got.Header.Get("Location"))
	assert.Contains(t, ana.Ask("GET", "/portal", nil).Page, "Hello, Ana")
	assert.Equal(t, 422, ana.Ask("POST", "/sign-in/link", url.Values{"link": {link}}).StatusCode, "once")

	require.Equal(t, 303, ana.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	_, code, _ = ana.SignInEmail()
	other := visitor.New(t, h)
	assert.Equal(t, 422, other.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {"0000 0000"}}).StatusCode)
	assert.Equal(t, 303, other.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {code}}).StatusCode, "the code works anywhere")
	assert.Contains(t, other.Ask("GET", "/portal", nil).Page, "Hello, Ana")
}

// TestT8CookiesAndSessions: a session that was planted in the browser ends at sign-in, and an ended session gives no
// access.
func TestT8CookiesAndSessions(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ana := visitor.New(t, h)
	const name = "__Host-konbit-session"
	ana.Cookies[name] = "slipped-in"
	ana.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}})
	link, _, text := ana.SignInEmail()
	assert.Contains(t, text, "https://give.example/sign-in/link?lang=en#")
	got := ana.Ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Len(t, got.Cookies(), 3, "the session, the mark of a known browser, and the end of the challenge")
	assert.NotEqual(t, "slipped-in", ana.Cookies[name])
	first := ana.Cookies[name]
	require.Len(t, ana.Ask("GET", "/portal?lang=es", nil).Cookies(), 1)
	assert.Contains(t, ana.Ask("GET", "/portal/gifts", nil).Page, "Todas las donaciones", "the language stays chosen")

	ana.SignIn("ana@example.org")
	second := ana.Cookies[name]
	assert.NotEqual(t, first, second, "renewed")
	stale := visitor.New(t, h)
	stale.Cookies[name] = first
	assert.Equal(t, 401, stale.Ask("GET", "/portal", nil).StatusCode, "the planted session has ended")
	other := visitor.New(t, h).SignIn("ana@example.org")

	got = ana.Post("/sign-out", url.Values{})
	assert.Equal(t, 303, got.StatusCode)
	assert.Equal(t, `"cache", "storage"`, got.Header.Get("Clear-Site-Data"))
	stale.Cookies[name] = second
	assert.Equal(t, 401, stale.Ask("GET", "/portal", nil).StatusCode, "signed out")
	assert.Equal(t, 200, other.Ask("GET", "/portal", nil).StatusCode)
	ana.SignIn("ana@example.org")
	savedCookie := other.Cookies[name]
	got = ana.Post("/portal/sessions/end", url.Values{})
	assert.Equal(t, 303, got.StatusCode)
	assert.Equal(t, `"cache", "storage"`, got.Header.Get("Clear-Site-Data"))
	stale.Cookies[name] = savedCookie
	assert.Equal(t, 401, stale.Ask("GET", "/portal", nil).StatusCode, "signed out everywhere")
	for _, table := range []string{"session", "sign_in"} {
		for _, secret := range []string{first, second, savedCookie} {
			assert.Zero(t, h.Count(fmt.Sprintf(`SELECT count(*) FROM %s x WHERE x::text LIKE '%%' || $1 || '%%'`, table), secret))
		}
	}
	assert.NotContains(t, h.Log.String(), first)
	assert.NotContains(t, h.Log.String(), link)
}

// TestT21ResponsesDoNotRevealKnownAddresses: no email is sent to an address that never gave. The row enumeration of
// cmd/chaos shows with a thousand addresses of each kind that responses are the same and take the same time.
func TestT21ResponsesDoNotRevealKnownAddresses(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	v := visitor.New(t, h)
	require.Equal(t, 303, v.Ask("POST", "/sign-in", url.Values{"email": {"eve@example.net"}}).StatusCode)
	link, code, _ := v.SignInEmail()
	assert.Empty(t, link+code)
	require.Equal(t, 303, v.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	assert.Empty(t, h.Mail.Messages(), "no email is sent during the request")
	link, code, _ = v.SignInEmail()
	assert.NotEmpty(t, link+code)
}

func TestT22SignInIsRateLimited(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	ana := visitor.New(t, h)
	statuses := map[int]int{}
	for range 8 {
		statuses[ana.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode]++
	}
	assert.Equal(t, map[int]int{303: 5, 429: 3}, statuses, "from one network to one mailbox: four, and one more in a quarter of an hour")
	link, code, _ := ana.SignInEmail()
	stranger := visitor.New(t, h)
	limited := 0
	for i := range 40 {
		got := stranger.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {fmt.Sprintf("%08d", i)}})
		if got.StatusCode == 429 {
			limited++
		}
	}
	assert.Equal(t, 35, limited, "five guesses from one network")
	assert.Equal(t, 422, ana.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {"1"}}).StatusCode)
	assert.Equal(t, 303, ana.Ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {code}}).StatusCode, "the donor still gets in")
	assert.NotEmpty(t, link)
	// The browser is known now: what strangers do from its own network does not keep it out. Signing out changes
	// nothing.
	require.Equal(t, 303, ana.Post("/sign-out", url.Values{}).StatusCode)
	require.NotEmpty(t, ana.Cookies["konbit-known"])
	assert.NotContains(t, ana.Cookies["konbit-known"], "ana")
	assert.Equal(t, 429, stranger.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	assert.Equal(t, 303, ana.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	stranger.Cookies["konbit-known"] = visitor.New(t, h).Cookies["konbit-known"] + "."
	assert.Equal(t, 429, stranger.Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	for _, bad := range []string{"", "ana", "ana@", "a\x00b@example.org", `"a b"@example.org`} {
		assert.Equal(t, 422, ana.Ask("POST", "/sign-in", url.Values{"email": {bad}}).StatusCode, "%q", bad)
	}
}
