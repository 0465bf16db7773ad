package view

import (
	"strings"
	"sync"

	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/text/unicode/norm"
)

// unprintable stands in a document for a letter its typeface does not have.
// The letter that goes with the document has it in full.
const unprintable = '□'

// typeface is the one of the documents.
var typeface = sync.OnceValues(func() (*sfnt.Font, error) { return sfnt.Parse(goregular.TTF) })

// printable brings text into letters the typeface has: a letter with several
// marks keeps those that can be set (Nguyễn becomes Nguyên), and one from
// another script becomes □.
func printable(text string) string {
	font, err := typeface()
	if err != nil {
		return text
	}
	var glyphs sfnt.Buffer
	has := func(r rune) bool {
		i, err := font.GlyphIndex(&glyphs, r)
		return err == nil && i != 0
	}
	var b strings.Builder
	for _, r := range norm.NFC.String(text) {
		switch {
		case r == '\n' || has(r):
			b.WriteRune(r)
		default:
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
