package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"konbit/internal/platform/typeset"
)

// Info describes a document.
type Info struct {
	Title, Author, Subject string
	Language               string // "es"
	Created                time.Time
	Width, Height          float64
}

// Document is a document while it is written. It is not safe for concurrent use.
type Document struct {
	info    Info
	pages   []*page
	current *page
	root    *element
	open    *element // nil: none
	fonts   []*usedFont
	err     error
}

type page struct {
	content bytes.Buffer
	marked  []*element // by number of the marked content (MCID)
	within  *element   // whose marked content is open; nil: none
	n       int        // object number
	inked   bool       // a colour was set
	ink     Colour
}

// Colour is red, green and blue.
type Colour [3]uint8

// New begins a document without pages.
func New(info Info) *Document {
	d := &Document{info: info, root: &element{tag: "Document"}}
	d.open = d.root
	return d
}

// AddPage begins a page.
func (d *Document) AddPage() { d.TurnTo(len(d.pages)) }

// TurnTo goes on writing on a page, counted from 0; on a new one after the last.
func (d *Document) TurnTo(n int) {
	d.leaveMarked()
	if n == len(d.pages) {
		p := &page{}
		p.content.Grow(16 << 10)
		d.pages = append(d.pages, p)
	}
	d.current = d.pages[n]
}

// Pages returns the number of pages.
func (d *Document) Pages() int { return len(d.pages) }

// Decorate draws what has no meaning of its own, such as rules and the numbers of pages.
func (d *Document) Decorate(draw func()) {
	d.leaveMarked()
	was := d.open
	d.open = nil
	d.current.content.WriteString("/Artifact BMC\n")
	draw()
	d.current.content.WriteString("EMC\n")
	d.open = was
}

// Rectangle fills a rectangle. It is decoration.
func (d *Document) Rectangle(x, y, width, height float64, c Colour) {
	d.fill(c)
	d.put(x, d.info.Height-y-height, width, height)
	d.current.content.WriteString("re f\n")
}

// Polygons fills n equal polygons, each dx to the right of the one before. The first is given by x and y of its points in
// turn. They are decoration.
func (d *Document) Polygons(c Colour, n int, dx float64, points ...float64) {
	d.fill(c)
	content := &d.current.content
	content.WriteString("q\n")
	for range n {
		for i := 0; i+1 < len(points); i += 2 {
			d.put(points[i], d.info.Height-points[i+1])
			content.WriteString(map[bool]string{true: "m ", false: "l "}[i == 0])
		}
		content.WriteString("f\n1 0 0 1 ")
		d.put(dx, 0)
		content.WriteString("cm\n")
	}
	content.WriteString("Q\n")
}

func (d *Document) fill(c Colour) {
	if d.open != nil {
		d.fail(errors.New("a shape is drawn outside Decorate"))
	}
	d.colour(c)
}

func (d *Document) colour(c Colour) {
	if d.current.inked && d.current.ink == c {
		return
	}
	for _, v := range c {
		d.current.content.Write(appendNumber(nil, float64(v)/255, 3))
		d.current.content.WriteByte(' ')
	}
	d.current.content.WriteString("rg\n")
	d.current.ink, d.current.inked = c, true
}

func (d *Document) put(values ...float64) {
	b := d.current.content.AvailableBuffer()
	for _, v := range values {
		b = append(appendNumber(b, v, 2), ' ')
	}
	d.current.content.Write(b)
}

func (d *Document) fail(err error) {
	if d.err == nil {
		d.err = fmt.Errorf("pdf: %w", err)
	}
}

// Text draws a line of text with its baseline at y.
func (d *Document) Text(x, y, size float64, c Colour, line typeset.Line) {
	d.mark()
	for _, run := range line.Runs {
		if len(run.Glyphs) > 0 {
			d.run(x+run.X*size, d.info.Height-y, size, c, run)
		}
	}
}

// run draws a run. The text of one whose glyphs do not tell it is given beside them, for programs that copy text; for screen
// readers, the element gives it too (Say). Text from right to left is not given beside: programs that copy text reverse such
// runs themselves, and would reverse that text too.
func (d *Document) run(x, y, size float64, c Colour, run typeset.Run) {
	p := d.current
	beside := run.Shaped && !run.RTL
	if beside {
		p.content.WriteString("/Span <</ActualText " + textString(run.Text) + ">> BDC\n")
	}
	p.content.WriteString("BT\n")
	d.colour(c)
	var font *usedFont
	pen, drawn := 0.0, -1.0 // where the next glyph belongs, and where it would be drawn, in ems
	var codes []byte
	flush := func() {
		if len(codes) > 0 {
			p.content.WriteByte('(')
			p.content.Write(codes)
			p.content.WriteString(") Tj\n")
			codes = codes[:0]
		}
	}
	raised := 0.0
	for _, g := range run.Glyphs {
		at := pen + g.DX
		if diff := at - drawn; diff > 0.0005 || diff < -0.0005 || g.DY != raised {
			flush()
			p.content.WriteString("1 0 0 1 ")
			d.put(x+at*size, y+g.DY*size)
			p.content.WriteString("Tm\n")
			drawn, raised = at, g.DY
		}
		use, code, width := d.code(run.Font, g)
		if use != font {
			flush()
			font = use
			fmt.Fprintf(&p.content, "/F%d ", font.n)
			d.put(size)
			p.content.WriteString("Tf\n")
		}
		if font.common == nil {
			codes = appendEscaped(codes, byte(code>>8))
		}
		codes = appendEscaped(codes, byte(code))
		drawn += width
		pen += g.Advance
	}
	flush()
	p.content.WriteString("ET\n")
	if beside {
		p.content.WriteString("EMC\n")
	}
}
