// Package document sets the pages of papers: receipts, letters and statements as PDF. It knows no words.
package document

import (
	"slices"
	"strconv"
	"time"

	"konbit/internal/platform/pdf"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/typeset"
	"konbit/internal/view/accent"
)

// Measures of the document: millimetres on a US Letter page; font sizes in points.
const (
	PageWidth, PageHeight = 215.9, 279.4
	Margin                = 24.0
	TextWidth             = PageWidth - 2*Margin
	LineHeight            = 5.6
	BodySize, SmallSize   = 10.8, 9.2
	TinySize              = 8.4
	TinyLine              = 4.4
	Between               = 4.0       // columns of a table
	mm                    = 72 / 25.4 // a millimetre in points
)

// The colours of static/app.css for light screens.
var (
	Ink   = pdf.Colour{0x22, 0x1c, 0x15}
	Soft  = pdf.Colour{0x5d, 0x52, 0x44}
	line  = pdf.Colour{0xd8, 0xcc, 0xb6}
	white = pdf.Colour{0xff, 0xff, 0xff}
)

// Words describe a document.
type Words struct {
	Title, Author, Subject string
	Language               phrase.Language
	Accent                 string
	Date                   time.Time
	Footer                 string
}

// Paper is a document while it is written, from the top to the bottom of its pages.
type Paper struct {
	PDF    *pdf.Document
	fonts  *typeset.Fonts
	words  Words
	Page   int
	Y      float64 // where the next line begins
	Bottom float64 // where lines end
	Gap    float64 // space above and below a row
	footer []typeset.Line
	OnTurn func() // writes what a page begins with; nil: nothing
	set    map[setting][]typeset.Line
	err    error // the first one: a character that no font has
}

// New begins a document.
func New(fonts *typeset.Fonts, w Words) *Paper {
	s := &Paper{
		PDF: pdf.New(pdf.Info{
			Title: w.Title, Author: w.Author, Subject: w.Subject, Language: string(w.Language), Created: w.Date, Width: PageWidth * mm, Height: PageHeight * mm,
		}),
		fonts: fonts, words: w, Gap: 1.3, set: map[setting][]typeset.Line{},
	}
	s.footer = s.lines(w.Footer, false, TinySize, TextWidth-20)
	s.Bottom = PageHeight - 12 - TinyLine*float64(len(s.footer)) - 3
	s.PDF.AddPage()
	return s
}

