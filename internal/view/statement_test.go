package view_test

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web/portal/giftpage"
	"konbit/internal/workshop/testkit"
	"konbit/templates"
)

// pinnedStatement are the hashes of each version's own words by language, and of its templates, as pinned are those of
// receipts.
var pinnedStatement = map[int]map[string]string{1: {
	"en":        "12c4fdfa87ccfd7ee948a66a040d107e",
	"es":        "c259c2bea01ef8e9ffb05acfef735384",
	"pt":        "32afefb070c2b83943194c21b9e648c0",
	"ht":        "dda88d184d520eedd06987f05417c209",
	"templates": "722ac70ac04d0f011fe67516056161d0",
}, 2: {
	"en":        "49f8430ea2dd03be3e3f100d2c2f3b5c",
	"es":        "fbc350f3ee9ef88822100bc0f0e5da37",
	"pt":        "c33432dc5ff4e0f806c5154d4c0159a5",
	"ht":        "b60bfdd293a87cfb4a8c2b5dd9c17769",
	"templates": "f275838d626539708d978b8e7940fdaf",
}, 3: {
	"en":        "6fad434c3efb05403f52f71d9cb57536",
	"es":        "c9f1f1f557d7123a592255c449d18b57",
	"pt":        "842dbdfe5917e5a767075e931cbeafc3",
	"ht":        "5f0f13d6b27863759510a5ff2f3f472f",
	"templates": "101b6b7c1419932e7c78ac264c3785a4",
}, 4: {
	"en":        "ba463f0b2267c0c8fd3dcbc0543ebdaa",
	"es":        "459cab4942cfeba17f1f8e3ef1763c2f",
	"pt":        "5b78b627c119a3c734ed125cc93f784d",
	"ht":        "1f47d3837a8e9329c3ffe6d791b94d80",
	"templates": "9dbe0b25854ab985dd140c6eb11cef17",
}, 5: {
	"en":        "ac6a294db80b279c2d21e14d5852d73a",
	"es":        "8f50e40e7fa9a2add111520eceaf79bc",
	"pt":        "e3c330a2e2b611159c4f4b1cd4cb7ef1",
	"ht":        "ff5178392256fceb5cf05289ba8f84b9",
	"templates": "9dbe0b25854ab985dd140c6eb11cef17",
}}

func TestStatementWordsNeverChange(t *testing.T) {
	words := catalogue(t)
	for version, want := range pinnedStatement {
		found := map[string]string{"templates": hashOf(func(w io.Writer) {
			for _, file := range []string{"letter.txt", "letter.html"} {
				content, err := fs.ReadFile(templates.FS, fmt.Sprintf("letters/statement/v%d/%s", version, file))
				require.NoError(t, err)
				_, _ = w.Write(content)
			}
		})}
		for _, lang := range words.Languages() {
			found[string(lang)] = hashOf(func(w io.Writer) {
				for _, key := range words.Keys() {
					if strings.HasPrefix(key, fmt.Sprintf("statement.v%d.", version)) {
						_, _ = io.WriteString(w, key+"\n"+words.T(lang, key)+"\n")
					}
				}
			})
		}
		assert.Equal(t, want, found, version)
	}
	assert.Len(t, pinnedStatement, view.StatementVersion)
}

// statementWords returns a statement with a number of gifts, the second of which was returned.
func statementWords(lang phrase.Language, gifts int) view.StatementWords {
	s := view.StatementWords{
		Version: view.StatementVersion, Language: lang, Year: 2026, Donee: tsne, Donor: "Marisol Peña Núñez", Greeting: "Marisol", DonorAddress: []string{"1 Main St", "Boston, MA 02111"},
		Sponsored: []string{"Centro"}, Issued: time.Date(2027, 1, 15, 9, 0, 0, 0, time.UTC), Returned: usd(0),
	}
	for i := range gifts {
		g := view.StatementGift{
			Charged: time.Date(2026, 1, 3+i, 0, 0, 0, 0, time.UTC), Receipt: fmt.Sprintf("TSNE-2026-%06d", i+1), Organisation: "Centro", Amount: usd(2050),
			Funds: []view.Purpose{{Fund: "Donde más se necesite", Amount: usd(1500)}, {Fund: "Red de Liderazgo", Amount: usd(550)}}, N: i + 1, Of: gifts,
		}
		if i == 1 {
			g.Returned = []view.StatementReturn{{On: g.Charged.AddDate(0, 0, 9), Amount: usd(550)}, {On: g.Charged.AddDate(0, 0, 20), Amount: usd(1500), Dispute: true}}
			s.Returned = usd(2050)
		}
		s.Gifts = append(s.Gifts, g)
	}
	s.Given = usd(int64(2050 * gifts))
	s.Total = money.New(s.Given.Minor-s.Returned.Minor, "USD")
	return s
}

