package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// noRefreshScript keeps the page of a gift that is settling from reloading while axe checks it.
const noRefreshScript = `{ const wait = setTimeout; setTimeout = (f, ms, ...rest) => ms >= 1000 ? 0 : wait(f, ms, ...rest) }`

// TestOpenToEveryone checks every page of a gift against WCAG 2.2 AA in the dark colour scheme, on a phone and on a
// desktop. The tests of package web check the light colour scheme.
func TestOpenToEveryone(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	paid, settling, unpaid := s.begin("csio", form("Paid")), s.begin("csio", form("Settling")), s.begin("csio", form("Unpaid"))
	require.NoError(t, s.Stripe().Pay(paid.session, stripefake.GoodCard))
	s.waitStatus(paid, "settled")
	_, err := s.DB.Owner.Exec(`UPDATE donation SET status = 'expired' WHERE public_ref = $1`, unpaid.ref)
	require.NoError(t, err)

	v := visit(t, s)
	v.do(chromedp.ActionFunc(addScript(noRefreshScript)), scheme("dark"))
	in := func(path string) chromedp.Action { return chromedp.Navigate(s.URL() + path + "&lang=es") }
	submit := chromedp.Tasks{chromedp.Click("#submit", chromedp.ByID), chromedp.WaitVisible("#errors", chromedp.ByID)}
	for name, open := range map[string]chromedp.Action{
		"form": in("/give/csio?"), "grassroots": in("/give/grassroots-international?"),
		"errors": chromedp.Tasks{in("/give/csio?"), submit}, "home": in("/?"), "problem": in("/nowhere?"),
		"thanks-paid": in(thanksPath("csio", paid)), "thanks-settling": in(thanksPath("csio", settling)),
		"thanks-unpaid": in(thanksPath("csio", unpaid)), "thanks-unknown": in(thanksPath("csio", startedGift{ref: "x"})),
	} {
		v.do(desktop(), open)
		require.Equal(t, "es", eval[string](v, `document.documentElement.lang`), name)
		for window, size := range map[string]chromedp.Action{"phone": phone(), "desktop": desktop()} {
			v.do(size)
			assert.Empty(t, testkit.Axe(t, v.ctx), "%s, %s", name, window)
			v.screenshot(name + "-es-" + window + "-dark")
		}
	}
}

func addScript(source string) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		_, err := page.AddScriptToEvaluateOnNewDocument(source).Do(ctx)
		return err
	}
}

// TestWeight: the form has at most 30 kB on the wire in all, at the first visit.
func TestWeight(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, phone(), network.SetCacheDisabled(true))
	for _, path := range []string{"/give/csio?lang=en", "/give/csio?lang=es", "/give/grassroots-international?lang=es"} {
		v.forgetTraffic()
		v.open(path)
		testkit.Eventually(t, waitTimeout, v.loaded)
		v.mu.Lock()
		var total int64
		for id, bytes := range v.received {
			t.Logf("%6d %s", bytes, v.asked[id])
			total += bytes
		}
		v.mu.Unlock()
		require.LessOrEqual(t, total, int64(30_000), path)
		require.Greater(t, total, int64(5_000), path)
	}
}

// loaded reports an error until everything that the page requested has arrived, except the icon: the browser decides
// when it requests the icon, and cancels the request when the page is left.
func (v *visitor) loaded() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for id, address := range v.asked {
		if _, ok := v.received[id]; !ok && !strings.Contains(address, "/static/icon.") {
			return unexpected{address, "on its way", "here"}
		}
	}
	return nil
}

// screenshot writes a picture of the whole page to the directory KONBIT_SHOTS, if that is set.
func (v *visitor) screenshot(name string) {
	v.t.Helper()
	dir := os.Getenv("KONBIT_SHOTS")
	if dir == "" {
		return
	}
	var png []byte
	v.do(chromedp.FullScreenshot(&png, 100))
	require.NoError(v.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
}