// Finish writes the foot of each page: who received the gifts and, with pages, the page's number. It is text on the last
// page and decoration on the others, so that it is read once.
func (s *Paper) Finish(pages bool) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	total := s.PDF.Pages()
	foot := func() {
		for i, line := range s.footer {
			s.PDF.Text(Margin*mm, (s.footTop()+TinyLine*float64(i+1))*mm, TinySize, Soft, line)
		}
	}
	for n := range total {
		s.PDF.TurnTo(n)
		if n == total-1 {
			s.PDF.Open(pdf.Paragraph)
			foot()
			s.PDF.Close()
		} else {
			s.PDF.Decorate(foot)
		}
		if pages {
			s.PDF.Decorate(func() { s.pageNumber(n+1, total) })
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.PDF.Bytes()
}

func (s *Paper) footTop() float64 { return s.Bottom + 3 }

// setting is a text as it is set: what lines depends on.
type setting struct {
	text        string
	bold        bool
	size, width float64
}

// lines breaks text into lines of a width. A text is set once, however often it is measured.
func (s *Paper) lines(text string, bold bool, size, width float64) []typeset.Line {
	key := setting{text, bold, size, width}
	if lines, ok := s.set[key]; ok {
		return lines
	}
	lines, err := s.fonts.Lines(text, typeset.Style{Bold: bold, Language: string(s.words.Language)}, width*mm/size)
	if err != nil && s.err == nil {
		s.err = err
	}
	s.set[key] = lines
	return lines
}

// Widest returns the width of the widest of some texts on one line.
func (s *Paper) Widest(bold bool, size float64, texts ...string) (width float64) {
	for _, text := range texts {
		for _, line := range s.lines(text, bold, size, 10*TextWidth) {
			width = max(width, line.Width*size/mm)
		}
	}
	return width
}

// Cell is a text in a place of its own: a paragraph, or a cell of a row.
type Cell struct {
	Tag      pdf.Tag
	Text     string
	Bold     bool
	Size     float64
	Colour   pdf.Colour
	X, Width float64
	Height   float64 // of a line; 0: as usual for the size
	Right    bool    // aligned to the right
}

func (c Cell) lineHeight() float64 {
	if c.Height > 0 {
		return c.Height
	}
	return LineHeight * c.Size / BodySize
}

// Write writes cells beside each other, all from the present line on, and goes to the line below the longest. What does
// not fit on the page goes on on the next one.
func (s *Paper) Write(cells ...Cell) {
	page, top := s.Page, s.Y
	endPage, end := page, top
	for _, c := range cells {
		s.TurnTo(page, top)
		if c.Tag != "" {
			s.PDF.Open(c.Tag)
		}
		lines := s.lines(c.Text, c.Bold, c.Size, c.Width)
		if c.Tag != "" && slices.ContainsFunc(lines, typeset.Line.IsShaped) {
			s.PDF.Say(c.Text)
		}
		for _, line := range lines {
			if s.Y+c.lineHeight() > s.Bottom {
				s.turn()
			}
			x := c.X
			if c.Right {
				x += c.Width - line.Width*c.Size/mm
			}
			s.PDF.Text(x*mm, (s.Y+c.lineHeight()/2)*mm+0.3*c.Size, c.Size, c.Colour, line)
			s.Y += c.lineHeight()
		}
		if c.Tag != "" {
			s.PDF.Close()
		}
		if s.Page > endPage {
			endPage, end = s.Page, s.Y
		} else if s.Page == endPage {
			end = max(end, s.Y)
		}
	}
	s.TurnTo(endPage, end)
}

// HeightOf returns the height that cells need beside each other.
func (s *Paper) HeightOf(cells ...Cell) (height float64) {
	for _, c := range cells {
		height = max(height, c.lineHeight()*float64(len(s.lines(c.Text, c.Bold, c.Size, c.Width))))
	}
	return height
}

// Keep goes to the next page if a height does not fit on this one and fits on that.
func (s *Paper) Keep(height float64) {
	if s.Y+height > s.Bottom && height < s.Bottom-2*Margin {
		s.turn()
		if s.OnTurn != nil {
			s.OnTurn()
		}
	}
}

// turn goes to the top of the next page.
func (s *Paper) turn() { s.TurnTo(s.Page+1, Margin) }

func (s *Paper) TurnTo(page int, y float64) {
	if page != s.Page {
		s.PDF.TurnTo(page)
	}
	s.Page, s.Y = page, y
}

// Paragraph writes text in the regular font, followed by a gap.
func (s *Paper) Paragraph(size float64, c pdf.Colour, text string) { s.Text(size, c, text, false) }

func (s *Paper) Text(size float64, c pdf.Colour, text string, bold bool) {
	s.Write(Cell{Tag: pdf.Paragraph, Text: text, Bold: bold, Size: size, Colour: c, X: Margin, Width: TextWidth})
	s.Y += 2.4
}

func (s *Paper) Heading(text string) {
	s.Keep(3.5 + 7 + 0.8 + 2*LineHeight) // with the first row below it
	s.Y += 3.5
	s.Write(Cell{Tag: pdf.Heading, Text: text, Bold: true, Size: 13, Colour: Ink, X: Margin, Width: TextWidth, Height: 7})
	s.Y += 0.8
}

// Row writes cells of a table with a rule below.
func (s *Paper) Row(cells ...Cell) {
	s.Keep(s.HeightOf(cells...) + 2*s.Gap)
	s.PDF.Open(pdf.Row)
	s.Y += s.Gap
	s.Write(cells...)
	s.Y += s.Gap
	s.PDF.Close()
	s.PDF.Decorate(s.Rule)
}

// Facts writes a table of labels and values. The labels' column is as wide as the widest, up to two fifths.
func (s *Paper) Facts(facts []Fact) {
	labels := make([]string, 0, len(facts))
	for _, f := range facts {
		labels = append(labels, f.Label)
	}
	column := min(max(48, s.Widest(false, BodySize, labels...)+Between), TextWidth*0.4)
	s.PDF.Open(pdf.Table)
	for _, f := range facts {
		s.Row(
			Cell{Tag: pdf.RowOf, Text: f.Label, Size: BodySize, Colour: Soft, X: Margin, Width: column - Between},
			Cell{Tag: pdf.Cell, Text: f.Value, Bold: true, Size: BodySize, Colour: Ink, X: Margin + column, Width: TextWidth - column})
	}
	s.PDF.Close()
}

// Purposes writes a table of funds, each with its part of the gift. An amount is never broken.
func (s *Paper) Purposes(lines []Line) {
	amounts := make([]string, 0, len(lines))
	for _, p := range lines {
		amounts = append(amounts, p.Amount)
	}
	column := max(32, s.Widest(true, BodySize, amounts...))
	s.PDF.Open(pdf.Table)
	for _, p := range lines {
		s.Row(
			Cell{Tag: pdf.RowOf, Text: p.Text, Size: BodySize, Colour: Ink, X: Margin, Width: TextWidth - column - Between},
			Cell{Tag: pdf.Cell, Text: p.Amount, Bold: true, Size: BodySize, Colour: Ink, X: Margin + TextWidth - column, Width: column, Right: true})
	}
	s.PDF.Close()
}

// Rule draws the thin line below a row.
func (s *Paper) Rule() { s.PDF.Rectangle(Margin*mm, s.Y*mm, TextWidth*mm, 0.7, line) }

func (s *Paper) pageNumber(n, total int) {
	text := strconv.Itoa(n) + " / " + strconv.Itoa(total)
	for _, line := range s.lines(text, false, TinySize, 20) {
		s.PDF.Text((PageWidth-Margin)*mm-line.Width*TinySize, (s.footTop()+TinyLine)*mm, TinySize, Soft, line)
	}
}

// Header writes the organisation's name on its colour, with the pattern of stripes below.
func (s *Paper) Header(title, organisation string) {
	const nameLine = 9.6
	name := Cell{Tag: pdf.Paragraph, Text: organisation, Bold: true, Size: 23, Colour: white, X: Margin, Width: TextWidth, Height: nameLine}
	height := 23.4 + max(nameLine, s.HeightOf(name)) + nameLine
	rgb := accent.Channels(s.words.Accent)
	ground := pdf.Colour{uint8(rgb[0]), uint8(rgb[1]), uint8(rgb[2])}
	s.PDF.Decorate(func() {
		s.PDF.Rectangle(0, 0, PageWidth*mm, height*mm, ground)
		const stripe, slant, depth = 3.2, 1.8, 4.0 // 35 of them fill the width
		points := []float64{-stripe, height, 0, height, -slant, height + depth, -stripe - slant, height + depth}
		s.PDF.Polygons(ground, 35, 2*stripe*mm, scaled(points)...)
	})
	s.Y = 15
	s.Write(Cell{Tag: pdf.Title, Text: title, Bold: true, Size: BodySize, Colour: white, X: Margin, Width: TextWidth})
	s.Y += 1.2
	s.Write(name)
	s.Y = height + 4 + 11
}

func scaled(points []float64) []float64 {
	points = slices.Clone(points)
	for i := range points {
		points[i] *= mm
	}
	return points
}

// Fact is a row of a two-column list.
type Fact struct{ Label, Value string }

// Line is a text with an amount.
type Line struct{ Text, Amount string }
