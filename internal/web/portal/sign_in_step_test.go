package portal_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestSignInBehindASharedAddress: people behind one address have used its sign-in emails up. The next one answers the
// challenge in the browser, gets the email and signs in, also if the email of an earlier request is the one that came.
func TestSignInBehindASharedAddress(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	for i := range 20 {
		got := visitor.New(t, h).Ask("POST", "/sign-in", url.Values{"email": {fmt.Sprintf("donor-%d@example.org", i)}})
		require.Equal(t, http.StatusSeeOther, got.StatusCode)
	}
	got := visitor.New(t, h).Ask("POST", "/sign-in", url.Values{"email": {"ana@example.org"}})
	require.Equal(t, http.StatusTooManyRequests, got.StatusCode)
	require.Equal(t, "20", got.Header.Get("Retry-After"))
	require.Contains(t, got.Page, "Press the button in 20 seconds", "without JavaScript")
	require.Contains(t, got.Page, `name="email" value="ana@example.org"`, "the address is kept")

	ctx := testkit.Browser(t)
	link := func(address string) string {
		var path string
		require.NoError(t, testkit.Act(ctx,
			emulation.SetDeviceMetricsOverride(360, 740, 2, true), chromedp.Navigate(h.URL+"/sign-in?lang=en"),
			chromedp.SendKeys("#email", address), chromedp.Click("#submit"), chromedp.WaitVisible("#step-status"), chromedp.Click("#submit"),
		))
		testkit.Eventually(t, 5*time.Minute, func() error { // the browser computes first
			err := chromedp.Run(ctx, chromedp.Location(&path))
			if err == nil && path != h.URL+"/sign-in/code" {
				err = fmt.Errorf("the browser is at %s", path)
			}
			return err
		})
		secret, _, _ := visitor.New(t, h).SignInEmail()
		return secret
	}
	first := link("ana@example.org")
	require.NotEmpty(t, first)
	link("ana@example.org")
	require.NoError(t, testkit.Act(ctx,
		chromedp.Navigate(h.URL+"/sign-in/link?lang=en#"+first), chromedp.Click("#submit"), chromedp.WaitVisible("h1"),
	))
	testkit.Eventually(t, time.Minute, func() error {
		var path string
		err := chromedp.Run(ctx, chromedp.Location(&path))
		if err == nil && path != h.URL+"/portal" {
			err = fmt.Errorf("the browser is at %s", path)
		}
		return err
	})
}
