package typeset

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
)

// Font is one weight of a typeface. It is safe for concurrent use.
type Font struct {
	Name    string // as a document names it: "LiberationSans-Bold"
	font    *font.Font
	face    *font.Face           // only for what it reads from font; its caches are not safe for concurrent use
	nominal map[rune]simpleGlyph // glyphs of characters that have one glyph; only for the built-in fonts
	common  sync.Map             // by language; see Common
}

type simpleGlyph struct {
	id      font.GID
	advance float64 // in ems
}

// builtIn are the regular and the bold font that every document can use.
var builtIn = sync.OnceValue(func() [2]*Font {
	return [2]*Font{
		newBuiltIn("LiberationSans", liberationsansregular.TTF), newBuiltIn("LiberationSans-Bold", liberationsansbold.TTF),
	}
})

func newBuiltIn(name string, file []byte) *Font {
	f := &Font{Name: name, nominal: map[rune]simpleGlyph{}}
	face, err := font.ParseTTF(bytes.NewReader(file))
	if err != nil {
		panic(fmt.Errorf("typeset: %s is part of the program and cannot be read: %w", name, err))
	}
	f.font, f.face = face.Font, face
	for all := f.font.Cmap.Iter(); all.Next(); {
		if r, id := all.Char(); standsAlone(r) && id != 0 {
			f.nominal[r] = simpleGlyph{id, float64(face.HorizontalAdvance(id)) / float64(f.font.Upem())}
		}
	}
	return f
}

// open reads a font file of this machine. From a collection it reads the font of a region or, without one, the first.
func open(path, name, region string) (*Font, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	members, err := opentype.NewLoaders(file)
	if err != nil {
		return nil, fmt.Errorf("typeset: %s: %w", path, err)
	}
	chosen := members[0]
	if len(members) > 1 {
		for _, m := range members {
			family, _ := font.Describe(m, nil)
			if strings.HasSuffix(family.Family, " "+region) && !strings.Contains(family.Family, "Mono") {
				chosen, name = m, strings.Replace(name, "-", region+"-", 1)
				break
			}
		}
	}
	parsed, err := font.NewFont(chosen)
	if err != nil {
		return nil, fmt.Errorf("typeset: %s: %w", path, err)
	}
	return &Font{Name: name, font: parsed, face: font.NewFace(parsed)}, nil
}

// has reports whether the font has a glyph for a character.
func (f *Font) has(r rune) bool {
	if f == nil {
		return false
	}
	if _, ok := f.nominal[r]; ok {
		return true
	}
	id, ok := f.font.NominalGlyph(r)
	return ok && id != 0
}

// Metrics are measures of a font in ems.
type Metrics struct {
	Ascent, Descent float64 // Descent is negative
}

// Metrics returns the font's measures.
func (f *Font) Metrics() Metrics {
	m := Metrics{0.9, -0.2}
	if e, ok := f.face.FontHExtents(); ok {
		m = Metrics{float64(e.Ascender) / float64(f.font.Upem()), float64(e.Descender) / float64(f.font.Upem())}
	}
	return m
}

// Width returns the width of a glyph in ems.
func (f *Font) Width(id font.GID) float64 {
	return float64(f.face.HorizontalAdvance(id)) / float64(f.font.Upem())
}
