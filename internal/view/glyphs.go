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

// typeface is a font family for documents.
type typeface struct {
	name          string
	regular, bold []byte // TrueType; nil: a standard font of every PDF reader, with the characters of Windows-1252
}

// typefaces are tried in order; the first that has all characters of a document is used.
//
//	Helvetica   the characters of our languages; a tenth of the time and of the size, because it is not embedded
//	            (ISO 32000-1, 9.6.2.2)
//	Go          also Central European characters
//	Liberation  also Vietnamese, Yoruba and other Latin alphabets
var typefaces = []typeface{
	{"Helvetica", nil, nil},
	{"go", goregular.TTF, gobold.TTF},
	{"liberation", liberationsansregular.TTF, liberationsansbold.TTF},
}

// replacementGlyph replaces a character that no typeface has. The email with the document contains the character
// itself.
const replacementGlyph = '□'

// typesetter is a typeface with the list of its characters.
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

// typeset returns the document in the first typeface that has all its characters, or else in the last.
func (v *View) typeset(write func(face typesetter) *document) ([]byte, error) {
	var s *document
	for _, face := range v.typefaces {
		s = write(face)
		if s.pdf.Close(); !s.glyphMissing { // Close writes the footer of the last page
			break
		}
	}
	var b bytes.Buffer
	err := s.pdf.Output(&b)
	return b.Bytes(), err
}

// has reports whether the typeface has a character.
func (t typesetter) has(r rune, glyphs *sfnt.Buffer) bool {
	if t.font == nil {
		_, ok := windows1252(r)
		return ok
	}
	i, err := t.font.GlyphIndex(glyphs, r)
	return err == nil && i != 0
}

// windows1252 returns a character's code. The minus sign, which Windows-1252 lacks, becomes the en dash of the same
// width.
func windows1252(r rune) (byte, bool) {
	if r == '−' {
		r = '–'
	}
	return charmap.Windows1252.EncodeRune(r)
}

// encode returns printable text in the encoding of the document.
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

// printable replaces the characters that the typeface lacks: an accented letter keeps the accents that the typeface
// has, and a character of another script becomes □.
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

// withoutMarks removes accents from r, the last first, until the typeface has it; replacementGlyph if it never does.
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
