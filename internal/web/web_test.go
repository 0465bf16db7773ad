package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
	"konbit/migrations"
)

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200}, {"GET", "/give/csio", 200}, {"GET", "/give/csio?again=x", 303}, {"GET", "/give/csio/thanks", 404}, {"GET", "/give/nobody", 404},
		{"GET", "/healthz", 200}, {"GET", "/readyz", 200}, {"GET", "/nothing", 404}, {"GET", "/static/nothing.css", 404}, {"GET", "/_styleguide", 404},
		{"PUT", "/give/csio", 405}, {"DELETE", "/", 405}, {"HEAD", "/give/csio", 200}, {"POST", "/give/csio", 422}, {"POST", "/hooks/stripe/tsne", 400}, {"POST", "/hooks/stripe/nobody", 404},
		{"GET", "/hooks/stripe/tsne", 405}, {"GET", "/give/csio%00", 404}, {"GET", "/give/../../etc/passwd", 404}, {"TRACE", "/", 405},
	} {
		t.Run(test.method+" "+test.path, func(t *testing.T) {
			got := visitor.Ask(t, test.method, h.URL+test.path, nil)
			name := test.method + " " + test.path
			assert.Equal(t, test.status, got.StatusCode, name)
			policy := got.Header.Get("Content-Security-Policy")
			for _, part := range []string{"default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
				assert.Contains(t, policy, part, name)
			}
			assert.NotContains(t, policy, "unsafe", name)
			assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"), name)
			assert.Equal(t, "same-origin", got.Header.Get("Cross-Origin-Opener-Policy"), name)
			assert.NotEmpty(t, got.Header.Get("Referrer-Policy"), name)
			assert.Equal(t, "max-age=31536000; includeSubDomains", got.Header.Get("Strict-Transport-Security"), name)
			assert.Empty(t, got.Header.Get("Access-Control-Allow-Origin"), name)
			assert.Empty(t, got.Header.Get("Server"), name)
			assert.Equal(t, test.status == 405, got.Header.Get("Allow") != "", name)
		})
	}
}

// TestEveryAnswerNamesItsType is ASVS 5.0.0 V4.1.1: an answer with a body says what it is, and texts in which charset.
func TestEveryAnswerNamesItsType(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	seen := 0
	for _, r := range routes(t, e.Program) {
		for _, v := range []*visitor.Visitor{e.Ana, e.Nobody} {
			method := r.Method
			if method == "*" {
				method = "GET"
			}
			got := v.Ask(method, r.path(r.object(t, e)), nil)
			if got.Page == "" {
				continue
			}
			seen++
			assert.Regexp(t, `^(text/(html|plain|csv); charset=utf-8|application/(json|pdf))$`, got.Header.Get("Content-Type"), r.name())
		}
	}
	require.Greater(t, seen, 40)
}

func TestAllowListsTheMethods(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	for path, allowed := range map[string][]string{"/give/csio": {"GET", "HEAD", "POST"}, "/hooks/stripe/tsne": {"POST"}, "/": {"GET", "HEAD"}} {
		t.Run(path, func(t *testing.T) {
			assert.Equal(t, allowed, visitor.Ask(t, "DELETE", h.URL+path, nil).Header.Values("Allow"))
		})
	}
}

func TestCrossOriginPosts(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	for name, test := range map[string]struct {
		headers []string
		status  int
	}{
		"another site, says the browser":           {[]string{"Sec-Fetch-Site: cross-site"}, 403},
		"another host of the site":                 {[]string{"Sec-Fetch-Site: same-site"}, 403},
		"another origin, of an old browser":        {[]string{"Origin: https://evil.example"}, 403},
		"a page without an origin":                 {[]string{"Origin: null"}, 403},
		"another port":                             {[]string{"Origin: http://127.0.0.1:1"}, 403},
		"our own page":                             {[]string{"Sec-Fetch-Site: same-origin"}, 303},
		"our own page, of an old browser":          {[]string{"Origin: " + h.URL}, 303},
		"a script without either":                  {nil, 303},
		"our page, whatever else it says it wants": {[]string{"Sec-Fetch-Site: same-origin", "Origin: https://evil.example"}, 303},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.status, visitor.Ask(t, "POST", h.URL+"/give/csio", visitor.FilledForm(), test.headers...).StatusCode)
		})
	}
	assert.Equal(t, 4, h.Count(`SELECT count(*) FROM donation`))
}

