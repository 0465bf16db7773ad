package give_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/pages"
)

// TestScriptShowsTheAmount fills the form as a donor does: the button shows the chosen amount.
func TestScriptShowsTheAmount(t *testing.T) {
	v := newView(t)
	p := givePage("en")
	p.Frequencies = []string{"once", "monthly"}
	base := pages.Serve(t, v, map[string]writer{
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

// TestScriptWritesAmountsAndDates: the script writes amounts and dates as the emails do, in each language.
func TestScriptWritesAmountsAndDates(t *testing.T) {
	v, ctx := newView(t), testkit.Browser(t)
	for lang, want := range map[phrase.Language]string{
		"en": "2 payments of $20.50, the last on %s, $41 in all.",
		"es": "2 pagos de $20.50, el último el %s, $41 en total.",
		"pt": "2 pagamentos de US$\u00a020,50, o último em %s, US$\u00a041 ao todo.",
		"ht": "2 peman $20.50, dènye a le %s, $41 antou.",
	} {
		t.Run(string(lang), func(t *testing.T) {
			p := givePage(lang)
			p.Frequencies = []string{"once", "weekly"}
			base := pages.Serve(t, v, map[string]writer{"give": func(w io.Writer) error { return p.Write(w, v) }})
			var comes string
			say := func() string { return fmt.Sprintf(want, phrase.Date(lang, time.Now().AddDate(0, 0, 7))) }
			before := say()
			require.NoError(t, chromedp.Run(ctx,
				emulation.SetDeviceMetricsOverride(390, 844, 1, true), chromedp.Navigate(base+"give"),
				chromedp.Click(`label[for="frequency-1"]`), chromedp.SendKeys("#occurrences", "2"), chromedp.SendKeys("#amount_other", "20,50"),
				chromedp.Evaluate(`document.getElementById("comes").textContent`, &comes),
			))
			assert.Contains(t, []string{before, say()}, comes)
		})
	}
}
