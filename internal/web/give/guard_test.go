package give_test

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/web/give"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// guardedProgram is a program with the limits of an installation that sets none, and with this machine's proxies in
// front of it.
type guardedProgram struct {
	*program.Program
	t     *testing.T
	URL   string
	guard *guard.Guard
}

const secret = "canary-secret-of-32-bytes-length"

func newGuardedProgram(t *testing.T, limits guard.Limits, proxies ...string) *guardedProgram {
	h := program.New(t, program.Options{})
	g := &guardedProgram{Program: h, t: t, guard: guard.New(h.DB.Server, keyring.New([]byte(secret)), limits, time.Now)}
	giveArea(t, h).Guard, h.Server.TrustedProxies = g.guard, nil
	for _, p := range proxies {
		h.Server.TrustedProxies = append(h.Server.TrustedProxies, netip.MustParsePrefix(p))
	}
	server := httptest.NewServer(h.Server.Handler())
	t.Cleanup(server.Close)
	g.URL = server.URL
	return g
}

// reply is what a browser receives.
type reply struct {
	status   int
	location string
	body     string
	cookies  []*http.Cookie
}

// giveArea returns the area whose limits a test sets.
func giveArea(t *testing.T, h *program.Program) *give.Area {
	t.Helper()
	for _, area := range h.Server.Areas {
		if a, ok := area.(*give.Area); ok {
			return a
		}
	}
	t.Fatal("the program has no area give")
	return nil
}

