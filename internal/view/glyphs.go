package view

import (
	"strings"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// typeface is a family the documents may be set in.
type typeface struct {
	name          string
	regular, bold []byte // TrueType
}

// typefaces are tried in order. Go is ours for its looks, and knows Western
// and Central European letters; Liberation also knows Vietnamese, Yoruba and
// other Latin alphabets.
var typefaces = []typeface{
	{"go", goregular.TTF, gobold.TTF},
	{"liberation", liberationsansregular.TTF, liberationsansbold.TTF},
}

// unprintable stands in a document for a letter no typeface of ours has. The
// letter that goes with the document has it in full.
const unprintable = '□'

// typesetter knows which letters a typeface has.
type typesetter struct {
	typeface
	font *sfnt.Font
}

func newTypesetters() ([]typesetter, error) {
	var all []typesetter
	for _, face := range typefaces {
		font, err := sfnt.Parse(face.regular)
		if err != nil {
			return nil, err
		}
		all = append(all, typesetter{face, font})
	}
	return all, nil
}

// choose answers the first that has every letter of text, or else the last.
func choose(all []typesetter, text string) typesetter {
	for _, t := range all {
		if t.printable(text) == norm.NFC.String(text) {
			return t
		}
	}
	return all[len(all)-1]
}

// printable brings text into letters the typeface has: a letter with several
// marks keeps those that can be set, and one from another script becomes □.
func (t typesetter) printable(text string) string {
	var glyphs sfnt.Buffer
	has := func(r rune) bool {
		i, err := t.font.GlyphIndex(&glyphs, r)
		return err == nil && i != 0
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		if r == '\n' || has(r) {
			b.WriteRune(r)
		} else {
			b.WriteRune(simpler(r, has))
		}
	}
	return b.String()
}

// simpler takes marks off r, the last first, until the typeface has it.
func simpler(r rune, has func(rune) bool) rune {
	parts := []rune(norm.NFD.String(string(r)))
	for len(parts) > 1 {
		parts = parts[:len(parts)-1]
		if whole := []rune(norm.NFC.String(string(parts))); len(whole) == 1 && has(whole[0]) {
			return whole[0]
		}
	}
	return unprintable
}
