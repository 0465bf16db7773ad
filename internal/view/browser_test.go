package view_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
)

// policy is the one pages are written for.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// serve answers each page under its name, with the policy.
func serve(t *testing.T, v *view.View, pages map[string]writer) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle(view.StaticPath, v.Static())
	for name, write := range pages {
		mux.HandleFunc("/"+strings.ReplaceAll(name, " ", "-"), func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Content-Security-Policy", policy)
			assert.NoError(t, write(w))
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/"
}

// TestPagesAreOpenToEveryone judges every page by WCAG 2.2 AA on a phone in the dark, and holds that none is wider than its window,
// breaks the policy or says anything on the console. By daylight, web's walk judges the pages themselves.
func TestPagesAreOpenToEveryone(t *testing.T) {
	v := newView(t)
	pages := everyPage(v, "es")
	var names []string
	for name := range pages {
		leaves := strings.HasPrefix(name, "thanks again") // by itself, and looks like the others
		twin := strings.HasPrefix(name, "problem") && name != "problem 404" && name != "problem 500"
		if !leaves && !twin {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	base, ctx := serve(t, v, pages), testkit.Browser(t)
	var complaints []string
	chromedp.ListenTarget(ctx, func(event any) {
		switch said := event.(type) {
		case *runtime.EventExceptionThrown:
			complaints = append(complaints, said.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			complaints = append(complaints, said.Entry.Text)
		}
	})
	require.NoError(t, chromedp.Run(ctx, log.Enable()))
	dark := emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}})
	require.NoError(t, chromedp.Run(ctx, emulation.SetDeviceMetricsOverride(320, 640, 1, true), dark))
	for _, name := range names {
		var width int
		require.NoError(t, chromedp.Run(ctx,
			chromedp.Navigate(base+strings.ReplaceAll(name, " ", "-")), chromedp.Evaluate(`document.documentElement.scrollWidth`, &width),
		), name)
		assert.LessOrEqual(t, width, 320, "%s must not scroll sideways", name)
		assert.Empty(t, testkit.Axe(t, ctx), name)
	}
	assert.Empty(t, complaints)
}

// TestScriptSaysTheAmount follows a donor's hand over the form.
func TestScriptSaysTheAmount(t *testing.T) {
	v := newView(t)
	p := givePage("en")
	p.Frequencies = []string{"once", "monthly"}
	base := serve(t, v, map[string]writer{
		"give":  func(w io.Writer) error { return p.Write(w, v) },
		"plain": everyPage(v, "en")["give blank"],
		"bad":   everyPage(v, "en")["give with problems"],
	})
	ctx := testkit.Browser(t)
	button := func(want string) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			var button, charge string
			err := chromedp.Run(ctx, chromedp.Text("#submit", &button), chromedp.Text("#charge", &charge))
			assert.Equal(t, want, button)
			if amount, ok := strings.CutPrefix(want, "Give "); ok {
				assert.Contains(t, charge, "You will be charged "+strings.Fields(amount)[0])
			}
			return err
		})
	}
	focused := func(id string) chromedp.Action {
		return chromedp.ActionFunc(func(ctx context.Context) error {
			testkit.Eventually(t, 5*time.Second, func() error {
				var now string
				if err := chromedp.Evaluate(`document.activeElement.id`, &now).Do(ctx); err != nil || now == id {
					return err
				}
				return fmt.Errorf("the focus is on %q, not on %q", now, id)
			})
			return nil
		})
	}
	require.NoError(t, chromedp.Run(ctx,
		emulation.SetDeviceMetricsOverride(390, 844, 1, true),
		chromedp.Navigate(base+"plain"),
		button("Continue to payment"),
		chromedp.Click(`label[for="amount-1"]`), button("Give $20"),
		chromedp.SendKeys("#amount_other", "1,250.5"), button("Give $1,250.50"),
		chromedp.Click(`label[for="amount-0"]`), button("Give $10"),
		chromedp.Click(`label[for="amount-other"]`), button("Continue to payment"),
		focused("amount_other"),
		chromedp.KeyEvent("12,5"), button("Give $12.50"),
		chromedp.KeyEvent("x"), button("Continue to payment"),

		chromedp.Navigate(base+"bad"),
		focused("errors"), button("Give $3"),

		chromedp.Navigate(base+"give"),
		chromedp.Click(`label[for="amount-2"]`), button("Give $30"),
		chromedp.Click(`label[for="frequency-1"]`), button("Give $30 every month"),
	))
}

// TestScriptWritesAsPeopleThere: amounts and dates, which the script writes itself, are those of the letters.
func TestScriptWritesAsPeopleThere(t *testing.T) {
	v, ctx := newView(t), testkit.Browser(t)
	for lang, want := range map[phrase.Language]string{
		"en": "2 payments of $20.50, the last on %s, $41 in all.",
		"es": "2 pagos de $20.50, el último el %s, $41 en total.",
		"pt": "2 pagamentos de US$\u00a020,50, o último em %s, US$\u00a041 ao todo.",
		"ht": "2 peman $20.50, dènye a le %s, $41 antou.",
	} {
		p := givePage(lang)
		p.Frequencies = []string{"once", "weekly"}
		base := serve(t, v, map[string]writer{"give": func(w io.Writer) error { return p.Write(w, v) }})
		var comes string
		say := func() string { return fmt.Sprintf(want, phrase.Date(lang, time.Now().AddDate(0, 0, 7))) }
		before := say()
		require.NoError(t, chromedp.Run(ctx,
			emulation.SetDeviceMetricsOverride(390, 844, 1, true), chromedp.Navigate(base+"give"),
			chromedp.Click(`label[for="frequency-1"]`), chromedp.SendKeys("#occurrences", "2"), chromedp.SendKeys("#amount_other", "20,50"),
			chromedp.Evaluate(`document.getElementById("comes").textContent`, &comes),
		))
		assert.Contains(t, []string{before, say()}, comes, lang)
	}
}