func (g *guardedProgram) send(r *http.Request) reply {
	g.t.Helper()
	response, err := program.Client().Do(r)
	require.NoError(g.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(g.t, err)
	return reply{response.StatusCode, response.Header.Get("Location"), string(body), response.Cookies()}
}

// formAfter returns the form of a new donor who read it for some time.
func (g *guardedProgram) formAfter(read time.Duration) url.Values {
	return url.Values{
		"form": {g.guard.FormToken(uuid.New(), time.Now().Add(-read))}, "amount": {"20"}, "frequency": {"once"}, "fund": {"general"},
		"first_name": {"Ana"}, "last_name": {"Pérez"}, "email": {uuid.NewString() + "@example.org"}, "note": {`For "my" neighbours <3`},
	}
}

// postFrom posts a form as a proxy forwards it from an address.
func (g *guardedProgram) postFrom(address string, form url.Values, headers ...string) reply {
	g.t.Helper()
	r, err := http.NewRequest(http.MethodPost, g.URL+"/give/csio?lang=en", strings.NewReader(form.Encode()))
	require.NoError(g.t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if address != "" {
		r.Header.Set("X-Forwarded-For", address)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return g.send(r)
}

func (g *guardedProgram) sessions() int { return len(g.Fake.Calls("POST", "/v1/checkout/sessions")) }

const rateLimitedText = "Many attempts to give came in a short time"

// requireRefused checks the response to a form with a wrong answer to a challenge: 429 and what was typed.
func requireRefused(t *testing.T, a reply, form url.Values) {
	t.Helper()
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Contains(t, a.body, rateLimitedText)
	require.Contains(t, a.body, html.EscapeString(form.Get("email")))
	require.Contains(t, a.body, "my&#34; neighbours")
	require.NotContains(t, a.body, "declined")
}

// requireChallenged checks the response to a form that gets the challenge.
func requireChallenged(t *testing.T, a reply) {
	t.Helper()
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Contains(t, a.body, "A short check keeps them out")
}

// TestOneAddressOpensFewPaymentPages: 500 attempts from one address open at most five payment pages in ten minutes, and
// all of a hundred donors can give in the same minutes.
func TestOneAddressOpensFewPaymentPages(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	donors := 0
	for i := range 500 {
		form := g.formAfter(time.Minute)
		if a := g.postFrom("203.0.113.9", form); a.status != http.StatusSeeOther {
			requireChallenged(t, a)
		}
		if i%5 == 0 {
			address := fmt.Sprintf("198.51.%d.7", i/5)
			if i%50 == 0 {
				address = fmt.Sprintf("203.0.113.%d", 100+i/50) // the network of the program that tries cards
			}
			if a := g.postFrom(address, g.formAfter(time.Minute)); a.status == http.StatusSeeOther {
				donors++
			}
		}
	}
	require.GreaterOrEqual(t, donors, 99, "donors who got through")
	require.Equal(t, 5, g.sessions()-donors, "payment pages of the bot")
	require.Equal(t, 5+donors, g.Count(`SELECT count(*) FROM donation`), "a refused attempt leaves no row")
	require.NotContains(t, strings.ReplaceAll(g.Log.String(), "203.0.113.0/24", ""), "203.0.113", "networks are logged, addresses are not")
}

// TestOnlyTrustedProxiesSetTheAddress is threat T25: X-Forwarded-For is ignored unless the peer is a trusted proxy, and
// then only the address that this proxy added is used.
func TestOnlyTrustedProxiesSetTheAddress(t *testing.T) {
	for name, c := range map[string]struct {
		proxies []string
		forged  func(i int) []string
	}{
		"no proxy, X-Forwarded-For": {nil, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("198.51.%d.1", i)} }},
		"no proxy, True-Client-IP":  {nil, func(i int) []string { return []string{"True-Client-IP", fmt.Sprintf("198.51.%d.1", i)} }},
		"no proxy, X-Real-IP":       {nil, func(i int) []string { return []string{"X-Real-IP", fmt.Sprintf("198.51.%d.1", i)} }},
		"another proxy":             {[]string{"192.0.2.0/24"}, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("198.51.%d.1", i)} }},
		"ahead of our proxy's word": {[]string{"127.0.0.1/32"}, func(i int) []string {
			return []string{"X-Forwarded-For", fmt.Sprintf("198.51.%d.1, 203.0.113.9", i), "True-Client-IP", fmt.Sprintf("198.51.%d.1", i),
				"X-Real-IP", fmt.Sprintf("198.51.%d.1", i), "Forwarded", fmt.Sprintf("for=198.51.%d.1", i)}
		}},
		"through two of ours": {[]string{"127.0.0.1/32", "10.0.0.0/8"}, func(i int) []string {
			return []string{"X-Forwarded-For", fmt.Sprintf("198.51.%d.1, 203.0.113.9, 10.1.2.%d", i, i)}
		}},
		"rubbish": {[]string{"127.0.0.1/32"}, func(i int) []string { return []string{"X-Forwarded-For", fmt.Sprintf("198.51.%d.1, x%d", i, i)} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := newGuardedProgram(t, guard.Standard(), c.proxies...)
			passed := 0
			for i := range 12 {
				if g.postFrom("", g.formAfter(time.Minute), c.forged(i)...).status == http.StatusSeeOther {
					passed++
				}
			}
			require.Equal(t, 5, passed)
			require.Equal(t, 5, g.sessions())
		})
	}
}

