package view_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
	"konbit/templates"
)

// pinned are the hashes of a version's words by language, of its templates, and of an email in plain text made of them.
// Receipts that were issued use them. If this test fails, restore the words and write a new version.
var pinned = map[string]string{
	"en words":  "d6b76162cc05a87dbc47ae33088590ad",
	"en letter": "4a6a17b3567c930201b99c3dbba42aee",
	"es words":  "0d29a9067ed44656c630402b0da57c4b",
	"es letter": "e1a108fce6d2d1a24b23303d1b8571e3",
	"pt words":  "c559be000406c09ab69949e6037f2ed3",
	"pt letter": "1a59b50a8067e4a2309eafb440ef385e",
	"ht words":  "8d275c0a8f7972289f19c69ac4d01a2e",
	"ht letter": "51663f2a560f9e297036984d6d0e200d",
	"templates": "1d0c9ffe2efe9eecee6b5a6e4c93b50b",
}

func TestReceiptWordsNeverChange(t *testing.T) {
	words, v := catalogue(t), newView(t)
	found := map[string]string{"templates": hashOf(func(w io.Writer) {
		for _, file := range []string{"letter.txt", "letter.html", "void.txt", "void.html"} {
			content, err := fs.ReadFile(templates.FS, "letters/receipt/v1/"+file)
			require.NoError(t, err)
			_, _ = w.Write(content)
		}
	})}
	for _, lang := range words.Languages() {
		found[string(lang)+" words"] = hashOf(func(w io.Writer) {
			for _, key := range words.Keys() {
				if strings.HasPrefix(key, "receipt.v1.") {
					_, _ = io.WriteString(w, key+"\n"+words.T(lang, key)+"\n")
				}
			}
		})
		found[string(lang)+" letter"] = hashOf(func(w io.Writer) {
			subject, text, _, err := v.ReceiptEmail(receiptWords(lang))
			require.NoError(t, err)
			_, _ = io.WriteString(w, subject+"\n"+text)
		})
	}
	assert.Equal(t, pinned, found)
}

