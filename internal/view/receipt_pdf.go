package view

import (
	"fmt"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/text/unicode/norm"
)

// Measures of the document: millimetres on a US Letter page; font sizes in points.
const (
	pageWidth, pageHeight = 215.9, 279.4
	margin                = 24.0
	textWidth             = pageWidth - 2*margin
	lineHeight            = 5.6
	bodySize, smallSize   = 10.8, 9.2
)

// ReceiptPDF returns the receipt as a document of one page with the content of the email. It depends on r only: the
// same facts give the same bytes. Its date of creation is the date of the charge.
func (v *View) ReceiptPDF(r ReceiptWords) ([]byte, error) {
	if _, err := v.receiptTemplates(r); err != nil {
		return nil, err
	}
	d := v.receiptData(r)
	document, err := v.typeset(func(face typesetter) *document { return v.receiptDocument(d, face) })
	if err != nil {
		return nil, fmt.Errorf("view: receipt %s: %w", r.Number, err)
	}
	return document, nil
}

func (v *View) receiptDocument(d receiptData, face typesetter) *document {
	say := v.receiptPhrases(d.ReceiptWords)
	s := newDocument(d, say("title"), face)

	s.header(say("title"), d.Organisation)
	s.paragraph(bodySize, ink, say("dear", "name", d.Greeting))
	if d.Replaces == nil {
		s.paragraph(bodySize, ink, say("thanks", "amount", d.Total, "organisation", d.Organisation, "date", d.Date))
	} else {
		s.paragraph(bodySize, ink, say("replaces", "number", d.Replaces.Number, "organisation", d.Organisation, "date", d.Date)+
			" "+v.revisionReason(d, "because.", *d.Replaces))
	}

	s.heading(say("facts"))
	for _, f := range d.Facts {
		s.fact(f)
	}
	s.heading(say("purpose"))
	for _, line := range d.Lines {
		s.purpose(line)
	}
	s.pdf.Ln(5)
	s.font("B", smallSize)
	s.write(smallSize, ink, say("goods"))
	s.paragraph(smallSize, soft, say("exempt", "donee", d.Donee.Name))
	if d.Sponsored {
		s.paragraph(smallSize, soft, say("control_sponsored", "organisation", d.Organisation, "donee", d.Donee.Name))
	} else {
		s.paragraph(smallSize, soft, say("control_own", "donee", d.Donee.Name))
	}
	s.pdf.Ln(2)
	s.paragraph(bodySize, ink, say("closing")+"\n"+say("signature", "organisation", d.Organisation))
	s.footer(d.Donee)
	return s
}

// document is the PDF while it is written.
type document struct {
	pdf          *fpdf.Fpdf
	face         typesetter
	accent       colour
	gap          float64 // space above and below a row, in millimetres
	glyphMissing bool    // the typeface lacks a character of the text
}

// text returns text in the encoding of the document.
func (s *document) text(written string) string {
	printed := s.face.printable(written)
	s.glyphMissing = s.glyphMissing || printed != norm.NFC.String(written)
	return s.face.encode(printed)
}

// lines breaks text into lines of a width in millimetres, in the encoding of the document.
func (s *document) lines(written string, width float64) (lines []string) {
	text := s.text(written)
	if s.face.font != nil {
		return s.pdf.SplitText(text, width)
	}
	for _, line := range s.pdf.SplitLines([]byte(text), width) {
		lines = append(lines, string(line))
	}
	return lines
}

type colour [3]int

// The colours of static/app.css for light screens.
var (
	ink   = colour{0x22, 0x1c, 0x15}
	soft  = colour{0x5d, 0x52, 0x44}
	line  = colour{0xd8, 0xcc, 0xb6}
	white = colour{0xff, 0xff, 0xff}
)

func newDocument(d receiptData, title string, face typesetter) *document {
	rgb := channels(d.Accent)
	s := &document{
		pdf:    fpdf.New("P", "mm", "Letter", ""),
		face:   face,
		accent: colour{int(rgb[0]), int(rgb[1]), int(rgb[2])},
		gap:    1.3,
	}
	if len(d.Facts)+len(d.Lines) > 9 {
		s.gap = 0.6 // so that the receipt fits on one page
	}
	s.pdf.SetCatalogSort(true) // without it the bytes differ from run to run
	s.pdf.SetCreationDate(d.Charged)
	s.pdf.SetModificationDate(d.Charged)
	s.pdf.SetTitle(title+" "+d.Number, true)
	s.pdf.SetAuthor(d.Donee.Name, true)
	s.pdf.SetSubject(d.Organisation, true)
	s.pdf.SetLang(string(d.Language))
	// Without an embedded font there is little to compress, and compression takes most of the time.
	s.pdf.SetCompression(face.font != nil)
	if face.font != nil {
		s.pdf.AddUTF8FontFromBytes(face.name, "", face.regular)
		s.pdf.AddUTF8FontFromBytes(face.name, "B", face.bold)
	}
	s.pdf.SetMargins(margin, margin, margin)
	s.pdf.SetAutoPageBreak(true, 12)
	s.pdf.AddPage()
	return s
}

