// Package dossier writes a document of labels and values under headings: what is known about one thing, for people outside.
package dossier

import (
	"slices"
	"time"

	"konbit/internal/platform/pdf"
	"konbit/internal/platform/typeset"
)

// Dossier is a document.
type Dossier struct {
	Title    string
	Author   string // the organisation
	Language string
	Created  time.Time
	Lead     string // below the title
	Sections []Section
}

// Section is a heading with its rows.
type Section struct {
	Heading string
	Rows    []Row
	Empty   string // what stands there without rows
}

// Row is a label and a value, and an amount at the right, if there is one.
type Row struct{ Label, Value, Amount string }

// Measures in points, on a US Letter page.
const (
	width, height = 612, 792
	margin        = 64
	column        = 170 // of labels
	amounts       = 110 // of amounts
	size, leading = 10, 14
)

var (
	ink  = pdf.Colour{0x22, 0x1c, 0x15}
	soft = pdf.Colour{0x5d, 0x52, 0x44}
	rule = pdf.Colour{0xd8, 0xcc, 0xb6}
)

// writer is a document while it is written, from the top to the bottom of its pages.
type writer struct {
	Dossier
	pdf   *pdf.Document
	fonts *typeset.Fonts
	page  int
	y     float64
	err   error
}

// PDF returns the document. It reports a *typeset.MissingError if the fonts lack one of its characters.
func (d Dossier) PDF(fonts *typeset.Fonts) ([]byte, error) {
	w := &writer{Dossier: d, fonts: fonts, y: margin, pdf: pdf.New(pdf.Info{
		Title: d.Title, Author: d.Author, Subject: d.Title, Language: d.Language, Created: d.Created, Width: width, Height: height,
	})}
	w.pdf.AddPage()
	w.text(pdf.Title, 17, true, ink, d.Title)
	w.y += 4
	w.text(pdf.Paragraph, size, false, soft, d.Lead)
	for _, s := range d.Sections {
		w.keep(5 * leading)
		w.y += leading
		w.text(pdf.Heading, 12.5, true, ink, s.Heading)
		w.y += 2
		if len(s.Rows) == 0 {
			w.text(pdf.Paragraph, size, false, soft, s.Empty)
			continue
		}
		w.pdf.Open(pdf.Table)
		for _, row := range s.Rows {
			w.row(row)
		}
		w.pdf.Close()
	}
	if w.err != nil {
		return nil, w.err
	}
	return w.pdf.Bytes()
}

func (w *writer) lines(text string, bold bool, points, wide float64) []typeset.Line {
	lines, err := w.fonts.Lines(text, typeset.Style{Bold: bold, Language: w.Language}, wide/points)
	if err != nil && w.err == nil {
		w.err = err
	}
	return lines
}

// keep goes to the next page if a height does not fit on this one.
func (w *writer) keep(space float64) {
	if w.y+space > height-margin {
		w.page++
		w.pdf.TurnTo(w.page)
		w.y = margin
	}
}

// element writes lines as one element of the document.
func (w *writer) element(tag pdf.Tag, text string, lines []typeset.Line, x, y, points float64, c pdf.Colour) {
	w.pdf.Open(tag)
	if slices.ContainsFunc(lines, typeset.Line.IsShaped) {
		w.pdf.Say(text)
	}
	for i, line := range lines {
		w.pdf.Text(x, y+points+float64(i)*points*1.4, points, c, line)
	}
	w.pdf.Close()
}

func (w *writer) text(tag pdf.Tag, points float64, bold bool, c pdf.Colour, text string) {
	lines := w.lines(text, bold, points, width-2*margin)
	w.keep(float64(len(lines)) * points * 1.4)
	w.element(tag, text, lines, margin, w.y, points, c)
	w.y += float64(len(lines)) * points * 1.4
}

// maxLines is how many lines of a value a row has: what a donor typed may be long, and a row is never divided.
const maxLines = 40

func (w *writer) row(r Row) {
	wide := float64(width - 2*margin - column)
	var amount []typeset.Line
	if r.Amount != "" {
		wide -= amounts
		amount = w.lines(r.Amount, true, size, amounts)
	}
	label, value := w.lines(r.Label, false, size, column-10), w.lines(r.Value, true, size, wide)
	value = value[:min(len(value), maxLines)]
	space := float64(max(len(label), len(value)))*leading + 5
	w.keep(space)
	w.pdf.Open(pdf.Row)
	w.element(pdf.RowOf, r.Label, label, margin, w.y, size, soft)
	w.element(pdf.Cell, r.Value, value, margin+column, w.y, size, ink)
	if len(amount) > 0 {
		w.element(pdf.Cell, r.Amount, amount, width-margin-amount[0].Width*size, w.y, size, ink)
	}
	w.pdf.Close()
	w.y += space
	w.pdf.Decorate(func() { w.pdf.Rectangle(margin, w.y-3, width-2*margin, 0.6, rule) })
}
