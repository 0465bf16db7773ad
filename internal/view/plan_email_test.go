package view_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// TestPlanEmails: each kind of email is complete in each language, as text and as HTML.
func TestPlanEmails(t *testing.T) {
	v := newView(t)
	day := time.Date(2027, 10, 21, 12, 0, 0, 0, time.UTC)
	for _, lang := range catalogue(t).Languages() {
		for _, kind := range []string{"failing", "finished", "failed", "cancelled", "paused", "resumed", "skipped", "changed", "mended", "expiring", "upcoming"} {
			subject, text, html, err := v.PlanEmail(view.PlanEmailWords{
				Kind: kind, Language: lang, Donee: tsne, Organisation: "Centro", Greeting: "Ana", Amount: money.New(2000, "USD"), Every: "quarterly",
				N: 12, Given: money.New(24000, "USD"), Next: day, Until: day, Brand: "visa", Last4: "4242", DeclineReason: "funds", Funds: []string{"A", "B"},
				ManageURL: "https://konbit.example/plans/a/b", CardURL: "https://konbit.example/plans/card/c",
			})
			require.NoError(t, err)
			for _, part := range []string{subject, text, html} {
				require.NotEmpty(t, part)
				require.NotContains(t, part, "plan.", kind)
				require.NotContains(t, part, "{", kind)
			}
			require.Contains(t, text, "https://konbit.example/plans/card/c")
			require.Contains(t, html, "https://konbit.example/plans/a/b")
		}
	}
}

// TestInstalmentsReceipt: the receipt says which payment of its plan the gift is; the first one also says what all
// payments amount to.
func TestInstalmentsReceipt(t *testing.T) {
	v := newView(t)
	r := receiptWords(phrase.English)
	day := time.Date(2027, 10, 21, 0, 0, 0, 0, time.UTC)
	r.Instalment = &view.Instalment{N: 1, Of: 12, Every: "monthly", Each: money.New(2000, "USD"), Sum: money.New(24000, "USD"), Last: day, Next: day, ManageURL: "https://konbit.example/plans/a/b"}
	_, text, html, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	require.Contains(t, text, "1 of 12")
	require.Contains(t, html, "12 payments of $20, the last on October 21, 2027, $240 in all.")
	require.Contains(t, text, "https://konbit.example/plans/a/b")
	r.Instalment.N = 2
	_, text, _, err = v.ReceiptEmail(r)
	require.NoError(t, err)
	require.Contains(t, text, "The next charge of $20 is on October 21, 2027.")
}

func TestSignInEmail(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		for _, link := range []string{"https://give.example/sign-in/link?lang=es#s3cret", ""} {
			subject, text, html, err := v.SignInEmail(view.SignInEmailWords{Language: lang, Donee: tsne, Link: link, Code: "12345678"})
			require.NoError(t, err)
			assert.NotContains(t, subject, "1234", "a locked screen shows no code")
			for _, body := range []string{text, html} {
				assert.Contains(t, body, "1234 5678")
				assert.Equal(t, link != "", strings.Contains(body, "s3cret"))
				assert.NotContains(t, body, "<img")
				assert.NotContains(t, body, "sign_in.")
				assert.LessOrEqual(t, strings.Count(body, "http"), 1, "no other link")
			}
		}
	}
}
