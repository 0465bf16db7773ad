package view

import (
	"bytes"
	"strings"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
)

// typeface is a family the documents may be set in.
type typeface struct {
	name          string
	regular, bold []byte // TrueType; nil: one of the fonts every reader of documents has, with the letters of Windows-1252
}

// typefaces are tried in order. Helvetica has the letters of our languages, is set in a tenth of the time of the others, and makes a
// document a tenth as large, for nothing of it is embedded (ISO 32000-1, 9.6.2.2). Go, ours for its looks, also knows Central European
// letters; Liberation also Vietnamese, Yoruba and other Latin alphabets.
var typefaces = []typeface{
	{"Helvetica", nil, nil},
	{"go", goregular.TTF, gobold.TTF},
	{"liberation", liberationsansregular.TTF, liberationsansbold.TTF},
}

// unprintable stands in a document for a letter no typeface of ours has. The
// letter that goes with the document has it in full.
const replacementGlyph = '□'

// typesetter knows which letters a typeface has.
type typesetter struct {
	typeface
	font *sfnt.Font // nil for a typeface that is not embedded
}

func newTypesetters() ([]typesetter, error) {
	var all []typesetter
	for _, face := range typefaces {
		t := typesetter{typeface: face}
		if face.regular != nil {
			var err error
			if t.font, err = sfnt.Parse(face.regular); err != nil {
				return nil, err
			}
		}
		all = append(all, t)
	}
	return all, nil
}

// typeset writes a document in the first typeface that has every letter of it, or else in the last.
func (v *View) typeset(write func(face typesetter) *document) ([]byte, error) {
	var s *document
	for _, face := range v.typefaces {
		s = write(face)
		if s.pdf.Close(); !s.glyphMissing { // the foot of the last page is written when it closes
			break
		}
	}
	var b bytes.Buffer
	err := s.pdf.Output(&b)
	return b.Bytes(), err
}

// has tells whether the typeface has a letter.
func (t typesetter) has(r rune, glyphs *sfnt.Buffer) bool {
	if t.font == nil {
		_, ok := windows1252(r)
		return ok
	}
	i, err := t.font.GlyphIndex(glyphs, r)
	return err == nil && i != 0
}

// windows1252 is a letter's code. A minus sign, which it lacks, is set as the dash of the same width.
func windows1252(r rune) (byte, bool) {
	if r == '−' {
		r = '–'
	}
	return charmap.Windows1252.EncodeRune(r)
}

// coded is printable text as the document holds it.
func (t typesetter) encode(text string) string {
	if t.font != nil {
		return text
	}
	coded := make([]byte, 0, len(text))
	for _, r := range text {
		if c, ok := windows1252(r); ok {
			coded = append(coded, c)
		}
	}
	return string(coded)
}

// printable brings text into letters the typeface has: a letter with several
// marks keeps those that can be set, and one from another script becomes □.
func (t typesetter) printable(text string) string {
	var glyphs sfnt.Buffer
	has := func(r rune) bool { return t.has(r, &glyphs) }
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		if r == '\n' || has(r) {
			b.WriteRune(r)
		} else {
			b.WriteRune(withoutMarks(r, has))
		}
	}
	return b.String()
}

// simpler takes marks off r, the last first, until the typeface has it.
func withoutMarks(r rune, has func(rune) bool) rune {
	parts := []rune(norm.NFD.String(string(r)))
	for len(parts) > 1 {
		parts = parts[:len(parts)-1]
		if whole := []rune(norm.NFC.String(string(parts))); len(whole) == 1 && has(whole[0]) {
			return whole[0]
		}
	}
	return replacementGlyph
}