// TestStatementSaysEverything checks the email, the page and the document, in each language.
func TestStatementSaysEverything(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		s := statementWords(lang, 3)
		subject, text, html, err := v.StatementEmail(s)
		require.NoError(t, err)
		pdf, err := v.StatementPDF(s)
		require.NoError(t, err)
		again, err := v.StatementPDF(s)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(pdf, again), "the same facts give the same bytes")
		assert.Less(t, len(pdf), 50_000, lang)
		inPDF := oneLine(pdfText(t, pdf))
		var page bytes.Buffer
		require.NoError(t, giftpage.StatementPage{Frame: frame(lang), StatementWords: s, PDFURL: "/me/a.pdf", BackURL: "/me"}.Write(&page, v))
		checkPage(t, page.String())
		texts := map[string]string{"text": oneLine(text), "html": oneLine(stripTags(html)), "pdf": inPDF, "page": oneLine(stripTags(page.String()))}
		for where, words := range texts {
			for _, saying := range []string{
				"2026", "TSNE MissionWorks", "12-3456789", "Marisol Peña Núñez", "1 Main St, Boston, MA 02111", "TSNE-2026-000001", "TSNE-2026-000003",
				usd(6150).FormatExact(string(lang)), usd(2050).FormatExact(string(lang)), usd(-550).FormatExact(string(lang)),
				usd(-1500).FormatExact(string(lang)), usd(4100).FormatExact(string(lang)), "(2 "} {
				saying = oneLine(saying)
				assert.Contains(t, words, saying, "%s %s", lang, where)
			}
			assert.NotRegexp(t, `statement\.v1|\{[a-z_]+\}|ZgotmplZ`, words, where)
		}
		assert.Contains(t, subject, "2026")
		s.Corrects = s.Issued.AddDate(0, 0, -3)
		corrected, text, _, err := v.StatementEmail(s)
		require.NoError(t, err)
		assert.NotEqual(t, subject, corrected)
		assert.Contains(t, text, phrase.Date(lang, s.Corrects))
		for _, line := range strings.Split(text, "\n") {
			assert.LessOrEqual(t, len([]rune(line)), 76, line)
		}
	}
	_, _, _, err := v.StatementEmail(view.StatementWords{Version: 9})
	require.ErrorIs(t, err, view.ErrStatementVersion)
}

// TestStatementOfNothing: if all was returned, email, page and document say that the statement before and the receipts are
// void.
func TestStatementOfNothing(t *testing.T) {
	v, words := newView(t), catalogue(t)
	for _, lang := range words.Languages() {
		s := statementWords(lang, 2)
		s.Gifts[0].Returned = []view.StatementReturn{{On: s.Gifts[0].Charged, Amount: usd(2050)}}
		s.Gifts[0].Void, s.Gifts[1].Void = true, true
		s.Returned, s.Total, s.Corrects = s.Given, usd(0), s.Issued.AddDate(0, 0, -3)
		subject, text, html, err := v.StatementEmail(s)
		require.NoError(t, err)
		assert.Equal(t, words.T(lang, "statement.v4.subject_nothing", "donee", s.Donee.Name, "year", s.Year), subject)
		pdf, err := v.StatementPDF(s)
		require.NoError(t, err)
		var page bytes.Buffer
		require.NoError(t, giftpage.StatementPage{Frame: frame(lang), StatementWords: s, BackURL: "/me"}.Write(&page, v))
		checkPage(t, page.String())
		for where, said := range map[string]string{"text": text, "html": stripTags(html), "pdf": pdfText(t, pdf), "page": stripTags(page.String())} {
			said = oneLine(said)
			assert.Contains(t, said, oneLine(words.T(lang, "statement.v4.nothing", "donee", s.Donee.Name, "year", s.Year, "on", phrase.Date(lang, s.Corrects))), "%s %s", lang, where)
			for _, g := range s.Gifts {
				if marked := words.T(lang, "statement.v4.receipt_void", "receipt", g.Receipt); where != "pdf" {
					assert.Contains(t, said, marked, "%s %s", lang, where)
				} else { // in the column of receipts, the mark is below the number
					assert.Equal(t, 2, strings.Count(said, strings.TrimPrefix(marked, g.Receipt+" ")), "%s %s", lang, where)
				}
			}
			assert.NotContains(t, said, words.T(lang, "statement.v2.keep"), "%s %s", lang, where)
			assert.NotContains(t, said, words.T(lang, "statement.v1.goods"), "%s %s", lang, where)
			assert.NotRegexp(t, `statement\.v\d|\{[a-z_]+\}`, said, where)
		}
	}
}

