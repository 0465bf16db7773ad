package view_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	unicode16 "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/unicode/norm"

	"konbit/internal/platform/typeset"
	"konbit/internal/view"
	"konbit/internal/workshop/testkit"
)

// names are those of people, by script.
var names = map[string][]string{
	"Latin":      {"Marisol Peña Núñez", "Nguyễn Thị Ánh", "Łukasz Ørsted", "Gülşen Ünal", "Ọlárónkẹ́ Adébáyọ̀", "Hālau Kealiʻi", "Cabdullaahi Xirsi"},
	"Cyrillic":   {"Елена Ангелова", "Ґанна Їжакевич"},
	"Greek":      {"Γεώργιος Παπαδόπουλος"},
	"Han":        {"王小明", "歐陽菲菲"},
	"Japanese":   {"山田 花子", "さくら・タナカ"},
	"Hangul":     {"김민수", "이서연"},
	"Arabic":     {"محمد الأحمد", "فاطمة الزهراء", "رضا پهلوی", "محمد (Mo) Ali 3"},
	"Hebrew":     {"דוד לוי", "שָׂרָה כֹּהֵן"},
	"Ethiopic":   {"አበበ ቢቂላ", "ትርሓስ ገብረ"},
	"Devanagari": {"प्रिया शर्मा", "कृष्ण श्रेष्ठ"},
	"Bengali":    {"রবীন্দ্রনাথ ঠাকুর", "শ্রেয়সী"},
	"Tamil":      {"ஸ்ரீதேவி", "தமிழ்ச்செல்வி"},
	"Thai":       {"สมชาย ใจดี", "กิ่งแก้ว"},
	"Khmer":      {"ខ្មែរ ស្រី", "ព្រះ សុខា"},
	"Lao":        {"ສົມພອນ"},
	"Burmese":    {"အောင်ဆန်းစုကြည်"},
	"Armenian":   {"Արամ Խաչատրյան"},
	"Georgian":   {"გიორგი ბერიძე"},
	"Punjabi":    {"ਗੁਰਪ੍ਰੀਤ"},
	"Tibetan":    {"བསྟན་འཛིན"},
	"mixed":      {"Ana 王 민수", "Zoë Müller 김", "Ana (محمد) Luis"},
}

// runPDFTool runs a program that reads a document from its input.
func runPDFTool(t testing.TB, pdf []byte, program string, args ...string) string {
	t.Helper()
	tool := exec.Command(program, args...)
	tool.Stdin = bytes.NewReader(pdf)
	out, err := tool.Output()
	require.NoError(t, err, "%s; install it with: make test-deps", program)
	return string(out)
}

// pdfText returns the text of a document in reading order.
func pdfText(t testing.TB, pdf []byte) string { return runPDFTool(t, pdf, "pdftotext", "-", "-") }

var elementText = regexp.MustCompile(`<</S/[^\n]*?/ActualText<FEFF([0-9A-F]*)>`)

// readAloud returns the elements of a document with their text, as a screen reader gets them: the content, which pdfinfo
// reads, and the text that an element gives instead of it, which pdfinfo leaves out.
func readAloud(t testing.TB, pdf []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.pdf")
	require.NoError(t, os.WriteFile(file, pdf, 0o600))
	read := runPDFTool(t, nil, "pdfinfo", "-struct-text", file)
	for _, m := range elementText.FindAllStringSubmatch(testkit.PDFText(pdf), -1) {
		units, err := hex.DecodeString(m[1])
		require.NoError(t, err)
		text, err := unicode16.UTF16(unicode16.BigEndian, unicode16.IgnoreBOM).NewDecoder().Bytes(units)
		require.NoError(t, err)
		read += "\n" + string(text)
	}
	return read
}

// reversedByPoppler are names whose copied text pdftotext gets wrong: it turns the characters of one glyph around when it
// turns text from right to left around, and it does not know the order of words of both directions beside a label.
var reversedByPoppler = regexp.MustCompile(`ل[اأإآ]|[\x{0591}-\x{05C7}]|[()].*\p{Arabic}|\p{Arabic}.*[()]`)

// checkPDF checks the file's structure.
func checkPDF(t testing.TB, pdf []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.pdf")
	require.NoError(t, os.WriteFile(file, pdf, 0o600))
	out, err := exec.Command("qpdf", "--check", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.NotContains(t, string(out), "WARNING")
}

// extracted returns text as it is compared: programs that extract text add marks of direction and change spaces.
func extracted(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, norm.NFKC.String(text))
}