func (s *document) font(cut string, size float64) { s.pdf.SetFont(s.face.name, cut, size) }

func (s *document) ink(c colour) { s.pdf.SetTextColor(c[0], c[1], c[2]) }

// header writes the organisation's name on its colour, with the pattern of stripes below.
func (s *document) header(title, organisation string) {
	s.font("B", 23)
	name := strings.Join(s.lines(organisation, textWidth), "\n")
	height := 33 + 9.6*float64(1+strings.Count(name, "\n"))
	s.pdf.SetFillColor(s.accent[0], s.accent[1], s.accent[2])
	s.pdf.Rect(0, 0, pageWidth, height, "F")
	const stripe, slant, depth = 3.2, 1.8, 4.0
	for x := -stripe; x < pageWidth+stripe; x += 2 * stripe {
		s.pdf.Polygon([]fpdf.PointType{
			{X: x, Y: height}, {X: x + stripe, Y: height},
			{X: x + stripe - slant, Y: height + depth}, {X: x - slant, Y: height + depth},
		}, "F")
	}
	s.ink(white)
	s.pdf.SetXY(margin, 15)
	s.font("B", bodySize)
	s.pdf.MultiCell(textWidth, lineHeight, s.text(title), "", "L", false)
	s.pdf.SetXY(margin, s.pdf.GetY()+1.2)
	s.font("B", 23)
	s.pdf.MultiCell(textWidth, 9.6, name, "", "L", false)
	s.pdf.SetXY(margin, height+depth+11)
}

// paragraph writes text in the regular font, followed by a gap.
func (s *document) paragraph(size float64, c colour, text string) {
	s.font("", size)
	s.write(size, c, text)
}

// write writes text in the current font, followed by a gap.
func (s *document) write(size float64, c colour, text string) {
	s.ink(c)
	s.pdf.MultiCell(textWidth, lineHeight*size/bodySize, s.text(text), "", "L", false)
	s.pdf.Ln(2.4)
}

func (s *document) heading(text string) {
	s.pdf.Ln(3.5)
	s.ink(ink)
	s.font("B", 13)
	s.pdf.MultiCell(textWidth, 7, s.text(text), "", "L", false)
	s.pdf.Ln(0.8)
}

// fact writes a row of label and value.
func (s *document) fact(f Fact) {
	const column = 48
	top := s.pdf.GetY() + s.gap
	s.pdf.SetXY(margin, top)
	s.ink(soft)
	s.font("", bodySize)
	s.pdf.CellFormat(column, lineHeight, s.text(f.Label), "", 0, "L", false, 0, "")
	s.ink(ink)
	s.font("B", bodySize)
	s.pdf.MultiCell(textWidth-column, lineHeight, s.text(f.Value), "", "L", false)
	s.rule()
}

// purpose writes a row with a fund and, at the right, its part of the gift.
func (s *document) purpose(p PurposeLine) {
	const column = 32
	top := s.pdf.GetY() + s.gap
	s.pdf.SetXY(pageWidth-margin-column, top)
	s.ink(ink)
	s.font("B", bodySize)
	s.pdf.CellFormat(column, lineHeight, s.text(p.Amount), "", 0, "R", false, 0, "")
	s.pdf.SetXY(margin, top)
	s.font("", bodySize)
	s.pdf.MultiCell(textWidth-column, lineHeight, s.text(p.Text), "", "L", false)
	s.rule()
}

// rule draws the thin line below a row.
func (s *document) rule() {
	y := s.pdf.GetY() + s.gap
	s.pdf.SetDrawColor(line[0], line[1], line[2])
	s.pdf.SetLineWidth(0.25)
	s.pdf.Line(margin, y, pageWidth-margin, y)
	s.pdf.SetXY(margin, y)
}

// footer writes who received the gift, at the bottom of the page.
func (s *document) footer(d Donee) {
	words := strings.Join(append([]string{d.Name}, d.Address...), ", ")
	s.pdf.SetAutoPageBreak(false, 0)
	s.pdf.SetXY(margin, pageHeight-18)
	s.ink(soft)
	s.font("", 8.4)
	s.pdf.MultiCell(textWidth, 4.4, s.text(words+"\nEIN "+d.EIN), "", "L", false)
}
