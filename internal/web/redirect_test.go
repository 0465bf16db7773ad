package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/guard"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// foreignURLs are values that have been used to redirect people from trusted sites to other sites.
var foreignURLs = []string{
	"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, `\/evil.example`, "https:evil.example", "https:/evil.example", "https:///evil.example",
	"https://evil.example", "HTTPS://evil.example", "//evil.example/%2e%2e", "/%2f%2fevil.example", "/%5cevil.example", "%2f%2fevil.example", "//evil%E3%80%82example",
	"@evil.example", "x@evil.example", "//give.example@evil.example", "https://give.example.evil.example", ".evil.example", ":80@evil.example", "?x=//evil.example", "#//evil.example",
	"a\r\nLocation: https://evil.example", "a\nSet-Cookie: x=evil", "%0d%0aLocation:%20https://evil.example", "\t//evil.example", " //evil.example", "javascript:alert('evil')",
	"data:text/html,evil", "/../../evil.example", "//[::1]evil.example", "//evil.example:443/x?y#z", "\u2028//evil.example",
}

// parameters are all parameters that our addresses know, and the usual names of redirect parameters on other sites.
var parameters = []string{"lang", "fund", "amount", "frequency", "again", "gift", "look", "pass", "next", "redirect", "redirect_uri", "return_to", "url", "continue"}

var linkTargets = regexp.MustCompile(`(?:href|action|src|url)=["']?([^"'>\s]*)`)

