package typeset

import (
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

// Common returns the subset of the characters of most names, computed once; without glyphs for a font that is not
// built in.
func (f *Font) Common() Subset {
	if f.common == nil {
		return Subset{}
	}
	return f.common()
}

// Subset returns the font with some of its glyphs.
func (f *Font) Subset(glyphs []font.GID) Subset {
	upem := float64(f.font.Upem())
	s := Subset{Glyphs: glyphs, Metrics: f.Metrics()}
	file := trueType{unitsPerEm: f.font.Upem(), ascent: int16(s.Metrics.Ascent * upem), descent: int16(s.Metrics.Descent * upem)}
	file.add(nil, 0)
	for _, id := range glyphs {
		outline, _ := f.face.GlyphDataOutline(id)
		advance := f.face.HorizontalAdvance(id)
		s.Widths = append(s.Widths, float64(advance)/upem)
		file.add(outline.Segments, uint16(advance))
	}
	s.Program = file.bytes()
	for i, v := range file.bounds.asList() {
		s.Bounds[i] = float64(v) / upem
	}
	return s
}
