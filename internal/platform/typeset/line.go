package typeset

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-text/typesetting/font"
)

// Glyph is a drawn sign. Its measures are in ems.
type Glyph struct {
	ID      font.GID
	Text    string  // the characters it stands for; empty: the glyph before it stands for them too
	Advance float64 // from its origin to that of the next glyph
	DX, DY  float64 // from its origin to where it is drawn; DY is upwards
}

// Run is text in one font and direction.
type Run struct {
	Font   *Font
	Text   string  // in reading order
	Shaped bool    // the text cannot be derived from the glyphs alone
	RTL    bool    // its glyphs, from left to right, are in the opposite order of its text
	Glyphs []Glyph // from left to right
	X      float64 // where it begins in the line, in ems
	Width  float64 // in ems
}

// Line is one line of text. Its runs are in reading order.
type Line struct {
	Runs  []Run
	Text  string
	Width float64 // in ems, without the space at its end
}

// IsShaped reports whether the line has text that cannot be derived from its glyphs alone.
func (l Line) IsShaped() bool {
	return slices.ContainsFunc(l.Runs, func(r Run) bool { return r.Shaped })
}

// Style is how text is set.
type Style struct {
	Bold     bool
	Language string // of the words around names: "es"
}

// Lines breaks text into lines of at most width ems. A line break in the text ends a line. A word that is longer than a
// line is broken after a hyphen, if any, or anywhere. It reports a *MissingError if no font has one of the characters.
func (f *Fonts) Lines(text string, style Style, width float64) ([]Line, error) {
	own := builtIn()[0]
	if style.Bold {
		own = builtIn()[1]
	}
	var lines []Line
	for paragraph := range strings.SplitSeq(text, "\n") {
		if line, ok := own.simple(paragraph); ok {
			lines = append(lines, breakSimple(line, width)...)
			continue
		}
		printed, err := f.printable(paragraph, style.Bold)
		if err != nil {
			return nil, err
		}
		shaper := f.shapers.Get().(*shaper)
		shaped, err := shaper.lines(printed, style, width)
		f.shapers.Put(shaper)
		if err != nil {
			return nil, err
		}
		lines = append(lines, shaped...)
	}
	return lines, nil
}

// simple returns text as one line if each of its characters stands for one glyph of the font.
func (f *Font) simple(text string) (Line, bool) {
	run := Run{Font: f, Text: text, Glyphs: make([]Glyph, 0, len(text))}
	for i, r := range text {
		g, ok := f.nominal[r]
		if !ok {
			return Line{}, false
		}
		run.Glyphs = append(run.Glyphs, Glyph{ID: g.id, Text: text[i : i+utf8.RuneLen(r)], Advance: g.advance})
		run.Width += g.advance
	}
	return Line{Runs: []Run{run}, Text: text, Width: run.Width}, true
}

// breakSimple breaks a line at its spaces, and in a longer word after hyphens or anywhere. The space stays at the line's
// end, so that copied text has it.
func breakSimple(line Line, width float64) []Line {
	if line.Width <= width {
		return []Line{line}
	}
	glyphs, font := line.Runs[0].Glyphs, line.Runs[0].Font
	var lines []Line
	start, space, hyphen, used := 0, -1, -1, 0.0
	for i := 0; i < len(glyphs); i++ {
		g := glyphs[i]
		if g.Text != " " && used+g.Advance > width && i > start {
			end := i
			switch {
			case space >= start:
				end = space + 1
			case hyphen >= start:
				end = hyphen + 1
			}
			lines = append(lines, lineOf(font, glyphs[start:end]))
			start, used, i = end, 0, end-1
			continue
		}
		used += g.Advance
		switch g.Text {
		case " ":
			space = i
		case "-", "/", "@":
			hyphen = i
		}
	}
	return append(lines, lineOf(font, glyphs[start:]))
}

func lineOf(font *Font, glyphs []Glyph) Line {
	run := Run{Font: font, Glyphs: glyphs}
	var text strings.Builder
	var trailing float64
	for _, g := range glyphs {
		text.WriteString(g.Text)
		run.Width += g.Advance
		if trailing += g.Advance; g.Text != " " {
			trailing = 0
		}
	}
	run.Text = text.String()
	return Line{Runs: []Run{run}, Text: run.Text, Width: run.Width - trailing}
}
