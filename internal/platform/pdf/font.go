package pdf

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"unicode/utf16"

	"github.com/go-text/typesetting/font"

	"konbit/internal/platform/typeset"
)

// usedFont is a font of the document. A glyph's code in the document is its number in the subset. A subset begins with
// the font's common characters; if the document has no others, everything that depends on them alone was written before.
type usedFont struct {
	font   *typeset.Font
	n      int // F1, F2, …
	object int
	common *commonFont
	codes  map[font.GID]int // of other glyphs than the common ones
	extra  []font.GID
	widths []float64
	texts  []string // that the other glyphs stand for
}

// commonFont is what documents share that need only the common characters of a font.
type commonFont struct {
	subset  typeset.Subset
	codes   map[font.GID]int
	program []byte // compressed
	length  int    // of the program before
	texts   []string
	unicode []byte // ToUnicode, compressed
	tag     string // see subsetTag
	widths  []byte // see widthsOf
}

// commonFonts has a *commonFont for each *typeset.Font.
var commonFonts sync.Map

func commonOf(f *typeset.Font) *commonFont {
	if c, ok := commonFonts.Load(f); ok {
		return c.(*commonFont)
	}
	c := &commonFont{subset: f.Common(), codes: map[font.GID]int{}}
	for i, id := range c.subset.Glyphs {
		c.codes[id] = i + 1
		c.texts = append(c.texts, f.CharacterOf(id))
	}
	if len(c.subset.Glyphs) > 0 {
		c.program, c.length = compressWell(c.subset.Program), len(c.subset.Program)
		c.unicode = compressWell(toUnicode(c.texts))
		c.tag, c.widths = subsetTag(c.subset), widthsOf(c.subset)
	}
	stored, _ := commonFonts.LoadOrStore(f, c)
	return stored.(*commonFont)
}

// font returns the document's entry of a font.
func (d *Document) font(f *typeset.Font) *usedFont {
	for _, used := range d.fonts {
		if used.font == f {
			return used
		}
	}
	used := &usedFont{font: f, n: len(d.fonts) + 1, common: commonOf(f), codes: map[font.GID]int{}}
	d.fonts = append(d.fonts, used)
	return used
}

// code returns a glyph's code.
func (u *usedFont) code(g typeset.Glyph) int {
	if code, ok := u.common.codes[g.ID]; ok {
		return code
	}
	code, ok := u.codes[g.ID]
	if !ok {
		u.extra = append(u.extra, g.ID)
		u.widths = append(u.widths, u.font.Width(g.ID))
		u.texts = append(u.texts, "")
		code = len(u.common.subset.Glyphs) + len(u.extra)
		u.codes[g.ID] = code
	}
	if i := code - len(u.common.subset.Glyphs) - 1; u.texts[i] == "" {
		u.texts[i] = g.Text
	}
	return code
}

// width returns the width of the glyph with a code, in ems.
func (u *usedFont) width(code int) float64 {
	n := len(u.common.subset.Widths)
	if code > n {
		return u.widths[code-n-1]
	}
	return u.common.subset.Widths[code-1]
}

// write writes the font's objects (ISO 32000-1, 9.7 and 9.9).
func (u *usedFont) write(f *file) {
	subset, program, length, unicode := u.common.subset, u.common.program, u.common.length, u.common.unicode
	tag, widths := u.common.tag, u.common.widths
	if len(u.extra) > 0 {
		subset = u.font.Subset(append(append([]font.GID{}, subset.Glyphs...), u.extra...))
		program, length = compress(subset.Program), len(subset.Program)
		unicode = compress(toUnicode(append(append([]string{}, u.common.texts...), u.texts...)))
		tag, widths = subsetTag(subset), widthsOf(subset)
	}
	name := tag + "+" + u.font.Name
	descendant, descriptor, embedded, mapping := f.next(), f.next(), f.next(), f.next()
	f.object(u.object, fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>",
		name, descendant, mapping))
	f.begin(descendant)
	f.printf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"+
		"/FontDescriptor %d 0 R/CIDToGIDMap/Identity/DW 0/W[1[", name, descriptor)
	f.Write(widths)
	f.write("]]>>")
	f.end()
	b, m := subset.Bounds, subset.Metrics
	f.object(descriptor, fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags 4/FontBBox[%.0f %.0f %.0f %.0f]/ItalicAngle 0/Ascent %.0f/Descent %.0f"+
		"/CapHeight 700/StemV 80/FontFile2 %d 0 R>>", name, b[0]*1000, b[1]*1000, b[2]*1000, b[3]*1000, m.Ascent*1000, m.Descent*1000, embedded))
	f.compressed(embedded, fmt.Sprintf("/Length1 %d", length), program)
	f.compressed(mapping, "", unicode)
}

// widthsOf returns the widths of a subset's glyphs in thousandths of an em.
func widthsOf(s typeset.Subset) (list []byte) {
	for i, w := range s.Widths {
		if i > 0 {
			list = append(list, ' ')
		}
		list = appendNumber(list, w*1000)
	}
	return list
}

// subsetTag returns the six letters that distinguish subsets of one font.
func subsetTag(s typeset.Subset) string {
	var ids []byte
	for _, id := range s.Glyphs {
		ids = append(ids, byte(id>>8), byte(id))
	}
	sum := sha256.Sum256(ids)
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + sum[i]%26
	}
	return string(tag)
}

// toUnicode returns the CMap from codes to text; the first text is that of code 1 (ISO 32000-1, 9.10.3). A glyph without
// text of its own, as the second of two that stand for one character, is a zero-width joiner.
func toUnicode(texts []string) []byte {
	b := []byte("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	const block = 100
	for start := 0; start < len(texts); start += block {
		some := texts[start:min(start+block, len(texts))]
		b = fmt.Appendf(b, "%d beginbfchar\n", len(some))
		for i, text := range some {
			if text == "" {
				text = "\u200d"
			}
			b = append(appendHex(append(b, '<'), start+i+1), "> <"...)
			for _, unit := range utf16.Encode([]rune(text)) {
				b = appendHex(b, int(unit))
			}
			b = append(b, ">\n"...)
		}
		b = append(b, "endbfchar\n"...)
	}
	return append(b, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"...)
}
