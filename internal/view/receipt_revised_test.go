package view_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
)

// revised returns the receipt of pages.ReceiptWords with $5.50 returned; it replaces number 100.
func revised(lang phrase.Language, reason string) view.ReceiptWords {
	r := receiptWords(lang)
	r.Amount, r.Purposes = usd(1500), r.Purposes[:1]
	r.Returned = &view.Returned{Charged: usd(2050), Amount: usd(550), On: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)}
	r.Replaces = &view.Revised{Number: "TSNE-2026-000100", Reason: reason, On: r.Returned.On}
	return r
}

func TestReplacementSaysWhatItReplacesAndWhy(t *testing.T) {
	v := newView(t)
	says := map[phrase.Language]map[string][]string{
		"en": {
			"correction": {"We corrected what the earlier receipt said about you."},
			"refund":     {"On December 2, 2026, $5.50 of your gift of $20.50 was returned to you", "the $15.00 that remains"},
			"dispute":    {"$5.50 of your gift of $20.50 went back through your bank", "the $15.00 that remains"},
			"reinstated": {"your gift of $15.00 stands"},
			"":           {"It replaces our receipt TSNE-2026-000100, which is no longer valid", "Replaces receipt TSNE-2026-000100", "Returned to you $5.50, December 2, 2026", "Amount charged $20.50", "What remains of it $15.00"},
		},
		"es": {
			"correction": {"Corregimos los datos de usted"},
			"refund":     {"El 2 de diciembre de 2026 se le devolvieron $5.50 de su donación de $20.50", "los $15.00 que quedan"},
			"dispute":    {"$5.50 de su donación de $20.50 volvieron a usted a través de su banco", "los $15.00 que quedan"},
			"reinstated": {"su donación de $15.00 sigue en pie"},
			"":           {"Sustituye a nuestro recibo TSNE-2026-000100, que ya no es válido", "Sustituye al recibo TSNE-2026-000100", "Devuelto a usted $5.50, el 2 de diciembre de 2026", "Cantidad cobrada $20.50", "Lo que queda $15.00"},
		},
		"pt": {
			"correction": {"Corrigimos os seus dados"},
			"refund":     {"Em 2 de dezembro de 2026, US$ 5,50 da sua doação de US$ 20,50 foram devolvidos a você", "US$ 15,00 que ficam"},
			"dispute":    {"US$ 5,50 da sua doação de US$ 20,50 voltaram para você pelo seu banco", "US$ 15,00 que ficam"},
			"reinstated": {"a sua doação de US$ 15,00 está de pé"},
			"":           {"Ele substitui o nosso recibo TSNE-2026-000100, que não vale mais", "Substitui o recibo TSNE-2026-000100", "Devolvido a você US$ 5,50, em 2 de dezembro de 2026", "Valor cobrado US$ 20,50", "O que fica da doação US$ 15,00"},
		},
		"ht": {
			"correction": {"Nou korije sa resi anvan an te di sou ou"},
			"refund":     {"Le 2 desanm 2026, nou te remèt ou $5.50 nan don $20.50 ou a", "$15.00 ki rete a"},
			"dispute":    {"$5.50 nan don $20.50 ou a te tounen jwenn ou pa mwayen bank ou", "$15.00 ki rete a"},
			"reinstated": {"don $15.00 ou a kanpe"},
			"":           {"Li ranplase resi TSNE-2026-000100, ki pa valab ankò", "Ranplase resi TSNE-2026-000100", "Remèt ba ou $5.50, le 2 desanm 2026", "Kantite lajan ou peye $20.50", "Sa ki rete ladan l $15.00"},
		},
	}
	for lang, byReason := range says {
		t.Run(string(lang), func(t *testing.T) {
			for _, reason := range []string{"correction", "refund", "dispute", "reinstated"} {
				r := revised(lang, reason)
				subject, text, html, err := v.ReceiptEmail(r)
				require.NoError(t, err)
				pdf, err := v.ReceiptPDF(r)
				require.NoError(t, err)
				require.True(t, strings.Contains(testkit.PDFText(pdf), "/Count 1/"), "%s %s: one page", lang, reason)
				require.Contains(t, subject, "TSNE-2026-000100")
				for where, words := range map[string]string{"text": oneLine(text), "html": oneLine(stripTags(html)), "pdf": oneLine(pdfText(t, pdf))} {
					for _, saying := range append(byReason[reason], byReason[""]...) {
						assert.Contains(t, words, saying, "%s %s %s", lang, reason, where)
					}
					assert.NotRegexp(t, `receipt\.v1|\{[a-z_]+\}|ZgotmplZ`, words, where)
				}
			}
		})
	}
}

func TestReceiptVoidEmailSaysWhy(t *testing.T) {
	v := newView(t)
	says := map[phrase.Language]map[string]string{
		"en": {
			"refund":     "On December 2, 2026, your gift of $20.50 to Center to Support Immigrant Organizing was returned to you. Our receipt TSNE-2026-000123 is therefore no longer valid.",
			"dispute":    "went back through your bank. Our receipt TSNE-2026-000123 is therefore no longer valid.",
			"correction": "Our receipt TSNE-2026-000123 for a gift of $20.50 to Center to Support Immigrant Organizing was issued by mistake",
		},
		"es": {
			"refund":     "El 2 de diciembre de 2026 se le devolvió su donación de $20.50",
			"dispute":    "volvió a usted a través de su banco. Por eso, nuestro recibo TSNE-2026-000123 ya no es válido.",
			"correction": "Nuestro recibo TSNE-2026-000123 por una donación de $20.50",
		},
		"pt": {
			"refund":     "Em 2 de dezembro de 2026, a sua doação de US$ 20,50",
			"dispute":    "voltou para você pelo seu banco. Por isso, o nosso recibo TSNE-2026-000123 não vale mais.",
			"correction": "O nosso recibo TSNE-2026-000123, de uma doação de US$ 20,50",
		},
		"ht": {
			"refund":     "Le 2 desanm 2026, nou te remèt ou $20.50 ou te bay Sant pou Soutni",
			"dispute":    "te tounen jwenn ou pa mwayen bank ou. Se poutèt sa, resi TSNE-2026-000123 pa valab ankò.",
			"correction": "Resi TSNE-2026-000123 nou te fè pou yon don $20.50",
		},
	}
	for lang, byReason := range says {
		t.Run(string(lang), func(t *testing.T) {
			for reason, saying := range byReason {
				r := receiptWords(lang)
				r.Voided = &view.Revised{Number: r.Number, Reason: reason, On: time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC)}
				subject, text, html, err := v.ReceiptVoidEmail(r)
				require.NoError(t, err)
				require.Contains(t, subject, r.Number)
				for _, words := range []string{oneLine(text), oneLine(stripTags(html))} {
					assert.Contains(t, words, saying, "%s %s", lang, reason)
					assert.NotRegexp(t, `receipt\.v1|\{[a-z_]+\}|ZgotmplZ`, words)
				}
			}
		})
	}
}