// TestLinksDoNotFollowTheHost: no link contains the Host header of the request.
func TestLinksDoNotFollowTheHost(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	evil := []string{"Host: evil.example", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example", "X-Forwarded-Proto: gopher"}
	got := visitor.Ask(t, "POST", h.URL+"/give/csio", visitor.FilledForm(), evil...)
	require.Equal(t, 303, got.StatusCode)
	calls := h.Fake.Calls("POST", "/v1/checkout/sessions")
	require.Len(t, calls, 1)
	assert.True(t, strings.HasPrefix(calls[0].Params.Get("success_url"), "https://give.example/give/csio/thanks?"), calls[0].Params.Get("success_url"))
	assert.True(t, strings.HasPrefix(calls[0].Params.Get("cancel_url"), "https://give.example/give/csio?"))
	for _, path := range []string{"/", "/give/csio", "/give/csio/thanks"} {
		page := visitor.Ask(t, "GET", h.URL+path, nil, evil...)
		assert.NotContains(t, page.Page+fmt.Sprint(page.Header), "evil.example", path)
	}
}

func TestCookieHasTheHostPrefix(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	cookies := visitor.Ask(t, "POST", h.URL+"/give/csio", visitor.FilledForm()).Cookies()
	require.NotEmpty(t, cookies)
	for _, c := range cookies {
		assert.True(t, strings.HasPrefix(c.Name, "__Host-"), c.Name)
		assert.True(t, c.Secure && c.HttpOnly && c.Path == "/" && c.Domain == "", c.Name)
		assert.NotZero(t, c.SameSite, c.Name)
	}
}

// TestASecondValueChangesNothing: the first value of a field that is posted twice counts, and a field in the address is ignored.
func TestASecondValueChangesNothing(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	other := url.Values{"amount": {"50"}, "frequency": {"monthly"}, "fund": {"land"}, "first_name": {"Mallory"}, "last_name": {"Evil"}, "email": {"mallory@evil.example"}}
	form := visitor.FilledForm()
	for name := range other {
		require.NotEmpty(t, form.Get(name), name)
		form.Add(name, other.Get(name))
	}
	require.Equal(t, 303, visitor.Ask(t, "POST", h.URL+"/give/csio?"+other.Encode(), form).StatusCode)
	require.Equal(t, []string{"ana@example.org 2000 once Ana Pérez general"}, h.Lines(`SELECT format('%s %s %s %s %s %s', c.email, d.amount, d.frequency, c.first_name, c.last_name, f.slug)
		FROM donation d JOIN donation_contact c ON c.donation_id = d.id JOIN designation s ON s.donation_id = d.id JOIN fund f ON f.id = s.fund_id`))
	require.Zero(t, h.Count(`SELECT count(*) FROM plan`))
	form.Del("amount")
	require.Equal(t, 422, visitor.Ask(t, "POST", h.URL+"/give/csio?"+other.Encode(), form).StatusCode, "the address does not fill in what is missing")
}

// TestTwoHundredMutations: a form with forged values gets 422, Stripe is not called, and no row is written.
func TestTwoHundredMutations(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	amounts := []string{"0", "-1", "-20", "4.99", "25000.01", "99999999999", "1e9", "1e-9", "NaN", "Inf", "-Inf", "0x20", "20,000.001", "1.2.3", "٢٠٫٥", "20 EUR", "20 USD USD",
		"$", "0.001", "999999999999999999999", "20;10", "20'--", "<20>", "null", "true", "[20]", "+20", "1_000", "0.125", "--5", "%32%30", "\x00", "20\x00", "2 0", "5e2"}
	funds := []string{"operations", "land", "free", "General", "general ", "general'--", "../general", "general,network", "", "x"}
	frequencies := []string{"hourly", "ONCE", "once,monthly", "0", "null", "Weekly", "fortnightly", "daily", "once\x00", "-1"}
	emails := []string{"", "ana", "ana@", "a@b", "a@b.c\r\nBcc: x@y.z", `"a b"@c.de`, "a@b.c,d@e.f", "é@b.cd", "a@b.c>", strings.Repeat("a", 250) + "@b.cd"}
	count := 0
	refuse := func(change func(url.Values)) {
		form := visitor.FilledForm()
		change(form)
		got := visitor.Ask(t, "POST", h.URL+"/give/csio", form)
		assert.Equal(t, 422, got.StatusCode, "%v", form)
		count++
	}
	for _, a := range amounts {
		refuse(func(f url.Values) { f.Set("amount", "other"); f.Set("amount_other", a) })
		refuse(func(f url.Values) { f.Set("amount", a) })
		refuse(func(f url.Values) { f.Set("amount_other", "7"+a) })
		refuse(func(f url.Values) { f.Set("split[general]", "10"); f.Set("split[network]", a) })
	}
	for _, f := range funds[:8] {
		refuse(func(v url.Values) { v.Set("fund", f) })
		refuse(func(v url.Values) { v.Del("fund"); v.Set("split["+f+"]", "20") })
	}
	for _, f := range frequencies {
		refuse(func(v url.Values) { v.Set("frequency", f) })
	}
	for _, e := range emails {
		refuse(func(v url.Values) { v.Set("email", e) })
	}
	for _, field := range append(contact.FieldNames(), "note") {
		for _, bad := range []string{"a\x00b", "a\xffb", strings.Repeat("é", 1100), "\x1b[2J", "a\x7f"} {
			refuse(func(v url.Values) { v.Set(field, bad) })
		}
	}
	refuse(func(v url.Values) { v.Del("first_name"); v.Del("last_name"); v.Del("email") })
	assert.GreaterOrEqual(t, count, 200)
	assert.Empty(t, h.Fake.Calls())
	assert.Zero(t, h.Count(`SELECT count(*) FROM donation`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM donor`))
}

func TestAFormWithErrorsKeepsItsValues(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := visitor.FilledForm()
	form.Set("amount", "other")
	form.Set("amount_other", "2")
	form.Set("note", `A "garden" & <b>bread</b>`)
	got := visitor.Ask(t, "POST", h.URL+"/give/csio?lang=es", form)
	assert.Equal(t, 422, got.StatusCode)
	for _, shown := range []string{`value="Ana"`, `value="Pérez"`, `value="ana@example.org"`, `value="2"`, "A &#34;garden&#34; &amp; &lt;b&gt;bread&lt;/b&gt;", `lang="es"`, form.Get("form")} {
		assert.Contains(t, got.Page, shown)
	}
	assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
}

// TestOtherBrowsersDoNotSeeWhatWasTyped: the address of a gift shows what was typed only in the browser in which it was
// typed.
func TestOtherBrowsersDoNotSeeWhatWasTyped(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	submitted := visitor.Ask(t, "POST", h.URL+"/give/csio", visitor.FilledForm())
	ref := h.Lines(`SELECT public_ref FROM donation`)[0]
	again := h.URL + "/give/csio?lang=en&again=" + url.QueryEscape(ref)
	cookie := "Cookie: "
	for _, c := range submitted.Cookies() {
		cookie += c.Name + "=" + c.Value + "; "
	}
	own := visitor.Ask(t, "GET", again, nil, cookie)
	assert.Contains(t, own.Page, "ana@example.org")
	name := submitted.Cookies()[0].Name
	for who, headers := range map[string][]string{
		"without a cookie":    nil,
		"with a forged one":   {"Cookie: " + name + "=" + ref + ".AAAA"},
		"with an empty proof": {"Cookie: " + name + "=" + ref + "."},
		"with rubbish":        {"Cookie: " + name + "=."},
	} {
		t.Run(who, func(t *testing.T) {
			page := visitor.Ask(t, "GET", again, nil, headers...)
			assert.Equal(t, 200, page.StatusCode)
			for _, typed := range []string{"ana@example.org", "Pérez", "garden"} {
				assert.NotContains(t, page.Page, typed)
			}
		})
	}
	thanks := visitor.Ask(t, "GET", h.URL+"/give/csio/thanks?gift="+url.QueryEscape(ref), nil)
	assert.Equal(t, 200, thanks.StatusCode)
	assert.NotContains(t, thanks.Page, "Ana")
	for _, forged := range []string{"", "x", strings.Repeat("A", 22), ref[:21], "session_id=cs_test_1"} {
		assert.Equal(t, 404, visitor.Ask(t, "GET", h.URL+"/give/csio/thanks?gift="+url.QueryEscape(forged), nil).StatusCode, forged)
	}
	assert.Equal(t, 404, visitor.Ask(t, "GET", h.URL+"/give/aina/thanks?gift="+url.QueryEscape(ref), nil).StatusCode, "another organisation's page")
	assert.Zero(t, h.Count(`SELECT count(*) FROM journal_entry`), "a page books nothing")
}

func TestBodiesAndHeadersHaveLimits(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	form := visitor.FilledForm()
	form.Set("note", strings.Repeat("x", 70<<10))
	assert.Equal(t, 413, visitor.Ask(t, "POST", h.URL+"/give/csio", form).StatusCode)
	assert.Equal(t, 431, visitor.Ask(t, "GET", h.URL+"/", nil, "X-Long: "+strings.Repeat("x", 24<<10)).StatusCode)
	broken := visitor.Ask(t, "POST", h.URL+"/give/csio", nil, "Content-Type: application/x-www-form-urlencoded; charset=%%")
	assert.Less(t, broken.StatusCode, 500)
	assert.Zero(t, h.Count(`SELECT count(*) FROM donation`))
}

func TestSlowHeadersEndTheConnection(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(h.URL, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow:")
	require.NoError(t, err)
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err = io.ReadAll(bufio.NewReader(conn))
	var network net.Error
	assert.False(t, errors.As(err, &network) && network.Timeout(), "the server keeps the connection open")
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	assert.Equal(t, 200, visitor.Ask(t, "GET", h.URL+"/readyz", nil).StatusCode)
	empty := testkit.EmptyDB(t)
	h.Server.Ready = func(ctx context.Context) error {
		pending, err := migrations.Pending(ctx, empty.Server.DB)
		if err == nil && pending > 0 {
			err = fmt.Errorf("%d pending", pending)
		}
		return err
	}
	handler := h.Server.Handler()
	for path, want := range map[string]int{"/readyz": 503, "/healthz": 200} {
		t.Run(path, func(t *testing.T) {
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
			assert.Equal(t, want, w.Code)
		})
	}
}

func TestAPanicShowsOnlyAReference(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.Server.Ready = func(context.Context) error { panic("secret: ana@example.org") }
	w := httptest.NewRecorder()
	h.Server.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/readyz", nil))
	assert.Equal(t, 500, w.Code)
	assert.NotContains(t, w.Body.String(), "secret")
	assert.NotContains(t, h.Log.String(), "ana@example.org", "the log does not contain the panic's message")
	assert.Contains(t, h.Log.String(), "panic")
	assert.NotEmpty(t, w.Header().Get("Content-Security-Policy"))
	assert.Regexp(t, `[0-9a-f]{8}-[0-9a-f]{4}`, w.Body.String())
}

// TestTheLogContainsNoNames makes a gift with a name that occurs nowhere else, with and without failures: the log does
// not contain it.
func TestTheLogContainsNoNames(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.StartWorkers()
	form := visitor.FilledForm()
	canaries := map[string]string{"first_name": "Zzcanaryfirst", "last_name": "Zzcanarylast", "email": "zzcanarymail@example.org", "phone": "+1 617 555 019987", "note": "Zzcanarynote\r\ntime=2026 level=ERROR msg=zzcanaryline",
		"country": "Zzcanarycountry"}
	for _, name := range contact.FieldNames() {
		form.Set(name, "Zzcanary "+name)
	}
	for name, value := range canaries {
		form.Set(name, value)
	}
	post := func(f url.Values, headers ...string) visitor.Response {
		return visitor.Ask(t, "POST", h.URL+"/give/csio", f, headers...)
	}
	for _, faults := range []stripefake.Faults{{Rate: 1, Kinds: []string{"503"}}, {Rate: 1, Kinds: []string{"500"}}, {}} {
		require.NoError(t, h.Fake.SetFaults(faults))
		post(form)
	}
	bad := url.Values{}
	for name, values := range form {
		bad[name] = values
	}
	bad.Set("amount", "3")
	post(bad)
	post(form, "Origin: https://evil.example")
	session := h.Lines(`SELECT session_id FROM checkout WHERE session_id IS NOT NULL`)[0]
	require.NoError(t, h.Fake.Pay(session, stripefake.GoodCard))
	require.NoError(t, h.Fake.SetMode(stripefake.Normal))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, h.Fake.Drain(ctx))
	_, err := h.Mail.WaitFor(ctx, 1)
	require.NoError(t, err)
	ref := h.Lines(`SELECT public_ref FROM donation WHERE status = 'settled'`)[0]
	visitor.Ask(t, "GET", h.URL+"/give/csio/thanks?gift="+ref, nil)
	visitor.Ask(t, "GET", h.URL+"/give/csio?again="+ref, nil)
	visitor.Ask(t, "GET", h.URL+"/give/csio%0Atime=2026%20level=ERROR?again=%0Azzcanaryline", nil)
	h.Exec(`ALTER TABLE donor RENAME TO donor_gone`) // an error that quotes a query
	form.Set("form", uuid.NewString())
	assert.Equal(t, 500, post(form).StatusCode)
	log := h.Log.String()
	assert.Contains(t, log, "unexpected failure")
	for _, secret := range append([]string{ref, session, "zzcanary", "Zzcanary", "019987", "canary-secret", "canarykey", "whsec_", "sk_test", "4242"}, form.Get("form")) {
		assert.NotContains(t, strings.ToLower(log), strings.ToLower(secret))
	}
	for line := range strings.Lines(log) {
		assert.Regexp(t, `^time=\d{4}-\d\d-\d\dT`, line, "a line that something typed began")
	}
}

func TestStripeDownShowsAPageSoon(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{Fake: stripefake.Options{AnswerDelay: time.Minute}})
	began := time.Now()
	got := visitor.Ask(t, "POST", h.URL+"/give/csio", visitor.FilledForm())
	assert.Equal(t, 503, got.StatusCode)
	assert.NotEmpty(t, got.Header.Get("Retry-After"))
	assert.Less(t, time.Since(began), 40*time.Second, "the processor answers after a minute")
}
