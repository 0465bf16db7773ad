package view

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
	pageWidth, pageHeight = 215.9, 279.4
	margin                = 24.0
	textWidth             = pageWidth - 2*margin
	lineHeight            = 5.6
	bodySize, smallSize   = 10.8, 9.2
	tinySize              = 8.4
	tinyLine              = 4.4
	between               = 4.0       // columns of a table
	mm                    = 72 / 25.4 // a millimetre in points
)

// The colours of static/app.css for light screens.
var (
	ink   = pdf.Colour{0x22, 0x1c, 0x15}
	soft  = pdf.Colour{0x5d, 0x52, 0x44}
	line  = pdf.Colour{0xd8, 0xcc, 0xb6}
	white = pdf.Colour{0xff, 0xff, 0xff}
)

// paperWords describe a document.
type paperWords struct {
	Title, Author, Subject string
	Language               phrase.Language
	Accent                 string
	Date                   time.Time
	Footer                 string
}

// paper is a document while it is written, from the top to the bottom of its pages.
type paper struct {
	pdf    *pdf.Document
	fonts  *typeset.Fonts
	words  paperWords
	page   int
	y      float64 // where the next line begins
	bottom float64 // where lines end
	gap    float64 // space above and below a row
	footer []typeset.Line
	onTurn func() // writes what a page begins with; nil: nothing
	set    map[setting][]typeset.Line
	err    error // the first one: a character that no font has
}

func (v *View) newPaper(w paperWords) *paper {
	s := &paper{
		pdf: pdf.New(pdf.Info{
			Title: w.Title, Author: w.Author, Subject: w.Subject, Language: string(w.Language), Created: w.Date, Width: pageWidth * mm, Height: pageHeight * mm,
		}),
		fonts: v.fonts, words: w, gap: 1.3, set: map[setting][]typeset.Line{},
	}
	s.footer = s.lines(w.Footer, false, tinySize, textWidth-20)
	s.bottom = pageHeight - 12 - tinyLine*float64(len(s.footer)) - 3
	s.pdf.AddPage()
	return s
}

