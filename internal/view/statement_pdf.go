package view

import (
	"fmt"
	"strconv"
	"strings"
)

// The widths of the table's columns, and where the footer begins, in millimetres.
const (
	dateColumn, receiptColumn, sumColumn = 40.0, 40.0, 28.0
	textColumn                           = textWidth - dateColumn - receiptColumn - sumColumn
	pageEnd                              = pageHeight - 24
)

// StatementPDF returns the statement as a document with the content of the email. A row is never divided between two
// pages, and each page repeats the table's head. It depends on s only: the same facts give the same bytes.
func (v *View) StatementPDF(s StatementWords) ([]byte, error) {
	d, err := v.statementData(s)
	if err != nil {
		return nil, err
	}
	document, err := v.typeset(func(face typesetter) *document { return v.statementDocument(d, face) })
	if err != nil {
		return nil, fmt.Errorf("view: statement of %d: %w", s.Year, err)
	}
	return document, nil
}

func (v *View) statementDocument(d statementData, face typesetter) *document {
	say := v.statementPhrases(d.StatementWords)
	page := newDocument(receiptData{
		ReceiptWords: ReceiptWords{Language: d.Language, Donee: d.Donee, Accent: d.Accent, Number: strconv.Itoa(d.Year),
			Organisation: d.Donee.Name, Charged: d.Issued},
	}, d.Title, face)
	page.gap = 0.6
	page.pdf.SetAutoPageBreak(false, 0)
	page.pdf.AliasNbPages("")
	page.pdf.SetFooterFunc(func() { page.pageFooter(d.Donee) })

	page.header(d.Title, d.Donee.Name)
	page.paragraph(bodySize, ink, say("dear", "name", d.Greeting))
	page.paragraph(bodySize, ink, d.Opening)
	for _, f := range d.Facts {
		page.fact(f)
	}
	page.heading(say("gifts"))
	head := []string{say("date"), say("for"), say("receipt"), say("amount")}
	page.tableHead(head)
	for _, row := range d.Rows {
		page.statementRow(head, row)
	}
	page.closeStatement(say("goods"), d.Law, say("closing")+"\n"+say("signature", "donee", d.Donee.Name))
	return page
}

func (s *document) tableHead(head []string) {
	s.font("B", smallSize)
	s.ink(soft)
	cells := make([]string, len(head))
	for i, word := range head {
		cells[i] = s.text(word)
	}
	s.columns(cells)
	s.pdf.Ln(lineHeight)
	s.rule()
}

// columns writes one line of the table from encoded cells; the last column is right-aligned.
func (s *document) columns(cells []string) {
	s.pdf.SetX(margin)
	for i, width := range []float64{dateColumn, textColumn, receiptColumn, sumColumn} {
		align := "L"
		if i == 3 {
			align = "R"
		}
		s.pdf.CellFormat(width, lineHeight, cells[i], "", 0, align, false, 0, "")
	}
}

// statementRow writes one row, on the next page if it does not fit on this one.
func (s *document) statementRow(head []string, row StatementRow) {
	s.font("", smallSize)
	lines := s.lines(row.Text, textColumn-4)
	if s.pdf.GetY()+s.gap*2+lineHeight*float64(len(lines)) > pageEnd {
		s.nextPage()
		s.tableHead(head)
		s.font("", smallSize)
	}
	s.pdf.SetY(s.pdf.GetY() + s.gap)
	s.ink(ink)
	for i, line := range lines {
		cells := []string{"", line, "", ""}
		if i == 0 {
			cells = []string{s.text(row.Date), line, s.text(row.Receipt), s.text(row.Amount)}
		}
		s.columns(cells)
		s.pdf.Ln(lineHeight)
	}
	s.rule()
}

// closeStatement writes the text below the table, all on one page.
func (s *document) closeStatement(goods, law, closing string) {
	const height = 62 // enough for the longest legal text
	if s.pdf.GetY()+height > pageEnd {
		s.nextPage()
	}
	s.pdf.Ln(5)
	s.font("B", smallSize)
	s.write(smallSize, ink, goods)
	s.paragraph(smallSize, soft, law)
	s.pdf.Ln(2)
	s.paragraph(bodySize, ink, closing)
}

func (s *document) nextPage() {
	s.pdf.AddPage()
	s.pdf.SetXY(margin, margin)
}

// pageFooter writes who received the gifts, and the page number.
func (s *document) pageFooter(d Donee) {
	s.pdf.SetXY(margin, pageHeight-18)
	s.ink(soft)
	s.font("", 8.4)
	words := strings.Join(append([]string{d.Name}, d.Address...), ", ") + ". EIN " + d.EIN
	s.pdf.CellFormat(textWidth-20, 4.4, s.text(words), "", 0, "L", false, 0, "")
	s.pdf.CellFormat(20, 4.4, strconv.Itoa(s.pdf.PageNo())+" / {nb}", "", 0, "R", false, 0, "")
}
