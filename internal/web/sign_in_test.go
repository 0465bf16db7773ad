package web_test

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/testkit/house"
)

// TestT6ScannersUseNothingUp: what opens links before people do signs nobody in and uses nothing up.
func TestT6ScannersUseNothingUp(t *testing.T) {
	t.Parallel()
	h := house.New(t, house.Options{})
	h.Settled(from("ana@example.org", "Ana"))
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

// TestT8CookiesAndSessions: every cookie is the host's alone, a session slipped in before never survives, and what is ended
// opens nothing.
func TestT8CookiesAndSessions(t *testing.T) {
	t.Parallel()
	h := house.New(t, house.Options{BaseURL: "https://give.example"})
	h.Settled(from("ana@example.org", "Ana"))
	ana := newVisitor(t, h)
	check := func(a answer) {
		for _, c := range a.Cookies() {
			assert.True(t, strings.HasPrefix(c.Name, "__Host-"), c.Name)
			assert.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "" && c.SameSite == http.SameSiteLaxMode, c.Name)
		}
	}
	const name = "__Host-konbit-session"
	ana.cookies[name] = "slipped-in"
	got := ana.ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}})
	check(got)
	link, _, text := ana.letter()
	assert.Contains(t, text, "https://give.example/sign-in/link?lang=en#")
	got = ana.ask("POST", "/sign-in/link", url.Values{"link": {link}})
	check(got)
	require.Len(t, got.Cookies(), 2)
	assert.NotEqual(t, "slipped-in", ana.cookies[name])
	first := ana.cookies[name]
	check(ana.ask("GET", "/portal?lang=es", nil))
	assert.Contains(t, ana.ask("GET", "/portal/gifts", nil).body, "Todas las donaciones", "the language stays chosen")

	ana.enter("ana@example.org")
	second := ana.cookies[name]
	assert.NotEqual(t, first, second, "renewed")
	stale := newVisitor(t, h)
	stale.cookies[name] = first
	assert.Equal(t, 401, stale.ask("GET", "/portal", nil).StatusCode, "what it held before is over")
	other := newVisitor(t, h).enter("ana@example.org")

	got = ana.post("/sign-out", url.Values{})
	check(got)
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

// TestT21KnownAndUnknownAreToldTheSame: status, headers, length and time; only the mailbox's owner learns which it is.
func TestT21KnownAndUnknownAreToldTheSame(t *testing.T) {
	t.Parallel()
	h := house.New(t, house.Options{Unlimited: true})
	h.Settled(from("ana@example.org", "Ana"))
	const rounds = 60
	shape := func(email string) (string, time.Duration) {
		v := newVisitor(t, h)
		began := time.Now()
		got := v.ask("POST", "/sign-in", url.Values{"email": {email}})
		took := time.Since(began)
		page := v.ask("GET", "/sign-in/code", nil)
		wrong := v.ask("POST", "/sign-in/code", url.Values{"email": {email}, "code": {"12345678"}})
		header := got.Header.Clone()
		for _, varies := range []string{"Date", "Set-Cookie"} {
			header.Del(varies)
		}
		return fmt.Sprint(got.StatusCode, header, len(got.body), len(got.Cookies()), len(got.Header.Get("Set-Cookie")),
			page.StatusCode, len(page.body), wrong.StatusCode, len(wrong.body)), took
	}
	var known, unknown []time.Duration
	for range rounds {
		one, took := shape("ana@example.org")
		known = append(known, took)
		two, took := shape("eve@example.net") // as long
		unknown = append(unknown, took)
		require.Equal(t, one, two)
	}
	// A machine busy with other tests is no fair clock; work done for one kind alone would still stand out by far.
	p := mannWhitney(known, unknown)
	t.Logf("times of %d each: p = %.3f", rounds, p)
	assert.Greater(t, p, 1e-6, "the times are of one kind")
	v := newVisitor(t, h)
	v.ask("POST", "/sign-in", url.Values{"email": {"eve@example.net"}})
	link, code, _ := v.letter()
	assert.Empty(t, link+code, "nobody is written to who never gave")
	assert.Empty(t, h.Mail.Messages())
}

// mannWhitney is the probability, two-sided and by the normal approximation, of ranks this far apart if both are of one kind.
func mannWhitney(a, b []time.Duration) float64 {
	type one struct {
		took time.Duration
		of   int
	}
	var all []one
	for i, group := range [][]time.Duration{a, b} {
		for _, took := range group {
			all = append(all, one{took, i})
		}
	}
	slices.SortFunc(all, func(x, y one) int { return int(x.took - y.took) })
	ranks, n, m := 0.0, float64(len(a)), float64(len(b))
	for i, x := range all {
		if x.of == 0 {
			ranks += float64(i + 1)
		}
	}
	u := ranks - n*(n+1)/2
	z := math.Abs(u-n*m/2) / math.Sqrt(n*m*(n+m+1)/12)
	return math.Erfc(z / math.Sqrt2)
}

func TestT22TheDoorHoldsStill(t *testing.T) {
	t.Parallel()
	h := house.New(t, house.Options{})
	h.Settled(from("ana@example.org", "Ana"))
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
