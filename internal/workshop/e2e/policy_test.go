package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// TestPolicy checks the headers that every answer must have, errors included.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for _, path := range []string{"/", "/give/csio", "/give/nobody", "/give/csio/thanks?gift=x", "/nowhere", "/static/nothing.css", "/healthz", "/hooks/stripe/tsne"} {
		resp, err := script.Get(s.URL() + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		policy := resp.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none';", path)
		require.Contains(t, policy, "script-src 'self';", path)
		require.Contains(t, policy, "style-src 'self';", path)
		require.Contains(t, policy, "form-action 'self' "+s.StripeURL()+";", path)
		require.Contains(t, policy, "frame-ancestors 'none'", path)
		require.Contains(t, policy, "base-uri 'none'", path)
		require.NotContains(t, policy, "unsafe", path)
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "same-origin", resp.Header.Get("Cross-Origin-Opener-Policy"), path)
		if strings.HasPrefix(path, "/give") {
			require.Equal(t, "no-store", resp.Header.Get("Cache-Control"), path)
		}
	}
}

// TestVisitorNotices checks that visitor reports a page that breaks the rules.
func TestVisitorNotices(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := &visitor{t: t, s: s, ctx: testkit.Browser(t)}
	v.watch()
	v.open("/give/csio?lang=en")
	require.Empty(t, v.problems())
	for name, wrong := range map[string]struct{ does, noticed string }{
		"an inline script": {`document.body.append(Object.assign(document.createElement("script"), {textContent: "1"}))`, "security"},
		"an inline style":  {`document.body.setAttribute("style", "color: red")`, "security"},
		"a third party":    {`document.body.append(Object.assign(new Image(), {src: "http://127.0.0.1:9/pixel.gif"}))`, ""},
		"an error":         {`setTimeout(() => { throw new Error("broken") })`, "broken"},
	} {
		before := len(v.problems())
		v.do(chromedp.Evaluate("void ("+wrong.does+")", nil))
		testkit.Eventually(t, waitTimeout, func() error {
			found := v.problems()
			if len(found) == before || !strings.Contains(strings.Join(found[before:], " "), wrong.noticed) {
				return unexpected{name, strings.Join(found, "; "), wrong.noticed}
			}
			return nil
		})
	}
	require.False(t, v.ours("https://fonts.example/a.woff2"))
	v.note(&network.EventRequestWillBeSent{RequestID: "1", Request: &network.Request{URL: "https://fonts.example/a.woff2"}})
	require.Contains(t, v.problems(), "asked a third party: https://fonts.example/a.woff2")
}
