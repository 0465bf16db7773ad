package view_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/plan"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// TestPlanEmails: each kind of email is complete in each language, as text and as HTML.
func TestPlanEmails(t *testing.T) {
	v := newView(t)
	day := time.Date(2027, 10, 21, 12, 0, 0, 0, time.UTC)
	for _, lang := range catalogue(t).Languages() {
		for _, kind := range plan.EmailKinds() {
			subject, text, html, err := v.PlanEmail(view.PlanEmailWords{
				Kind: kind, Language: lang, Donee: tsne, Organisation: "Centro", Greeting: "Ana", Amount: money.New(2000, "USD"), Every: "quarterly", Before: money.New(1500, "USD"), EveryBefore: "monthly", Ends: day,
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

// TestAPaymentThatTheBankAsksAbout: the email asks the donor to confirm the payment. It does not ask for another card.
func TestAPaymentThatTheBankAsksAbout(t *testing.T) {
	v := newView(t)
	w := view.PlanEmailWords{Kind: "failing", Language: phrase.English, Donee: tsne, Organisation: "Centro", Greeting: "Ana", Amount: money.New(2000, "USD"),
		Every: "monthly", Brand: "visa", Last4: "3184", DeclineReason: "asked", ManageURL: "https://konbit.example/plans/a", CardURL: "https://konbit.example/plans/c"}
	_, text, html, err := v.PlanEmail(w)
	require.NoError(t, err)
	require.Contains(t, text, "Confirm the payment:\nhttps://konbit.example/plans/c")
	require.Contains(t, html, "Confirm the payment</a>")
	require.NotContains(t, text, "try again")
	w.Permanent = true // an outstanding invoice, which has no page
	_, text, _, err = v.PlanEmail(w)
	require.NoError(t, err)
	require.Contains(t, text, "Give another card:")
}

// TestVoidEmailNamesThePlan: a donor with several gifts must know which one it was.
func TestVoidEmailNamesThePlan(t *testing.T) {
	v := newView(t)
	for lang, want := range map[phrase.Language]string{
		"en": "It was one of your recurring gifts of $20 every month.", "es": "Era una de sus donaciones periódicas de $20 cada mes.",
		"pt": "Era uma das suas doações recorrentes de US$ 20 por mês.", "ht": "Se te youn nan don ou te bay regilyèman: $20 chak mwa.",
	} {
		r := receiptWords(lang)
		r.Voided = &view.Revised{Number: r.Number, Reason: "dispute", On: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)}
		r.Instalment = &view.Instalment{N: 3, Every: "monthly", Each: money.New(2000, "USD")}
		_, text, html, err := v.ReceiptVoidEmail(r)
		require.NoError(t, err)
		for _, words := range []string{text, stripTags(html)} {
			require.Contains(t, oneLine(words), want)
		}
	}
}

// asYouAsked is how the languages say that the reader asked for something.
var asYouAsked = regexp.MustCompile(`(?i)as you asked|como usted pidió|como você pediu|jan ou te mande`)

// TestNoWordsClaimWhatNobodyAsked: only emails about a donor's own request, and the states that it leads to, say that the
// donor asked for it.
func TestNoWordsClaimWhatNobodyAsked(t *testing.T) {
	allowed := []string{"plan.status.stopped_asked", "portal.plan.stopped_asked", "privacy.letter.done.text"} // data is erased on request only
	for _, kind := range plan.AskedFor {
		allowed = append(allowed, "plan.letter."+kind+".subject", "plan.letter."+kind+".text")
	}
	files, err := filepath.Glob("../../templates/*/*.yaml")
	require.NoError(t, err)
	found := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(content)) {
			key, words, _ := strings.Cut(line, ": ")
			key, _, _ = strings.Cut(key, "#")
			if asYouAsked.MatchString(words) {
				found++
				assert.Contains(t, allowed, key, "%s says that the reader asked for it", file)
			}
		}
	}
	require.GreaterOrEqual(t, found, 4*4, "it found the words in every language")
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
		const address = "https://give.example/sign-in/link?lang=es#s3cret"
		for purpose, link := range map[string]string{"": address, "_plan": address, "_join": ""} {
			subject, text, html, err := v.SignInEmail(view.SignInEmailWords{Language: lang, Donee: tsne, Link: link, Code: "12345678", Purpose: purpose})
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

// TestTheEINStaysOnOneLine: a donee's EIN in the footer of an email is not broken at its hyphen, nor between "EIN" and the number.
func TestTheEINStaysOnOneLine(t *testing.T) {
	v := newView(t)
	htmls := map[string]string{}
	add := func(name string, html string, err error) {
		require.NoError(t, err)
		htmls[name] = html
	}
	_, _, html, err := v.ReceiptEmail(receiptWords("en"))
	add("receipt", html, err)
	void := receiptWords("en")
	void.Voided = &view.Revised{Number: void.Number, Reason: "dispute", On: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)}
	_, _, html, err = v.ReceiptVoidEmail(void)
	add("void", html, err)
	_, _, html, err = v.StatementEmail(statementWords("en", 3))
	add("statement", html, err)
	_, _, html, err = v.PlanEmail(view.PlanEmailWords{Kind: "failing", Language: "en", Donee: tsne, Greeting: "Ana", Amount: money.New(2000, "USD"), Every: "monthly"})
	add("plan", html, err)
	for name, html := range htmls {
		require.Contains(t, html, `. <span style="white-space: nowrap;">EIN 12-3456789</span></p>`, name)
	}
}