// TestRedirectsStayOnOurHost is threat T17: redirects and links stay on our host or lead to the payment page, also if
// an address or a form names another host.
func TestRedirectsStayOnOurHost(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{BaseURL: "https://give.example"})
	gift := h.SettledGift(program.ValidForm())
	payment, err := url.Parse(h.FakeURL)
	require.NoError(t, err)
	ours := []string{"give.example", payment.Host}
	asked, redirected := 0, 0
	judge := func(name string, got visitor.Response) {
		asked++
		assert.Less(t, got.StatusCode, 500, name)
		for _, c := range got.Cookies() {
			assert.NotContains(t, c.String(), "evil", name)
		}
		to := linkTargets.FindAllStringSubmatch(got.Page, -1)
		if location := got.Header.Get("Location"); location != "" {
			redirected++
			to = append(to, []string{"", location})
		}
		for _, link := range to {
			there, err := (&url.URL{Scheme: "https", Host: "give.example", Path: "/give/csio"}).Parse(strings.ReplaceAll(link[1], "&amp;", "&"))
			if assert.NoError(t, err, "%s: %q", name, link[1]) {
				assert.Contains(t, ours, there.Host, "%s: %q", name, link[1])
				assert.NotContains(t, there.Path, `\`, "%s: %q", name, link[1])
			}
		}
	}
	for _, evil := range foreignURLs {
		all := url.Values{}
		for _, p := range parameters {
			all.Set(p, evil)
			for _, path := range []string{"/give/csio", "/give/csio/thanks"} {
				judge(path+" "+p+" "+evil, visitor.Ask(t, "GET", h.URL+path+"?"+url.Values{p: {evil}}.Encode(), nil))
			}
		}
		for _, path := range []string{"/", "/give/csio", "/give/csio/thanks", "/give/csio/event", "/nothing", "/hooks/stripe/tsne"} {
			judge(path+" "+evil, visitor.Ask(t, "GET", h.URL+path+"?"+all.Encode(), nil))
		}
		all.Set("again", gift.PublicRef)
		judge("again "+evil, visitor.Ask(t, "GET", h.URL+"/give/csio?"+all.Encode(), nil))
		judge("path "+evil, visitor.Ask(t, "GET", h.URL+"/give/"+url.PathEscape(evil), nil))
		form := visitor.FilledForm()
		for _, p := range []string{"next", "redirect", "return_to", "url", "success_url", "cancel_url"} {
			form.Set(p, evil)
		}
		judge("post "+evil, visitor.Ask(t, "POST", h.URL+"/give/csio?"+url.Values{"lang": {evil}, "next": {evil}}.Encode(), form))
	}
	t.Logf("%d answers judged, %d of them redirects", asked, redirected)
	assert.Greater(t, redirected, 3*len(foreignURLs)-1, "the test saw redirects")
	for _, call := range h.Fake.Calls("POST", "/v1/checkout/sessions") {
		for _, back := range []string{"success_url", "cancel_url"} {
			assert.True(t, strings.HasPrefix(call.Params.Get(back), "https://give.example/give/csio"), call.Params.Get(back))
			assert.NotContains(t, call.Params.Get(back), "evil")
		}
	}
}

// TestReferencesAreOnlyOnTheirOwnPage is threat T5: a gift's reference and an event's pass are random and give no
// access to the donor's data. No log, no other page and no stored row contains them.
func TestReferencesAreOnlyOnTheirOwnPage(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	paid, open := h.SettledGift(program.ValidForm()), h.StartedGift(program.ValidForm())
	_, pass, err := guard.OpenPass(t.Context(), h.DB.Server, uuid.New(), h.Offer("csio").Organisation.ID, time.Hour)
	require.NoError(t, err)
	number := h.Lines(`SELECT number::text FROM receipt`)[0]
	submitted := visitor.Ask(t, "POST", h.URL+"/give/csio", visitor.FilledForm())
	require.Equal(t, 303, submitted.StatusCode)
	cookie := submitted.Cookies()[0].Value
	ref, signature, _ := strings.Cut(cookie, ".")
	secrets := []string{paid.PublicRef, open.PublicRef, ref, signature, pass}
	for _, r := range []string{paid.PublicRef, open.PublicRef, ref} {
		assert.Regexp(t, `^[A-Za-z0-9_-]{22}$`, r, "128 random bits")
	}
	for _, path := range []string{"/receipt/" + number, "/receipt/" + paid.PublicRef, "/receipts/" + paid.ID.String() + ".pdf", "/portal/" + paid.PublicRef, "/portal/gifts/" + paid.PublicRef + "/receipt", "/portal/gifts/" + paid.PublicRef + "/receipt.pdf", "/give/csio/receipt?gift=" + paid.PublicRef,
		"/give/csio/thanks?gift=" + paid.ID.String(), "/give/csio/thanks?gift=" + number} {
		got := visitor.Ask(t, "GET", h.URL+path, nil)
		assert.Equal(t, 404, got.StatusCode, path)
		assert.NotContains(t, got.Page, "Ana", path)
	}
	got := visitor.Ask(t, "GET", h.URL+"/portal", nil)
	assert.Equal(t, 401, got.StatusCode, "it requires a sign-in")
	assert.NotContains(t, got.Page, "Ana")
	own := "Cookie: " + submitted.Cookies()[0].Name + "=" + cookie
	for _, test := range []struct {
		path    string
		status  int
		headers []string
		holds   []string // the secrets that the response may contain
	}{
		{"/", 200, []string{own}, nil}, {"/give/csio", 200, []string{own}, nil}, {"/give/aina", 200, []string{own}, nil}, {"/nothing", 404, []string{own}, nil},
		{"/give/csio/event?pass=" + url.QueryEscape(pass), 200, nil, nil}, {"/give/csio?again=" + paid.PublicRef, 303, nil, []string{paid.PublicRef}},
		{"/give/csio?fund=network", 200, []string{own}, nil}, {"/give/csio/thanks?gift=x", 404, []string{own}, nil},
		{"/give/csio/thanks?gift=" + paid.PublicRef, 200, []string{own}, []string{paid.PublicRef}},
		{"/give/csio/thanks?gift=" + open.PublicRef, 200, []string{own}, []string{open.PublicRef}},
		{"/give/csio?again=" + ref, 200, []string{own}, []string{ref}},
	} {
		t.Run(test.path, func(t *testing.T) {
			got := visitor.Ask(t, "GET", h.URL+test.path, nil, test.headers...)
			assert.Equal(t, test.status, got.StatusCode)
			assert.Equal(t, "no-store", got.Header.Get("Cache-Control"))
			assert.Contains(t, []string{"same-origin", "no-referrer"}, got.Header.Get("Referrer-Policy"))
			for _, secret := range secrets {
				if !slices.Contains(test.holds, secret) {
					assert.NotContains(t, got.Page+got.Header.Get("Location"), secret)
				}
			}
		})
	}
	opened := visitor.Ask(t, "POST", h.URL+"/give/csio/event", url.Values{"pass": {pass}})
	assert.Equal(t, []any{303, "/give/csio?lang=en", "no-store"}, []any{opened.StatusCode, opened.Header.Get("Location"), opened.Header.Get("Cache-Control")})
	assert.Equal(t, "no-store", submitted.Header.Get("Cache-Control"))
	for _, secret := range secrets {
		assert.NotContains(t, h.Log.String(), secret, "the log")
	}
}

// TestNoRefererLeavesTheSite opens the payment page from an address that contains a reference: the browser sends no
// Referer.
func TestNoRefererLeavesTheSite(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	h := program.New(t, program.Options{BeforeStripe: func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/c/pay/") {
			seen = append(seen, r.Header.Get("Referer"))
		}
	}})
	unpaid := h.StartedGift(program.ValidForm())
	ctx := testkit.Browser(t)
	require.NoError(t, chromedp.Run(ctx,
		chromedp.Navigate(h.URL+"/give/csio?lang=en&again="+unpaid.PublicRef),
		chromedp.Click(`label[for="amount-1"]`, chromedp.ByQuery), chromedp.Click(`label[for="fund-0"]`, chromedp.ByQuery),
		chromedp.SendKeys("#first_name", "Ana", chromedp.ByID), chromedp.SendKeys("#last_name", "Li", chromedp.ByID),
		chromedp.SendKeys("#email", "li@example.org", chromedp.ByID),
		chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#card_number", chromedp.ByID),
	))
	mu.Lock()
	defer mu.Unlock()
	require.Equal(t, []string{""}, seen)
}
