package view_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

func cardWords(lang phrase.Language, kind, giver string) view.TributeCardWords {
	return view.TributeCardWords{
		Language: lang, Donee: tsne, Organisation: centro(lang).Name, Accent: "#7a1f1f", To: "Rosa Peña", Giver: giver,
		Kind: kind, Name: "Abuela Carmen", Message: "Pensamos en ti.\n\nCon cariño, <b>todos</b> los del barrio de East Boston que aprendieron a leer en tu cocina",
	}
}

func TestCardSaysWhoAndForWhom(t *testing.T) {
	v := newView(t)
	for _, test := range []struct {
		words   view.TributeCardWords
		subject string
		says    []string
	}{
		{cardWords("en", "memory", "Marisol Núñez"), "A gift in memory of Abuela Carmen", []string{
			"Dear Rosa Peña,", "Marisol Núñez has made a gift to Center to Support Immigrant Organizing in memory of Abuela Carmen.",
			"Pensamos en ti.", "Con cariño, <b>todos</b> los del barrio", "TSNE MissionWorks", "this one letter",
		}},
		{cardWords("es", "honour", ""), "Una donación en honor de Abuela Carmen", []string{
			"Hola, Rosa Peña:", "Alguien que prefiere no dar su nombre hizo una donación", "en honor de Abuela Carmen.", "esta única carta",
		}},
	} {
		t.Run(test.subject, func(t *testing.T) {
			subject, text, html, err := v.TributeCardEmail(test.words)
			require.NoError(t, err)
			assert.Equal(t, test.subject, subject)
			shown := strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(stripTags(html))
			for _, saying := range test.says {
				assert.Contains(t, oneLine(text), saying)
				assert.Contains(t, oneLine(shown), saying)
			}
			assert.NotContains(t, html, "<b>", "markup in the message is shown as text")
			assert.NotRegexp(t, `\$|card\.|\{[a-z_]+\}|ZgotmplZ|var\(--`, text+html, "no amount, no gap")
			for _, line := range strings.Split(text, "\n") {
				assert.LessOrEqual(t, utf8.RuneCountInString(line), 72, line)
			}
		})
	}
}

func TestCardWithoutMessage(t *testing.T) {
	w := cardWords("xx", "honour", "Ana Li")
	w.Message, w.Accent = "", "none"
	subject, text, html, err := newView(t).TributeCardEmail(w)
	require.NoError(t, err)
	assert.Equal(t, "A gift in honor of Abuela Carmen", subject, "an unknown language is replaced by English")
	assert.NotContains(t, text+html, "These words")
	assert.Contains(t, html, view.DefaultAccent)
	assert.NotContains(t, text, "\n\n\n")
}

// TestReceiptShowsFeeAndDedication: email and document show the covered fee and the dedication.
func TestReceiptShowsFeeAndDedication(t *testing.T) {
	v := newView(t)
	r := receiptWords("es")
	r.Covered, r.Dedication, r.Dedicatee = usd(91), "memory", "Abuela Carmen"
	_, text, html, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	pdf, err := v.ReceiptPDF(r)
	require.NoError(t, err)
	for where, shown := range map[string]string{"text": oneLine(text), "html": oneLine(stripTags(html)), "pdf": oneLine(pdfText(t, pdf))} {
		t.Run(where, func(t *testing.T) {
			assert.Contains(t, shown, "Comisión cubierta $0.91, parte de su donación")
			assert.Contains(t, shown, "En memoria de Abuela Carmen")
		})
	}
	_, plain, _, err := v.ReceiptEmail(receiptWords("es"))
	require.NoError(t, err)
	assert.NotContains(t, plain, "Comisión")
}
