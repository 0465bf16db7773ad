package pdf

import (
	"errors"
	"fmt"
	"strconv"
)

// Tag is the kind of an element (ISO 32000-1, 14.8.4).
type Tag string

// The kinds of elements.
const (
	Title     Tag = "H1"
	Heading   Tag = "H2"
	Paragraph Tag = "P"
	Table     Tag = "Table"
	Row       Tag = "TR"
	Cell      Tag = "TD"
	ColumnOf  Tag = "TH Column" // a header cell of the cells below
	RowOf     Tag = "TH Row"    // a header cell of the cells beside it
)

// element is a part of the document in the order in which it is read.
type element struct {
	tag    Tag
	parent *element
	kids   []kid
	says   string // the text in reading order, if the content does not tell it
	n      int    // object number
}

// kid is an element, or marked content on a page.
type kid struct {
	element *element
	page    *page
	mcid    int
}

// Open begins an element within the open one.
func (d *Document) Open(tag Tag) {
	d.leaveMarked()
	e := &element{tag: tag, parent: d.open}
	if d.open == nil {
		d.fail(errors.New("an element is opened inside Decorate"))
		return
	}
	d.open.kids = append(d.open.kids, kid{element: e})
	d.open = e
}

// Say sets the text that programs read for the open element. Use it if the glyphs are in another order.
func (d *Document) Say(text string) { d.open.says = text }

// Close ends the element that was opened last.
func (d *Document) Close() {
	d.leaveMarked()
	if d.open == nil || d.open.parent == nil {
		d.fail(errors.New("no element is open"))
		return
	}
	d.open = d.open.parent
}

// mark makes what is drawn next the content of the open element.
func (d *Document) mark() {
	p := d.current
	if d.open == nil || p.within == d.open {
		return // decoration, or marked already
	}
	if d.open == d.root {
		d.fail(errors.New("text is drawn outside an element"))
	}
	d.leaveMarked()
	mcid := len(p.marked)
	tag, _ := d.open.tag.split()
	fmt.Fprintf(&p.content, "/%s <</MCID %d>> BDC\n", tag, mcid)
	p.marked = append(p.marked, d.open)
	d.open.kids = append(d.open.kids, kid{page: p, mcid: mcid})
	p.within = d.open
}

func (d *Document) leaveMarked() {
	if d.current != nil && d.current.within != nil {
		d.current.content.WriteString("EMC\n")
		d.current.within = nil
	}
}

// split returns the tag's name and, of a header cell, what it is a header of.
func (t Tag) split() (name, scope string) {
	if len(t) > 3 && t[:3] == "TH " {
		return "TH", string(t[3:])
	}
	return string(t), ""
}

// number gives the element and those within it object numbers.
func (e *element) number(next func() int) {
	e.n = next()
	for _, k := range e.kids {
		if k.element != nil {
			k.element.number(next)
		}
	}
}

// write writes the element and those within it.
func (e *element) write(f *file, parent int) {
	name, scope := e.tag.split()
	f.begin(e.n)
	f.printf("<</S/%s/P %d 0 R", name, parent)
	if scope != "" {
		f.printf("/A<</O/Table/Scope/%s>>", scope)
	}
	if e.says != "" {
		f.write("/ActualText" + textString(e.says))
	}
	var on *page // the page of the element's first content
	for _, k := range e.kids {
		if k.page != nil {
			on = k.page
			f.printf("/Pg %d 0 R", on.n)
			break
		}
	}
	f.write("/K[")
	for i, k := range e.kids {
		if i > 0 {
			f.write(" ")
		}
		switch {
		case k.element != nil:
			f.write(strconv.Itoa(k.element.n) + " 0 R")
		case k.page == on:
			f.write(strconv.Itoa(k.mcid))
		default:
			f.printf("<</Type/MCR/Pg %d 0 R/MCID %d>>", k.page.n, k.mcid)
		}
	}
	f.write("]>>")
	f.end()
	for _, k := range e.kids {
		if k.element != nil {
			k.element.write(f, e.n)
		}
	}
}
