package web_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// TestT6ScannersUseNothingUp: what opens links before people do signs nobody in and uses nothing up.
func TestT6ScannersUseNothingUp(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(from("ana@example.org", "Ana"))
	ana, scanner := newVisitor(t, h), newVisitor(t, h)
	require.Equal(t, 303, ana.ask("POST", "/sign-in", url.Values{"email": {" Ana@Example.org "}}).StatusCode)
	assert.Contains(t, ana.ask("GET", "/sign-in/code", nil).body, "ana@example.org", "the browser that asked is reminded")
	assert.NotContains(t, scanner.ask("GET", "/sign-in/code", nil).body, "ana@example.org")
	link, code, text := ana.letter()
	require.NotEmpty(t, link)
	require.NotEmpty(t, code)
	assert.Contains(t, text, h.URL+"/sign-in/link?lang=en#"+link, "the secret stands behind the #")
	for range 20 {
		for _, who := range []*visitor{ana, scanner} {
			assert.Equal(t, 200, who.ask("GET", "/sign-in/link?lang=en", nil).StatusCode)
			assert.Equal(t, 200, who.ask("HEAD", "/sign-in/link?lang=en", nil).StatusCode)
			assert.Equal(t, 200, who.ask("GET", "/sign-in/link?link="+link, nil, "Sec-Purpose: prefetch;prerender").StatusCode)
		}
		got := scanner.ask("POST", "/sign-in/link", url.Values{"link": {link}})
		assert.Equal(t, 422, got.StatusCode, "its script may press the button, too")
	}
	assert.Zero(t, h.Count(`SELECT count(*) FROM session`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM sign_in WHERE used_at IS NOT NULL`))
	got := ana.ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Equal(t, 303, got.StatusCode)
	assert.Equal(t, "/portal", got.Header.Get("Location"))
	assert.Contains(t, ana.ask("GET", "/portal", nil).body, "Hello, Ana")
	assert.Equal(t, 422, ana.ask("POST", "/sign-in/link", url.Values{"link": {link}}).StatusCode, "once")

	require.Equal(t, 303, ana.ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	_, code, _ = ana.letter()
	other := newVisitor(t, h)
	assert.Equal(t, 422, other.ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {"0000 0000"}}).StatusCode)
	assert.Equal(t, 303, other.ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {code}}).StatusCode, "the code works anywhere")
	assert.Contains(t, other.ask("GET", "/portal", nil).body, "Hello, Ana")
}

// TestT8CookiesAndSessions: a session slipped in before never survives, and what is ended
// opens nothing.
func TestT8CookiesAndSessions(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	h.SettledGift(from("ana@example.org", "Ana"))
	ana := newVisitor(t, h)
	const name = "__Host-konbit-session"
	ana.cookies[name] = "slipped-in"
	ana.ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}})
	link, _, text := ana.letter()
	assert.Contains(t, text, "https://give.example/sign-in/link?lang=en#")
	got := ana.ask("POST", "/sign-in/link", url.Values{"link": {link}})
	require.Len(t, got.Cookies(), 2)
	assert.NotEqual(t, "slipped-in", ana.cookies[name])
	first := ana.cookies[name]
	require.Len(t, ana.ask("GET", "/portal?lang=es", nil).Cookies(), 1)
	assert.Contains(t, ana.ask("GET", "/portal/gifts", nil).body, "Todas las donaciones", "the language stays chosen")

	ana.enter("ana@example.org")
	second := ana.cookies[name]
	assert.NotEqual(t, first, second, "renewed")
	stale := newVisitor(t, h)
	stale.cookies[name] = first
	assert.Equal(t, 401, stale.ask("GET", "/portal", nil).StatusCode, "what it held before is over")
	other := newVisitor(t, h).enter("ana@example.org")

	got = ana.post("/sign-out", url.Values{})
	assert.Equal(t, 303, got.StatusCode)
	stale.cookies[name] = second
	assert.Equal(t, 401, stale.ask("GET", "/portal", nil).StatusCode, "signed out")
	assert.Equal(t, 200, other.ask("GET", "/portal", nil).StatusCode)
	ana.enter("ana@example.org")
	kept := other.cookies[name]
	assert.Equal(t, 303, ana.post("/portal/sessions/end", url.Values{}).StatusCode)
	stale.cookies[name] = kept
	assert.Equal(t, 401, stale.ask("GET", "/portal", nil).StatusCode, "signed out everywhere")
	for _, table := range []string{"session", "sign_in"} {
		for _, secret := range []string{first, second, kept} {
			assert.Zero(t, h.Count(fmt.Sprintf(`SELECT count(*) FROM %s x WHERE x::text LIKE '%%' || $1 || '%%'`, table), secret))
		}
	}
	assert.NotContains(t, h.Log.String(), first)
	assert.NotContains(t, h.Log.String(), link)
}

// TestT21OnlyTheMailboxLearnsWhetherItIsKnown: nobody is written to who never gave. That the answers are the same, and take as long,
// the row enumeration of cmd/chaos shows with a thousand addresses of each kind.
func TestT21OnlyTheMailboxLearnsWhetherItIsKnown(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	h.SettledGift(from("ana@example.org", "Ana"))
	v := newVisitor(t, h)
	require.Equal(t, 303, v.ask("POST", "/sign-in", url.Values{"email": {"eve@example.net"}}).StatusCode)
	link, code, _ := v.letter()
	assert.Empty(t, link+code)
	require.Equal(t, 303, v.ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode)
	assert.Empty(t, h.Mail.Messages(), "nothing goes in the request")
	link, code, _ = v.letter()
	assert.NotEmpty(t, link+code)
}

func TestT22TheDoorHoldsStill(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(from("ana@example.org", "Ana"))
	ana := newVisitor(t, h)
	statuses := map[int]int{}
	for range 8 {
		statuses[ana.ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}}).StatusCode]++
	}
	assert.Equal(t, map[int]int{303: 4, 429: 4}, statuses, "from one network to one mailbox")
	link, code, _ := ana.letter()
	stranger := newVisitor(t, h)
	held := 0
	for i := range 40 {
		got := stranger.ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {fmt.Sprintf("%08d", i)}})
		if got.StatusCode == 429 {
			held++
		}
	}
	assert.Equal(t, 35, held, "five guesses from one network")
	assert.Equal(t, 422, ana.ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {"1"}}).StatusCode)
	assert.Equal(t, 303, ana.ask("POST", "/sign-in/code", url.Values{"email": {"ana@example.org"}, "code": {code}}).StatusCode, "the donor still gets in")
	assert.NotEmpty(t, link)
	for _, bad := range []string{"", "ana", "ana@", "a\x00b@example.org", `"a b"@example.org`} {
		assert.Equal(t, 422, ana.ask("POST", "/sign-in", url.Values{"email": {bad}}).StatusCode, "%q", bad)
	}
}
