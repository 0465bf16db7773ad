package view_test

import (
	"bytes"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/give"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/pages"
)

// hostileEmails returns two emails and the challenge page with text in every field that a donor writes.
func hostileEmails(t *testing.T, v *view.View, text string) string {
	t.Helper()
	r := receiptWords("en")
	r.Donor, r.Greeting, r.Dedication, r.Dedicatee = text, text, "memory", text
	_, _, receipt, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	card := view.TributeCardWords{Language: "en", Donee: tsne, Organisation: "Center", To: text, Giver: text, Kind: "honour", Name: text, Message: text + "\n" + text}
	_, _, cardHTML, err := v.TributeCardEmail(card)
	require.NoError(t, err)
	var step bytes.Buffer
	require.NoError(t, give.ChallengePage{Frame: frame("en"), Organisation: centro("en"), Step: web.Step{Action: "/give/csio", Values: []view.FormValue{{Name: text, Value: text}}}}.Write(&step, v))
	return receipt + cardHTML + regexp.MustCompile(`<script src="[^"]*" defer></script>`).ReplaceAllString(step.String(), "") // the challenge's own script
}

// squeezed returns text without white space, because emails break lines.
func squeezed(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == 0 || r == '\ufffd' || r == '\ufeff' {
			return -1
		}
		return r
	}, text)
}

// TestHostileTextsInEmails is threat T15 for emails and the challenge: what a donor typed is shown as it was typed, and
// is only text.
func TestHostileTextsInEmails(t *testing.T) {
	t.Parallel()
	v := newView(t)
	var page atomic.Value
	base := pages.Serve(t, v, map[string]writer{"emails": func(w io.Writer) error { _, err := io.WriteString(w, page.Load().(string)); return err }})
	ctx := testkit.Browser(t)
	show := func(texts ...string) (kinds []string, seen string) {
		var body string
		for _, text := range texts {
			body += hostileEmails(t, v, text)
		}
		// The policy of pages forbids inline styles, which emails have. Here it would only hide what the test looks
		// for.
		page.Store(regexp.MustCompile(` style="[^"]*"`).ReplaceAllString(body, ""))
		require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(base+"emails"), chromedp.Evaluate(`document.documentElement.textContent`, &seen)))
		return testkit.PageStructure(t, ctx), squeezed(seen)
	}
	wrong := testkit.WatchErrors(t, ctx)
	usual, _ := show(testkit.HarmlessText)
	for texts := range slices.Chunk(testkit.HostileTexts(), 25) {
		kinds, seen := show(texts...)
		assert.Subset(t, usual, kinds, "%q", texts)
		for _, text := range texts {
			// Donor twice, the title, dedicatee; giver, recipient, name and two lines of the card.
			assert.GreaterOrEqual(t, strings.Count(seen, squeezed(text)), 7, "%q", text)
		}
	}
	assert.Empty(t, wrong())
}

// TestHostileTextsInTheDocument: the receipt's PDF shows these texts, and contains no script, no action and no link.
func TestHostileTextsInTheDocument(t *testing.T) {
	t.Parallel()
	v := newView(t)
	active := regexp.MustCompile(`/(JavaScript|JS|Launch|URI|Annots|AcroForm|EmbeddedFile|SubmitForm|GoToR|RichMedia|AA)\b`)
	plain := regexp.MustCompile(`^[\x20-\x7e]{1,60}$`)
	read := 0
	for texts := range slices.Chunk(testkit.HostileTexts(), 3) {
		r := receiptWords("en")
		r.Donor, r.Greeting, r.Dedication, r.Dedicatee = texts[0], texts[1%len(texts)], "honour", texts[2%len(texts)]
		pdf, err := v.ReceiptPDF(r)
		require.NoError(t, err, "%q", texts)
		outside := regexp.MustCompile(`(?s)stream\r?\n.*?endstream`).ReplaceAll(pdf, nil)
		assert.Empty(t, active.FindAllString(string(outside), -1), "%q", texts)
		if read++; read%5 != 0 { // reading starts a program, which is slow
			continue
		}
		toText := exec.Command("pdftotext", "-raw", "-", "-")
		toText.Stdin = bytes.NewReader(pdf)
		shown, err := toText.Output()
		require.NoError(t, err, "pdftotext; install it with: make test-deps")
		for _, text := range texts {
			if plain.MatchString(text) {
				assert.Contains(t, squeezed(string(shown)), squeezed(text))
			}
		}
	}
}