func hashOf(write func(io.Writer)) string {
	sum := sha256.New()
	write(sum)
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// receiptSays are what IRS Publication 1771 and a sponsor's own rules require of a receipt.
var receiptSays = map[phrase.Language][]string{
	"en": {
		"TSNE-2026-000123", "TSNE MissionWorks", "12-3456789", "1 Example St", "Boston, MA 02111",
		"Center to Support Immigrant Organizing", "Marisol Peña Núñez", "$20.50", "November 21, 2026",
		"Where it is needed most: to support the work of the Center to Support Immigrant Organizing", "$15.00", "$5.50",
		"No goods or services were provided in exchange for this contribution.",
		"TSNE MissionWorks has exclusive legal control over this contribution", "Thank you for your gift",
	},
	"es": {
		"TSNE-2026-000123", "TSNE MissionWorks", "12-3456789", "1 Example St", "Boston, MA 02111",
		"Centro de Apoyo a la Organización de Inmigrantes", "Marisol Peña Núñez", "$20.50", "21 de noviembre de 2026",
		"Donde más se necesite: para apoyar el trabajo del Centro de Apoyo a la Organización de Inmigrantes", "$15.00", "$5.50",
		"No se entregaron bienes ni servicios a cambio de esta contribución.",
		"TSNE MissionWorks tiene el control legal exclusivo de esta contribución", "Gracias por su donación",
	},
	"pt": {
		"TSNE-2026-000123", "TSNE MissionWorks", "12-3456789", "1 Example St", "Boston, MA 02111",
		"Centro de Apoio à Organização de Imigrantes", "Marisol Peña Núñez", "US$ 20,50", "21 de novembro de 2026",
		"Onde for mais necessário: para apoiar o trabalho do Centro de Apoio à Organização de Imigrantes", "US$ 15,00", "US$ 5,50",
		"Nenhum bem ou serviço foi fornecido em troca desta contribuição.",
		"TSNE MissionWorks tem o controle legal exclusivo desta contribuição e decide sobre o seu uso", "Obrigado pela sua doação",
	},
	"ht": {
		"TSNE-2026-000123", "TSNE MissionWorks", "12-3456789", "1 Example St", "Boston, MA 02111",
		"Sant pou Soutni Òganizasyon Imigran yo", "Marisol Peña Núñez", "$20.50", "21 novanm 2026",
		"Kote ki gen plis bezwen: pou soutni travay Sant pou Soutni Òganizasyon Imigran yo", "$15.00", "$5.50",
		"Pa gen okenn byen ni sèvis ki te bay an echanj pou kontribisyon sa a.",
		"Se TSNE MissionWorks sèl ki gen kontwòl legal sou kontribisyon sa a epi ki deside sou fason li sèvi", "Mèsi pou don $20.50",
	},
}

func TestReceiptSaysEverything(t *testing.T) {
	v := newView(t)
	for lang, sayings := range receiptSays {
		r := receiptWords(lang)
		subject, text, html, err := v.ReceiptEmail(r)
		require.NoError(t, err)
		pdf, err := v.ReceiptPDF(r)
		require.NoError(t, err)
		texts := map[string]string{
			"text": oneLine(text), "html": oneLine(stripTags(html)), "pdf": oneLine(pdfText(t, pdf)),
		}
		for _, saying := range sayings {
			for where, words := range texts {
				assert.Contains(t, words, saying, "%s %s", lang, where)
			}
		}
		for where, words := range texts {
			assert.NotRegexp(t, `receipt\.v1|\{[a-z_]+\}|ZgotmplZ`, words, where)
		}
		assert.Contains(t, subject, r.Amount.FormatExact(string(lang)))
		assert.NotContains(t, html, "var(--")
		assert.NotContains(t, html, "<style")
		for _, line := range strings.Split(text, "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 72, line)
		}
	}
}

func TestReceiptOfTheDoneeItself(t *testing.T) {
	r := receiptWords("en")
	r.Sponsored, r.Greeting, r.Purposes = false, "", []view.Purpose{{Fund: "General", Amount: usd(2050)}}
	v := newView(t)
	_, text, _, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	assert.Contains(t, text, "Dear Marisol Peña Núñez,")
	assert.NotContains(t, text, "fiscally sponsored")
	assert.Contains(t, oneLine(text), "TSNE MissionWorks has exclusive legal control")
	assert.Contains(t, text, "\n  General\n  $20.50\n")
	pdf, err := v.ReceiptPDF(r)
	require.NoError(t, err)
	assert.NotContains(t, pdfText(t, pdf), "fiscally sponsored")
}

func TestReceiptEscapesMarkup(t *testing.T) {
	v := newView(t)
	r := receiptWords("en")
	r.Donor = `<script>alert("x")</script> {{.Number}} & Söhne`
	r.Greeting, r.Accent = r.Donor, "red;background:url(//x)"
	_, text, html, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	assert.Contains(t, text, "Dear "+r.Donor+",")
	assert.NotContains(t, html, "<script")
	assert.NotContains(t, html, "url(")
	assert.Contains(t, html, "{{.Number}} &amp; Söhne")
	assert.Contains(t, html, "background: "+view.DefaultAccent)
}

// TestReceiptPDFTakesAnyName: names in every script, and long names, can be written.
func TestReceiptPDFTakesAnyName(t *testing.T) {
	v := newView(t)
	for donor, want := range map[string]string{
		"Nguyễn Thị Ánh":                  "Nguyễn Thị Ánh",
		"Łukasz Ørsted":                   "Łukasz Ørsted",
		"Gülşen Ünal":                     "Gülşen Ünal",
		"Елена Ангелова":                  "Елена Ангелова",
		"a\u0301na":                       "ána",
		strings.Repeat("Wilhelmina ", 40): "Wilhelmina Wilhelmina",
	} {
		t.Run(donor, func(t *testing.T) {
			r := receiptWords("en")
			r.Donor, r.Greeting = donor, "you"
			pdf, err := v.ReceiptPDF(r)
			require.NoError(t, err)
			assert.Contains(t, oneLine(pdfText(t, pdf)), want)
		})
	}
}

// TestReceiptPDFIsSmall: the document is small enough for old phones, and smallest with a name of common letters.
func TestReceiptPDFIsSmall(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		r := receiptWords(lang)
		pdf, err := v.ReceiptPDF(r) // an accent that the language does not have
		require.NoError(t, err)
		assert.Less(t, len(pdf), 15_000, lang)
		r.Donor, r.Greeting = "Marisol Diaz", "Marisol"
		pdf, err = v.ReceiptPDF(r)
		require.NoError(t, err)
		limit := 13_200 // with letters of the language
		if lang == phrase.English {
			limit = 12_000
		}
		assert.Less(t, len(pdf), limit, lang)
	}
	r := receiptWords("en")
	r.Donor = "王小明 Nguyễn محمد"
	pdf, err := v.ReceiptPDF(r)
	require.NoError(t, err)
	assert.Less(t, len(pdf), 25_000)
}

func TestReceiptPDFDependsOnlyOnItsFacts(t *testing.T) {
	r := receiptWords("es")
	first, err := newView(t).ReceiptPDF(r)
	require.NoError(t, err)
	for range 5 {
		again, err := newView(t).ReceiptPDF(r)
		require.NoError(t, err)
		require.True(t, bytes.Equal(first, again))
	}
	assert.Contains(t, testkit.PDFText(first), "/CreationDate(D:20261121000000Z)")
	assert.Contains(t, testkit.PDFText(first), "/Count 1/", "one page")
	assert.Contains(t, testkit.PDFText(first), "/Lang(es)")
	r.Number = "TSNE-2026-000124"
	other, err := newView(t).ReceiptPDF(r)
	require.NoError(t, err)
	assert.False(t, bytes.Equal(first, other))
}

func TestReceiptVersion(t *testing.T) {
	v := newView(t)
	for _, version := range []int{0, view.ReceiptVersion + 1} {
		r := receiptWords("en")
		r.Version = version
		_, _, _, err := v.ReceiptEmail(r)
		assert.ErrorIs(t, err, view.ErrReceiptVersion)
		_, err = v.ReceiptPDF(r)
		assert.ErrorIs(t, err, view.ErrReceiptVersion)
	}
	r := receiptWords("en")
	r.Language = "xx"
	_, text, _, err := v.ReceiptEmail(r)
	require.NoError(t, err)
	assert.Contains(t, oneLine(text), "It reached us on November 21, 2026", "an unknown language is replaced by English")
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func stripTags(html string) string {
	return strings.NewReplacer("&amp;", "&", "&#39;", "'").Replace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(html, " "))
}
