package pdf

import (
	"crypto/sha256"
	"fmt"
	"sync"
	"unicode/utf16"

	"github.com/go-text/typesetting/font"
	"golang.org/x/text/encoding/charmap"

	"konbit/internal/platform/deflate"
	"konbit/internal/platform/typeset"
)

// usedFont is a font of the document. The common characters of a typeface are one, the same in every document of the
// language; its codes are those of WinAnsiEncoding. The other glyphs that a document needs of the typeface are another
// one, whose codes are the numbers of the glyphs.
type usedFont struct {
	font   *typeset.Font
	n      int // F1, F2, …
	object int
	common *commonFont // nil: a font of this document
	codes  map[font.GID]int
	glyphs []font.GID
	texts  []string // text of each glyph
}

// commonFont is what documents of a language share.
type commonFont struct {
	typeset.Common
	codes   map[font.GID]int
	widths  map[int]float64 // by code
	program []byte          // compressed
	tag     string          // see subsetTag
	list    []byte          // of widths, from that of code first to that of code last
	first   int
	last    int
}

type commonKey struct {
	font     *typeset.Font
	language string
}

// commonFonts has a *commonFont for each commonKey.
var commonFonts sync.Map

func commonOf(f *typeset.Font, language string) *commonFont {
	key := commonKey{f, language}
	if c, ok := commonFonts.Load(key); ok {
		return c.(*commonFont)
	}
	c := &commonFont{Common: *f.Common(language), codes: map[font.GID]int{}, widths: map[int]float64{}}
	for i, id := range c.Glyphs {
		if code, ok := charmap.Windows1252.EncodeRune(c.Characters[i]); ok {
			c.codes[id], c.widths[int(code)] = int(code), c.Widths[i]
			c.last = max(c.last, int(code))
			if c.first == 0 || int(code) < c.first {
				c.first = int(code)
			}
		}
	}
	if len(c.codes) > 0 {
		c.program, c.tag = deflate.Compress(c.Program), subsetTag(c.Subset)
		all := make([]float64, 0, c.last-c.first+1)
		for code := c.first; code <= c.last; code++ {
			all = append(all, c.widths[code])
		}
		c.list = widthsOf(all)
	}
	stored, _ := commonFonts.LoadOrStore(key, c)
	return stored.(*commonFont)
}

// code returns the document's font that has a glyph of a typeface, its code there and its width in ems.
func (d *Document) code(f *typeset.Font, g typeset.Glyph) (u *usedFont, code int, width float64) {
	common := commonOf(f, d.info.Language)
	if code, ok := common.codes[g.ID]; ok {
		return d.font(f, common), code, common.widths[code]
	}
	u = d.font(f, nil)
	code, ok := u.codes[g.ID]
	if !ok {
		u.glyphs, u.texts = append(u.glyphs, g.ID), append(u.texts, "")
		code = len(u.glyphs)
		u.codes[g.ID] = code
	}
	if u.texts[code-1] == "" {
		u.texts[code-1] = g.Text
	}
	return u, code, f.Width(g.ID)
}

// font returns the document's entry of a typeface: of its common characters, or of other glyphs.
func (d *Document) font(f *typeset.Font, common *commonFont) *usedFont {
	for _, used := range d.fonts {
		if used.font == f && used.common == common {
			return used
		}
	}
	used := &usedFont{font: f, n: len(d.fonts) + 1, common: common, codes: map[font.GID]int{}}
	d.fonts = append(d.fonts, used)
	return used
}

// write writes the font's objects (ISO 32000-1, 9.6, 9.7 and 9.9).
func (u *usedFont) write(f *file) {
	if c := u.common; c != nil {
		descriptor, embedded := f.next(), f.next()
		name := c.tag + "+" + u.font.Name
		f.object(u.object, fmt.Sprintf("<</Type/Font/Subtype/TrueType/BaseFont/%s/Encoding/WinAnsiEncoding/FontDescriptor %d 0 R"+
			"/FirstChar %d/LastChar %d/Widths[%s]>>", name, descriptor, c.first, c.last, c.list))
		describe(f, descriptor, embedded, name, nonsymbolic, c.Subset, c.program)
		return
	}
	subset := u.font.Subset(u.glyphs)
	name := subsetTag(subset) + "+" + u.font.Name
	descendant, descriptor, embedded, mapping := f.next(), f.next(), f.next(), f.next()
	f.object(u.object, fmt.Sprintf("<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>",
		name, descendant, mapping))
	f.object(descendant, fmt.Sprintf("<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"+
		"/FontDescriptor %d 0 R/CIDToGIDMap/Identity/DW 0/W[1[%s]]>>", name, descriptor, widthsOf(subset.Widths)))
	describe(f, descriptor, embedded, name, symbolic, subset, deflate.Compress(subset.Program))
	f.stream(mapping, "", deflate.Compress(toUnicode(u.texts)))
}

// The flags of a font: whether its codes are those of a standard encoding.
const (
	symbolic    = 4
	nonsymbolic = 32
)

// describe writes a font's descriptor and its program, which is compressed.
func describe(f *file, descriptor, embedded int, name string, flags int, s typeset.Subset, program []byte) {
	b, m := s.Bounds, s.Metrics
	f.object(descriptor, fmt.Sprintf("<</Type/FontDescriptor/FontName/%s/Flags %d/FontBBox[%.0f %.0f %.0f %.0f]/ItalicAngle 0/Ascent %.0f/Descent %.0f"+
		"/CapHeight 700/StemV 80/FontFile2 %d 0 R>>", name, flags, b[0]*1000, b[1]*1000, b[2]*1000, b[3]*1000, m.Ascent*1000, m.Descent*1000, embedded))
	f.stream(embedded, fmt.Sprintf("/Length1 %d", len(s.Program)), program)
}

// widthsOf returns widths in thousandths of an em.
func widthsOf(widths []float64) (list []byte) {
	for i, w := range widths {
		if i > 0 {
			list = append(list, ' ')
		}
		list = appendNumber(list, w*1000, 4)
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