// finish writes the foot of each page: who received the gifts and, with pages, the page's number. It is text on the last
// page and decoration on the others, so that it is read once.
func (s *paper) finish(pages bool) ([]byte, error) {
	if s.err != nil {
		return nil, s.err
	}
	total := s.pdf.Pages()
	foot := func() {
		for i, line := range s.footer {
			s.pdf.Text(margin*mm, (s.footTop()+tinyLine*float64(i+1))*mm, tinySize, soft, line)
		}
	}
	for n := range total {
		s.pdf.TurnTo(n)
		if n == total-1 {
			s.pdf.Open(pdf.Paragraph)
			foot()
			s.pdf.Close()
		} else {
			s.pdf.Decorate(foot)
		}
		if pages {
			s.pdf.Decorate(func() { s.pageNumber(n+1, total) })
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.pdf.Bytes()
}

func (s *paper) footTop() float64 { return s.bottom + 3 }

// setting is a text as it is set: what lines depends on.
type setting struct {
	text        string
	bold        bool
	size, width float64
}

// lines breaks text into lines of a width. A text is set once, however often it is measured.
func (s *paper) lines(text string, bold bool, size, width float64) []typeset.Line {
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

// widest returns the width of the widest of some texts on one line.
func (s *paper) widest(bold bool, size float64, texts ...string) (width float64) {
	for _, text := range texts {
		for _, line := range s.lines(text, bold, size, 10*textWidth) {
			width = max(width, line.Width*size/mm)
		}
	}
	return width
}

// cell is a text in a place of its own: a paragraph, or a cell of a row.
type cell struct {
	tag      pdf.Tag
	text     string
	bold     bool
	size     float64
	colour   pdf.Colour
	x, width float64
	height   float64 // of a line; 0: as usual for the size
	right    bool    // aligned to the right
}

func (c cell) lineHeight() float64 {
	if c.height > 0 {
		return c.height
	}
	return lineHeight * c.size / bodySize
}

// write writes cells beside each other, all from the present line on, and goes to the line below the longest. What does
// not fit on the page goes on on the next one.
func (s *paper) write(cells ...cell) {
	page, top := s.page, s.y
	endPage, end := page, top
	for _, c := range cells {
		s.turnTo(page, top)
		if c.tag != "" {
			s.pdf.Open(c.tag)
		}
		lines := s.lines(c.text, c.bold, c.size, c.width)
		if c.tag != "" && slices.ContainsFunc(lines, typeset.Line.IsShaped) {
			s.pdf.Say(c.text)
		}
		for _, line := range lines {
			if s.y+c.lineHeight() > s.bottom {
				s.turn()
			}
			x := c.x
			if c.right {
				x += c.width - line.Width*c.size/mm
			}
			s.pdf.Text(x*mm, (s.y+c.lineHeight()/2)*mm+0.3*c.size, c.size, c.colour, line)
			s.y += c.lineHeight()
		}
		if c.tag != "" {
			s.pdf.Close()
		}
		if s.page > endPage {
			endPage, end = s.page, s.y
		} else if s.page == endPage {
			end = max(end, s.y)
		}
	}
	s.turnTo(endPage, end)
}

// heightOf returns the height that cells need beside each other.
func (s *paper) heightOf(cells ...cell) (height float64) {
	for _, c := range cells {
		height = max(height, c.lineHeight()*float64(len(s.lines(c.text, c.bold, c.size, c.width))))
	}
	return height
}

// keep goes to the next page if a height does not fit on this one and fits on that.
func (s *paper) keep(height float64) {
	if s.y+height > s.bottom && height < s.bottom-2*margin {
		s.turn()
		if s.onTurn != nil {
			s.onTurn()
		}
	}
}

// turn goes to the top of the next page.
func (s *paper) turn() { s.turnTo(s.page+1, margin) }

func (s *paper) turnTo(page int, y float64) {
	if page != s.page {
		s.pdf.TurnTo(page)
	}
	s.page, s.y = page, y
}

// paragraph writes text in the regular font, followed by a gap.
func (s *paper) paragraph(size float64, c pdf.Colour, text string) { s.text(size, c, text, false) }

func (s *paper) text(size float64, c pdf.Colour, text string, bold bool) {
	s.write(cell{tag: pdf.Paragraph, text: text, bold: bold, size: size, colour: c, x: margin, width: textWidth})
	s.y += 2.4
}

func (s *paper) heading(text string) {
	s.keep(3.5 + 7 + 0.8 + 2*lineHeight) // with the first row below it
	s.y += 3.5
	s.write(cell{tag: pdf.Heading, text: text, bold: true, size: 13, colour: ink, x: margin, width: textWidth, height: 7})
	s.y += 0.8
}

// row writes cells of a table with a rule below.
func (s *paper) row(cells ...cell) {
	s.keep(s.heightOf(cells...) + 2*s.gap)
	s.pdf.Open(pdf.Row)
	s.y += s.gap
	s.write(cells...)
	s.y += s.gap
	s.pdf.Close()
	s.pdf.Decorate(s.rule)
}

// facts writes a table of labels and values. The labels' column is as wide as the widest, up to two fifths.
func (s *paper) facts(facts []Fact) {
	labels := make([]string, 0, len(facts))
	for _, f := range facts {
		labels = append(labels, f.Label)
	}
	column := min(max(48, s.widest(false, bodySize, labels...)+between), textWidth*0.4)
	s.pdf.Open(pdf.Table)
	for _, f := range facts {
		s.row(
			cell{tag: pdf.RowOf, text: f.Label, size: bodySize, colour: soft, x: margin, width: column - between},
			cell{tag: pdf.Cell, text: f.Value, bold: true, size: bodySize, colour: ink, x: margin + column, width: textWidth - column})
	}
	s.pdf.Close()
}

// purposes writes a table of funds, each with its part of the gift. An amount is never broken.
func (s *paper) purposes(lines []PurposeLine) {
	amounts := make([]string, 0, len(lines))
	for _, p := range lines {
		amounts = append(amounts, p.Amount)
	}
	column := max(32, s.widest(true, bodySize, amounts...))
	s.pdf.Open(pdf.Table)
	for _, p := range lines {
		s.row(
			cell{tag: pdf.RowOf, text: p.Text, size: bodySize, colour: ink, x: margin, width: textWidth - column - between},
			cell{tag: pdf.Cell, text: p.Amount, bold: true, size: bodySize, colour: ink, x: margin + textWidth - column, width: column, right: true})
	}
	s.pdf.Close()
}

// rule draws the thin line below a row.
func (s *paper) rule() { s.pdf.Rectangle(margin*mm, s.y*mm, textWidth*mm, 0.7, line) }

func (s *paper) pageNumber(n, total int) {
	text := strconv.Itoa(n) + " / " + strconv.Itoa(total)
	for _, line := range s.lines(text, false, tinySize, 20) {
		s.pdf.Text((pageWidth-margin)*mm-line.Width*tinySize, (s.footTop()+tinyLine)*mm, tinySize, soft, line)
	}
}

// header writes the organisation's name on its colour, with the pattern of stripes below.
func (s *paper) header(title, organisation string) {
	const nameLine = 9.6
	name := cell{tag: pdf.Paragraph, text: organisation, bold: true, size: 23, colour: white, x: margin, width: textWidth, height: nameLine}
	height := 23.4 + max(nameLine, s.heightOf(name)) + nameLine
	rgb := accent.Channels(s.words.Accent)
	ground := pdf.Colour{uint8(rgb[0]), uint8(rgb[1]), uint8(rgb[2])}
	s.pdf.Decorate(func() {
		s.pdf.Rectangle(0, 0, pageWidth*mm, height*mm, ground)
		const stripe, slant, depth = 3.2, 1.8, 4.0 // 35 of them fill the width
		points := []float64{-stripe, height, 0, height, -slant, height + depth, -stripe - slant, height + depth}
		s.pdf.Polygons(ground, 35, 2*stripe*mm, scaled(points)...)
	})
	s.y = 15
	s.write(cell{tag: pdf.Title, text: title, bold: true, size: bodySize, colour: white, x: margin, width: textWidth})
	s.y += 1.2
	s.write(name)
	s.y = height + 4 + 11
}

func scaled(points []float64) []float64 {
	points = slices.Clone(points)
	for i := range points {
		points[i] *= mm
	}
	return points
}