// TestStatementOfSeveralNames: each name has a part with its own gifts and total in email, page and document; the sum of all
// is nowhere.
func TestStatementOfSeveralNames(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		s := statementWords(lang, 3)
		s.Donor, s.Greeting, s.DonorAddress = "Luis Gómez", "Luis", nil
		s.Names = []view.StatementName{
			{Name: "Ana Pérez", Greeting: "Ana", Address: []string{"1 Main St"}, Given: usd(4100), Returned: usd(2050), Total: usd(2050)},
			{Name: "Casa Sol", Given: usd(2050), Returned: usd(0), Total: usd(2050)},
		}
		s.Gifts[2].Name = 1
		_, text, html, err := v.StatementEmail(s)
		require.NoError(t, err)
		pdf, err := v.StatementPDF(s)
		require.NoError(t, err)
		var page bytes.Buffer
		require.NoError(t, giftpage.StatementPage{Frame: frame(lang), StatementWords: s, BackURL: "/me"}.Write(&page, v))
		checkPage(t, page.String())
		for where, words := range map[string]string{"text": text, "html": stripTags(html), "pdf": pdfText(t, pdf), "page": stripTags(page.String())} {
			words = oneLine(words)
			own := regexp.MustCompile(`Ana Pérez.*1 Main St.*` + regexp.QuoteMeta(oneLine(usd(2050).FormatExact(string(lang)))) + `.*TSNE-2026-000001.*TSNE-2026-000002.*Casa Sol.*` +
				regexp.QuoteMeta(oneLine(usd(2050).FormatExact(string(lang)))) + `.*TSNE-2026-000003`)
			assert.Regexp(t, own, words, "%s %s", lang, where)
			assert.NotContains(t, words, oneLine(usd(6150).FormatExact(string(lang))), "%s %s", lang, where)
			assert.NotContains(t, words, "Luis", "%s %s", lang, where)
			assert.NotRegexp(t, `statement\.v\d|\{[a-z_]+\}`, words, where)
		}
	}
}

// TestGiftsSoFarSaySo: an email with the gifts so far does not call itself an annual statement or mention taxes.
func TestGiftsSoFarSaySo(t *testing.T) {
	v := newView(t)
	for _, lang := range catalogue(t).Languages() {
		issued := statementWords(lang, 1)
		s := issued
		s.Provisional = true
		subject, text, _, err := v.StatementEmail(s)
		require.NoError(t, err)
		pdf, err := v.StatementPDF(s)
		require.NoError(t, err)
		words := catalogue(t)
		for where, said := range map[string]string{"subject": subject, "text": oneLine(text), "pdf": oneLine(pdfText(t, pdf))} {
			assert.NotContains(t, said, words.T(lang, "statement.v1.title", "year", 2026), "%s %s", lang, where)
			assert.NotContains(t, said, words.T(lang, "statement.v2.keep"), "%s %s", lang, where)
		}
		assert.Contains(t, oneLine(text), words.T(lang, "statement.v3.keep_so_far"))
		other, _, _, err := v.StatementEmail(issued)
		require.NoError(t, err)
		assert.NotEqual(t, other, subject)
	}
}

// TestStatementBreaksBetweenRows: sixty gifts take several pages, each with the table's head and the footer.
func TestStatementBreaksBetweenRows(t *testing.T) {
	v := newView(t)
	s := statementWords("en", 60)
	pdf, err := v.StatementPDF(s)
	require.NoError(t, err)
	text := pdfText(t, pdf)
	pages := strings.Count(testkit.PDFText(pdf), "/Type/Page/")
	assert.GreaterOrEqual(t, pages, 3)
	assert.LessOrEqual(t, pages, 6)
	for _, page := range strings.Split(text, "\f") {
		if strings.Contains(page, "TSNE-2026-0") {
			assert.Equal(t, 1, strings.Count(page, "Date of charge"), "the table's head on each page with gifts")
		}
	}
	assert.Equal(t, 1, strings.Count(text, "TSNE-2026-000060"))
	assert.Less(t, strings.Index(text, "TSNE-2026-000001"), strings.Index(text, "TSNE-2026-000060"))
}
