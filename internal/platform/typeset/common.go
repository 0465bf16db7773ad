package typeset

import (
	"slices"

	"github.com/go-text/typesetting/font"
)

// Common is the part of a font that most documents in a language need: the same bytes in each of them.
type Common struct {
	Subset
	Characters []rune // of the glyphs, in rising order
}

// commonUnits is the grid of common glyphs. Its points are finer than those of a printer at the sizes of a document, and
// a document is a tenth smaller than with the font's own grid.
const commonUnits = 512

// basic are the characters that most documents have in any language. A sign that few have would make all of them larger.
const basic = " $'(),-./0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz’"

// accented are the other characters of the words in a language.
var accented = map[string]string{"es": "áéíóúñ", "pt": "\u00a0!áâãàçéêíóôõú", "ht": "èòàéÒ"}

// Common returns the part of the font for documents in a language. It is computed once; a font that is not built in has
// none.
func (f *Font) Common(language string) *Common {
	if c, ok := f.common.Load(language); ok {
		return c.(*Common)
	}
	c := &Common{}
	seen := map[font.GID]bool{}
	for _, r := range sorted(basic + accented[language]) {
		if g, ok := f.nominal[r]; ok && !seen[g.id] {
			seen[g.id] = true
			c.Glyphs, c.Characters = append(c.Glyphs, g.id), append(c.Characters, r)
		}
	}
	if len(c.Glyphs) > 0 {
		c.Subset = f.subset(c.Glyphs, c.Characters, commonUnits)
	}
	stored, _ := f.common.LoadOrStore(language, c)
	return stored.(*Common)
}

func sorted(characters string) []rune {
	all := []rune(characters)
	slices.Sort(all)
	return all
}
