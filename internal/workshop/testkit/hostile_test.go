package testkit_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// TestHostileTextsAreHostile serves pages that write their input unescaped. The kit must notice this.
func TestHostileTextsAreHostile(t *testing.T) {
	t.Parallel()
	require.GreaterOrEqual(t, len(testkit.HostileTexts()), 200)
	for policy, noticed := range map[string]string{"": "a script ran", "default-src 'none'": "security: "} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Security-Policy", policy)
			_, _ = fmt.Fprintf(w, `<!doctype html><p>%s</p>`, r.URL.Query().Get("x"))
		}))
		t.Cleanup(server.Close)
		ctx := testkit.Browser(t)
		wrong := testkit.WatchErrors(t, ctx)
		require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(server.URL+"/?x="+testkit.HarmlessText)))
		usual := testkit.PageStructure(t, ctx)
		require.Empty(t, wrong())
		for text, kind := range map[string]string{
			"<script>hit()</script>": "script", "<svg onload=hit()>": "svg[onload]", "<a href=//evil.example/x>": "http://evil.example/x", "<img src=x onerror=hit()>": "img[onerror]",
		} {
			before := len(wrong())
			require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(server.URL+"/?x="+text)))
			found := testkit.PageStructure(t, ctx)
			assert.Contains(t, found, kind)
			assert.NotSubset(t, usual, found)
			if text[1] == 'a' {
				continue // a link runs no script
			}
			testkit.Eventually(t, 10*time.Second, func() error {
				if all := wrong(); len(all) == before {
					return fmt.Errorf("nothing was noticed of %s", text)
				}
				return nil
			})
			assert.Contains(t, wrong()[before], noticed, text)
		}
	}
}
