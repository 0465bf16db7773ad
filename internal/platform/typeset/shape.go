package typeset

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
)

// em is the size at which text is shaped: large, because the results are rounded to a 64th.
const em = 1000

// shaper shapes text that needs rules. It is not safe for concurrent use.
type shaper struct {
	fonts   *Fonts
	faces   map[*Font]*font.Face
	owners  map[*font.Font]*Font
	shape   shaping.HarfbuzzShaper
	split   shaping.Segmenter
	wrapper shaping.LineWrapper
}

func newShaper(f *Fonts) *shaper {
	return &shaper{fonts: f, faces: map[*Font]*font.Face{}, owners: map[*font.Font]*Font{}}
}

// chooser chooses the font of each character of one text.
type chooser struct {
	*shaper
	bold   bool
	region string
	script string
	last   *Font
}

// SetScript implements shaping.FontmapScript.
func (c *chooser) SetScript(s language.Script) { c.script = scriptNames()[s] }

// ResolveFace implements shaping.Fontmap. An accent is set in the font of its letter if that has it.
func (c *chooser) ResolveFace(r rune) *font.Face {
	if !(unicode.IsMark(r) && c.last.has(r)) {
		if found := c.fonts.find(r, c.script, c.region, c.bold); found != nil {
			c.last = found
		}
	}
	if c.last == nil {
		c.last = builtIn()[0]
	}
	return c.face(c.last)
}

func (s *shaper) face(f *Font) *font.Face {
	if s.faces[f] == nil {
		s.faces[f] = font.NewFace(f.font)
		s.owners[f.font] = f
	}
	return s.faces[f]
}

// lines shapes one paragraph. Its direction is that of its first letter with one (UAX #9, P2 and P3).
func (s *shaper) lines(text string, style Style, width float64) ([]Line, error) {
	runes := []rune(text)
	if len(runes) == 0 {
		return []Line{{}}, nil
	}
	direction := directionOf(runes)
	input := shaping.Input{
		Text: runes, RunEnd: len(runes), Direction: direction, Size: fixed.I(em), Language: language.NewLanguage(style.Language),
	}
	var shaped []shaping.Output
	for _, part := range s.split.Split(input, &chooser{shaper: s, bold: style.Bold, region: region(text)}) {
		run := s.shape.Shape(part)
		if len(run.Glyphs) == 0 { // invisible characters only; the line breaker expects a glyph
			run.Glyphs = []shaping.Glyph{{GlyphID: font.EmptyGlyph, ClusterIndex: part.RunStart, RuneCount: part.RunEnd - part.RunStart, GlyphCount: 1}}
		}
		shaped = append(shaped, run)
	}
	config := shaping.WrapConfig{Direction: direction, DisableTrailingWhitespaceTrim: false}
	wrapped, _ := s.wrapper.WrapParagraphF(config, fixed.Int26_6(width*em*64), runes, shaping.NewSliceIterator(shaped))
	lines := make([]Line, 0, len(wrapped))
	for _, line := range wrapped {
		done, err := s.line(line, runes)
		if err != nil {
			return nil, err
		}
		lines = append(lines, done)
	}
	return lines, nil
}

func directionOf(runes []rune) di.Direction {
	for _, r := range runes {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	return di.DirectionLTR
}

// line converts a shaped line: its runs are placed from left to right and returned in reading order.
func (s *shaper) line(shaped shaping.Line, runes []rune) (Line, error) {
	line := Line{Runs: make([]Run, len(shaped))}
	for _, run := range shaped {
		line.Text += string(runes[run.Runes.Offset : run.Runes.Offset+run.Runes.Count])
	}
	order := make([]int, len(shaped)) // by place from the left
	for i, run := range shaped {
		order[run.VisualIndex] = i
	}
	for _, i := range order {
		run, err := s.run(shaped[i], runes)
		if err != nil {
			return line, err
		}
		run.X = line.Width
		line.Width += run.Width
		line.Runs[i] = run
	}
	return line, nil
}

func (s *shaper) run(shaped shaping.Output, runes []rune) (Run, error) {
	from, to := shaped.Runes.Offset, shaped.Runes.Offset+shaped.Runes.Count
	run := Run{
		Font: s.owners[shaped.Face.Font], Text: string(runes[from:to]), Shaped: true, RTL: shaped.Direction == di.DirectionRTL, Width: ems(shaped.Advance),
	}
	for cluster := range clustersOf(shaped.Glyphs) {
		of := runes[cluster[0].TextIndex() : cluster[0].TextIndex()+cluster[0].RunesCount()]
		texts := run.Font.share(of, cluster)
		for i, g := range cluster {
			switch {
			case g.GlyphID == 0 && !strings.ContainsFunc(string(of), unicode.IsSpace):
				return run, &MissingError{Script: scriptOf(of[0])}
			case g.GlyphID == 0 || g.GlyphID == font.EmptyGlyph: // a space, or a character that only joins others
				if n := len(run.Glyphs); n > 0 {
					run.Glyphs[n-1].Advance += ems(g.Advance)
				}
			default:
				run.Glyphs = append(run.Glyphs, Glyph{ID: g.GlyphID, Text: texts[i], Advance: ems(g.Advance), DX: ems(g.XOffset), DY: ems(g.YOffset)})
			}
		}
	}
	return run, nil
}

// clustersOf yields the glyphs that stand for the same characters together.
func clustersOf(glyphs []shaping.Glyph) func(func([]shaping.Glyph) bool) {
	return func(yield func([]shaping.Glyph) bool) {
		for start := 0; start < len(glyphs); {
			end := start + 1
			for end < len(glyphs) && glyphs[end].TextIndex() == glyphs[start].TextIndex() {
				end++
			}
			if !yield(glyphs[start:end]) {
				return
			}
			start = end
		}
	}
}

// share returns the text of each glyph of a cluster: a character is the text of its own glyph, and the others are that of
// the first glyph that is left, or else of the first.
func (f *Font) share(cluster []rune, glyphs []shaping.Glyph) []string {
	texts, rest := make([]string, len(glyphs)), ""
	for _, r := range cluster {
		own, _ := f.font.NominalGlyph(r)
		i := slices.IndexFunc(glyphs, func(g shaping.Glyph) bool { return g.GlyphID == own })
		if i < 0 || texts[i] != "" {
			rest += string(r)
		} else {
			texts[i] = string(r)
		}
	}
	if i := max(0, slices.Index(texts, "")); rest != "" {
		texts[i] += rest
	}
	return texts
}

func ems(v fixed.Int26_6) float64 { return float64(v) / 64 / em }
