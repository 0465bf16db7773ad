package typeset

import (
	"math"

	"github.com/go-text/typesetting/font"
)

// Subset is a font that has some glyphs of another. Its glyph n+1 is Glyphs[n]; glyph 0 is empty and stands for none.
type Subset struct {
	Glyphs  []font.GID
	Widths  []float64 // of Glyphs, in ems
	Program []byte    // TrueType
	Metrics Metrics
	Bounds  [4]float64 // in ems: left, bottom, right, top
}

// Subset returns the font with some of its glyphs.
func (f *Font) Subset(glyphs []font.GID) Subset { return f.subset(glyphs, nil, f.font.Upem()) }

// subset returns the font with some of its glyphs, drawn on a grid of unitsPerEm. If characters are given, one for each
// glyph in rising order, the font tells which glyph stands for which.
func (f *Font) subset(glyphs []font.GID, characters []rune, unitsPerEm uint16) Subset {
	upem, scale := float64(f.font.Upem()), float64(unitsPerEm)/float64(f.font.Upem())
	s := Subset{Glyphs: glyphs, Metrics: f.Metrics()}
	file := trueType{
		unitsPerEm: unitsPerEm, scale: scale, characters: characters,
		ascent: int16(s.Metrics.Ascent * float64(unitsPerEm)), descent: int16(s.Metrics.Descent * float64(unitsPerEm)),
	}
	file.add(nil, 0)
	for _, id := range glyphs {
		outline, _ := f.face.GlyphDataOutline(id)
		advance := float64(f.face.HorizontalAdvance(id))
		s.Widths = append(s.Widths, advance/upem)
		file.add(outline.Segments, uint16(math.Round(advance*scale)))
	}
	s.Program = file.bytes()
	for i, v := range file.bounds.asList() {
		s.Bounds[i] = float64(v) / float64(unitsPerEm)
	}
	return s
}