// TestManyDeclinesRequireTheChallenge: a program with 500 addresses whose cards are declined gets the challenge on
// every page within a minute of the 21st decline, and opens no payment page from then on. Donors solve the challenge
// and give.
func TestManyDeclinesRequireTheChallenge(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	address := func(i int) string { return fmt.Sprintf("198.%d.%d.1", 18+i/250, i%250) }
	var since time.Time
	tried := 0
	for ; tried < 500; tried++ {
		a := g.postFrom(address(tried), g.formAfter(time.Minute))
		if a.status != http.StatusSeeOther {
			require.Equal(t, http.StatusTooManyRequests, a.status)
			break
		}
		g.decline(a.location)
		if tried == 20 {
			since = time.Now()
		}
		if tried > 20 {
			time.Sleep(100 * time.Millisecond)
		}
	}
	t.Logf("the step is asked for after %d attempts, %s after the 21st refusal", tried, time.Since(since).Round(time.Millisecond))
	require.Less(t, tried, 500)
	require.False(t, since.IsZero())
	require.Less(t, time.Since(since), 60*time.Second)

	open := g.sessions()
	for i := tried; i < 500; i++ {
		a := g.postFrom(address(i), g.formAfter(time.Minute))
		require.Equal(t, http.StatusTooManyRequests, a.status)
		require.Contains(t, a.body, "A short check keeps them out")
	}
	require.Equal(t, open, g.sessions(), "Stripe is not called any more")

	passed := 0
	for i := range 100 {
		a := g.postFrom(fmt.Sprintf("203.0.%d.1", i), g.formAfter(time.Minute))
		if a = g.postFrom(fmt.Sprintf("203.0.%d.1", i), visitor.Solve(t, a.body)); a.status == http.StatusSeeOther {
			passed++
		}
	}
	require.GreaterOrEqual(t, passed, 99, "donors who got through")
	aina := strings.NewReplacer("csio", "aina").Replace(g.URL + "/give/csio?lang=en")
	form := g.formAfter(time.Minute)
	form.Set("fund", "free")
	r, err := http.NewRequest(http.MethodPost, aina, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.Contains(t, g.send(r).body, "A short check keeps them out", "on every page of the site")
}

// decline pays on a payment page with a card that the bank declines, and delivers Stripe's events.
func (g *guardedProgram) decline(page string) {
	g.t.Helper()
	card := stripefake.GoodCard
	card.Number = "4000000000000002"
	u, err := url.Parse(page)
	require.NoError(g.t, err)
	before := len(g.Fake.Events())
	require.Error(g.t, g.Fake.Pay(path.Base(u.Path), card))
	for _, body := range g.Fake.Events()[before:] {
		g.Deliver(g.ParseEvent(body))
	}
	g.DrainAll()
}

// TestADeclineCountsOnce: Stripe reports one declined card by two events, each delivered several times.
func TestADeclineCountsOnce(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	a := g.postFrom("198.51.100.1", g.formAfter(time.Minute))
	g.decline(a.location)
	g.Exec(`UPDATE stripe_event SET state = 'new', done_at = NULL`)
	g.DrainAll()
	require.Equal(t, 1, g.Count(`SELECT count(*) FROM guard_failure`))
	require.Equal(t, 1, g.Count(`SELECT count(*) FROM guard_failure WHERE page = 'csio' AND at > now() - interval '1 minute'`))
}

// TestAKnownBrowserBehindAFullAddress: strangers behind the same address, of a parish or a carrier, use up its limit and
// that of its network. A browser that is known for the donor's email address gives at once, another by the challenge.
func TestAKnownBrowserBehindAFullAddress(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	for i := range 30 {
		require.Equal(t, http.StatusSeeOther, g.postFrom(fmt.Sprintf("203.0.113.%d", 1+i/5), g.formAfter(time.Minute)).status)
	}
	form := g.formAfter(time.Minute)
	form.Set("email", "ana@example.org")
	requireChallenged(t, g.postFrom("203.0.113.1", form))
	known := "konbit-known=" + g.Access.MarkBrowser("", "ana@example.org")
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", form, "Cookie", known).status)
	form = g.formAfter(time.Minute)
	form.Set("email", "bea@example.org")
	requireChallenged(t, g.postFrom("203.0.113.1", form, "Cookie", known))
}

// TestWhoHasToWait: a program solves challenges from the address of a parish until its answers are at their limit. A person
// behind the same address is not refused: the page is a wait, without a script, and says that who gave before can sign in.
func TestWhoHasToWait(t *testing.T) {
	limits := guard.Standard()
	limits.Address = guard.Limit{Max: 1, Window: time.Hour}
	g := newGuardedProgram(t, limits, "127.0.0.1/32")
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", g.formAfter(time.Minute)).status)
	for range 2 {
		shown := g.postFrom("203.0.113.1", g.formAfter(time.Minute))
		requireChallenged(t, shown)
		require.Contains(t, shown.body, "/static/step.")
		require.NotContains(t, shown.body, `href="/sign-in`)
		require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", visitor.Solve(t, shown.body)).status)
	}
	shown := g.postFrom("203.0.113.1", g.formAfter(time.Minute))
	requireChallenged(t, shown)
	require.NotContains(t, shown.body, "/static/step.")
	require.Contains(t, shown.body, "this time the check is a wait. Press the button in 20 seconds.")
	require.Contains(t, shown.body, `href="/sign-in?lang=en"`)
	later := guard.New(g.DB.Server, keyring.New([]byte(secret)), limits, func() time.Time { return time.Now().Add(time.Minute) })
	giveArea(t, g.Program).Guard = later
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", visitor.HiddenFields(shown.body)).status, "after the wait")
}

// TestStrangersWithADonorsAddress: forms with a donor's email address from many networks do not keep the donor out, who
// gives by the challenge, and in a browser that is known for the address at once.
func TestStrangersWithADonorsAddress(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	donors := func() url.Values {
		form := g.formAfter(time.Minute)
		form.Set("email", "ana@example.org")
		return form
	}
	for i := range 5 {
		require.Equal(t, http.StatusSeeOther, g.postFrom(fmt.Sprintf("198.51.%d.1", i), donors()).status)
	}
	for i := range 20 {
		require.Equal(t, http.StatusTooManyRequests, g.postFrom(fmt.Sprintf("198.52.%d.1", i), donors()).status)
	}
	require.Equal(t, 5, g.sessions())
	known := "konbit-known=" + g.Access.MarkBrowser("", "ana@example.org")
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", donors(), "Cookie", known).status)
	shown := g.postFrom("203.0.113.1", donors())
	require.Contains(t, shown.body, "A short check keeps them out")
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", visitor.Solve(t, shown.body)).status)
	require.Equal(t, 7, g.sessions())
}

// TestAFormPostedTooFastGetsTheChallenge: a form that is posted within seconds of being shown gets the challenge.
func TestAFormPostedTooFastGetsTheChallenge(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	form := g.formAfter(time.Second)
	form.Set("split[network]", "") // the challenge posts all fields again
	a := g.postFrom("203.0.113.1", form)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	hiddenFields := visitor.HiddenFields(a.body)
	for name, value := range form {
		require.Equal(t, value, hiddenFields[name], name)
	}
	require.Zero(t, g.sessions())
	require.Zero(t, g.Count(`SELECT count(*) FROM donation`))

	early := g.postFrom("203.0.113.1", hiddenFields)
	require.Contains(t, early.body, "Without JavaScript the check is a short wait")
	require.Equal(t, hiddenFields.Get("step"), visitor.HiddenFields(early.body).Get("step"))
	changed := visitor.Solve(t, a.body)
	changed.Set("amount", "30")
	requireRefused(t, g.postFrom("203.0.113.1", changed), form)

	done := visitor.Solve(t, a.body)
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", done).status)
	requireRefused(t, g.postFrom("203.0.113.1", done), form)
	require.Equal(t, 1, g.sessions())
}

// TestCorrectingAFieldIsNotTooFast: a form that is shown again with a bad field keeps the time at which it was first
// shown.
func TestCorrectingAFieldIsNotTooFast(t *testing.T) {
	g := newGuardedProgram(t, guard.Standard(), "127.0.0.1/32")
	form := g.formAfter(time.Minute)
	email := form.Get("email")
	form.Set("email", "ana@")
	a := g.postFrom("203.0.113.1", form)
	require.Equal(t, http.StatusUnprocessableEntity, a.status)
	require.Equal(t, form.Get("form"), visitor.HiddenFields(a.body).Get("form"))
	form.Set("email", email)
	require.Equal(t, http.StatusSeeOther, g.postFrom("203.0.113.1", form).status)
}

// TestScripts: a form that was posted without being shown gets the challenge; in the demo, which sets no time limit, it
// does not.
func TestScripts(t *testing.T) {
	script := url.Values{"amount": {"20"}, "first_name": {"Ana"}, "last_name": {"Pérez"}, "email": {"ana@example.org"}}
	g := newGuardedProgram(t, guard.Standard())
	a := g.postFrom("", script)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, http.StatusSeeOther, g.postFrom("", visitor.Solve(t, a.body)).status)

	limits, err := guard.ParseLimits("address=100000/10m network=100000/10m email=100000/1h page=100000/10m min_fill_time=off")
	require.NoError(t, err)
	g = newGuardedProgram(t, limits)
	for range 20 {
		require.Equal(t, http.StatusSeeOther, g.postFrom("", script).status)
	}
}
