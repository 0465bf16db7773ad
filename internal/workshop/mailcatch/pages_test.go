package mailcatch

import (
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

func TestPagesInABrowser(t *testing.T) {
	s := catcher(t, Options{})
	require.NoError(t, send(s, awkward))
	require.NoError(t, s.SetLogins(staff))
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	ctx := testkit.Browser(t)
	require.NoError(t, chromedp.Run(ctx, chromedp.EmulateViewport(360, 740)))

	var wider bool
	for _, path := range []string{"/", "/authenticator", "/messages/" + s.Messages()[0].ID} {
		require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(srv.URL+path),
			chromedp.Evaluate(`document.documentElement.scrollWidth > innerWidth`, &wider)))
		require.False(t, wider, "%s scrolls sideways on a phone", path)
		require.Empty(t, testkit.Axe(t, ctx), path)
	}
}