// TestNamesInEveryScript: each name is set in its script, without a box, and can be copied out as it was written. Run with
// -artifacts to look at the documents.
func TestNamesInEveryScript(t *testing.T) {
	t.Parallel()
	v, dir := newView(t), t.ArtifactDir()
	n := 0
	for script, list := range names {
		t.Run(script, func(t *testing.T) {
			for three := range slices.Chunk(list, 3) {
				r := receiptWords("en")
				r.Donor, r.Greeting = three[0], three[len(three)-1]
				r.Dedication, r.Dedicatee = "honour", three[len(three)/2]
				pdf, err := v.ReceiptPDF(r)
				require.NoError(t, err)
				n++
				require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.pdf", script, n)), pdf, 0o600))
				checkPDF(t, pdf)
				text, read := extracted(pdfText(t, pdf)), extracted(readAloud(t, pdf))
				for _, name := range three {
					assert.Contains(t, read, extracted(name), "as a screen reader gets it")
					if !reversedByPoppler.MatchString(name) {
						assert.Contains(t, text, extracted(name), "as it is copied")
					}
				}
				assert.NotContains(t, text, "□")
				assert.Contains(t, testkit.PDFText(pdf), "/Count 1/", "one page")
			}
		})
	}
}

// TestEmojiInNames: emoji are set, or left out where no font has them; joined ones and skin tones leave no box.
func TestEmojiInNames(t *testing.T) {
	t.Parallel()
	for _, v := range []*view.View{newView(t), newView(t).WithFonts(typeset.In())} {
		for _, name := range []string{"Ana 😀", "Ana 👩🏽‍🌾", "Ana 🇭🇹 Luis", "Ana ❤️ Luis", "Ana \U000F0000 Luis"} {
			r := receiptWords("en")
			r.Donor, r.Greeting = name, name
			pdf, err := v.ReceiptPDF(r)
			require.NoError(t, err, name)
			text := oneLine(pdfText(t, pdf))
			assert.Contains(t, text, "Dear Ana", name)
			assert.NotContains(t, text, "□", name)
		}
	}
}

// TestNoFontHoldsThePaper: without fonts for a script there is no document, and the error does not hold the name.
func TestNoFontHoldsThePaper(t *testing.T) {
	t.Parallel()
	v := newView(t).WithFonts(typeset.In())
	for name, script := range map[string]string{"王小明": "Han", "محمد": "Arabic", "ខ្មែរ": "Khmer", "አበበ": "Ethiopic", "😀😀": "Common"} {
		r := receiptWords("en")
		r.Donor = name
		_, err := v.ReceiptPDF(r)
		var missing *typeset.MissingError
		require.ErrorAs(t, err, &missing, name)
		assert.Equal(t, script, missing.Script)
		assert.NotContains(t, err.Error(), name)
		s := statementWords("en", 2)
		s.Donor = name
		_, err = v.StatementPDF(s)
		require.ErrorAs(t, err, &missing, name)
	}
	for _, name := range []string{"Nguyễn Thị Ánh", "Елена", "Ọlárónkẹ́", "Œdipe Łęcki"} {
		r := receiptWords("en")
		r.Donor = name
		_, err := v.ReceiptPDF(r)
		assert.NoError(t, err, "the program's own fonts have %s", name)
	}
}

// TestDocumentsAreTagged: a screen reader finds the title, the language, headings, tables with their header cells, and no
// text outside them.
func TestDocumentsAreTagged(t *testing.T) {
	t.Parallel()
	v := newView(t)
	receipt, err := v.ReceiptPDF(receiptWords("es"))
	require.NoError(t, err)
	statement, err := v.StatementPDF(statementWords("es", 40))
	require.NoError(t, err)
	for name, pdf := range map[string][]byte{"receipt": receipt, "statement": statement} {
		file := filepath.Join(t.TempDir(), name+".pdf")
		require.NoError(t, os.WriteFile(file, pdf, 0o600))
		checkPDF(t, pdf)
		for _, entry := range []string{"/Lang(es)", "/MarkInfo<</Marked true>>", "/DisplayDocTitle true", "<pdfuaid:part>1</pdfuaid:part>", "<dc:title>"} {
			assert.Contains(t, testkit.PDFText(pdf), entry, name)
		}
		info := runPDFTool(t, nil, "pdfinfo", file)
		assert.Regexp(t, `Title: +\S`, info)
		assert.Regexp(t, `Tagged: +yes`, info)
		fonts := runPDFTool(t, nil, "pdffonts", file)
		for font := range strings.Lines(fonts[strings.LastIndex(fonts, "---")+4:]) {
			assert.Regexp(t, ` (WinAnsi +yes yes no|Identity-H +yes yes yes) `, font, "embedded, a subset, with the characters of its glyphs")
		}
		structure := readAloud(t, pdf)
		assert.Equal(t, 1, strings.Count(structure, "H1 "), structure)
		assert.Regexp(t, `H2 `, structure)
		assert.Regexp(t, `TH:`, structure)
		read := extracted(structure)
		for _, said := range []string{"Marisol Peña Núñez", "12-3456789", "TSNE-2026-000"} {
			assert.Contains(t, read, extracted(said), name)
		}
	}
}
