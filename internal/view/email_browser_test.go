package view_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
)

// TestEmailsFitAPhone shows the longest emails, in every language, on the smallest phone: nothing is wider than the
// window, and all of WCAG 2.2 AA that can be checked automatically holds.
func TestEmailsFitAPhone(t *testing.T) {
	v, ctx := newView(t), testkit.Browser(t)
	read := func(name string, lang phrase.Language, html string, err error) {
		t.Helper()
		require.NoError(t, err)
		var wide []string
		require.NoError(t, chromedp.Run(ctx, emulation.SetDeviceMetricsOverride(320, 640, 1, true), chromedp.Navigate("about:blank"),
			chromedp.ActionFunc(func(ctx context.Context) error {
				tree, err := page.GetFrameTree().Do(ctx)
				if err != nil {
					return err
				}
				return page.SetDocumentContent(tree.Frame.ID, html).Do(ctx)
			}),
			chromedp.Evaluate(`[...document.body.querySelectorAll("*")].filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth)
				.map((e) => e.outerHTML.replace(/ style="[^"]*"/g, "").slice(0, 100))`, &wide),
		))
		assert.Empty(t, wide, "%s, %s", name, lang)
		assert.Empty(t, testkit.Axe(t, ctx), "%s, %s", name, lang)
	}
	day := time.Date(2027, 9, 21, 12, 0, 0, 0, time.UTC)
	for _, lang := range catalogue(t).Languages() {
		r := receiptWords(lang)
		r.Instalment = &view.Instalment{N: 1, Of: 12, Every: "quarterly", Each: usd(2050), Sum: usd(24600), Last: day, Next: day, ManageURL: "https://konbit.example/plans/a/b"}
		_, _, html, err := v.ReceiptEmail(r)
		read("receipt", lang, html, err)
		_, _, html, err = v.StatementEmail(statementWords(lang, 3))
		read("statement", lang, html, err)
		_, _, html, err = v.SignInEmail(view.SignInEmailWords{Language: lang, Donee: tsne, Link: "https://konbit.example/sign-in/link#a", Code: "12345678"})
		read("sign-in", lang, html, err)
		for _, kind := range []string{"failing", "finished", "changed", "upcoming"} {
			_, _, html, err = v.PlanEmail(view.PlanEmailWords{
				Kind: kind, Language: lang, Donee: tsne, Organisation: centro(lang).Name, Greeting: "Marisol", Amount: usd(2000), Every: "quarterly",
				N: 12, Given: usd(24000), Next: day, Until: day, Brand: "visa", Last4: "4242", DeclineReason: "funds", Funds: []string{receiptWords(lang).Purposes[0].Fund},
				ManageURL: "https://konbit.example/plans/a/b", CardURL: "https://konbit.example/plans/card/c",
			})
			read(kind, lang, html, err)
		}
	}
}
