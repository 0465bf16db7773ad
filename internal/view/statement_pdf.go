package view

import (
	"konbit/internal/platform/pdf"
	"konbit/internal/view/document"
)

// StatementPDF returns the statement as a document with the content of the email. A row is never divided between two
// pages, and each page repeats the table's head. It depends on s and the fonts only: the same facts give the same bytes.
// It reports a *typeset.MissingError if the fonts lack one of its characters.
func (v *View) StatementPDF(s StatementWords) ([]byte, error) {
	d, err := v.statementData(s)
	if err != nil {
		return nil, err
	}
	say := v.statementPhrases(d.StatementWords)
	p := document.New(v.fonts, document.Words{
		Title: d.Title, Author: d.Donee.Name, Subject: d.Donee.Name, Language: d.Language, Accent: d.Accent,
		Date: d.Issued, Footer: footerOf(d.Donee, ". "),
	})
	p.Gap = 0.6
	p.Header(d.Title, d.Donee.Name)
	p.Paragraph(document.BodySize, document.Ink, say("dear", "name", d.Greeting))
	p.Paragraph(document.BodySize, document.Ink, d.Opening)
	p.Facts(d.Facts)
	head := [4]string{say("date"), say("for"), say("receipt"), say("amount")}
	if len(d.Parts) == 0 {
		p.Heading(say("gifts"))
		writeGifts(p, head, d.Rows)
	}
	for _, part := range d.Parts { // of one name
		p.Heading(part.Name)
		p.Facts(part.Facts)
		writeGifts(p, head, part.Rows)
	}
	closeStatement(p, d.Goods, d.Law, say("closing")+"\n"+say("signature", "donee", d.Donee.Name))
	return p.Finish(true)
}

// giftColumns are the widths of the table's columns: date, purpose, receipt, amount.
type giftColumns [4]float64

// giftColumnsOf measures the columns. Date and amount are as wide as their widest text and are never broken. A long
// receipt number is broken after its hyphens, so that a third of the rest stays for the purpose.
func giftColumnsOf(s *document.Paper, head [4]string, rows []StatementRow) giftColumns {
	texts := [4][]string{}
	for _, r := range rows {
		for i, text := range []string{r.Date, r.Text, r.Receipt, r.Amount} {
			texts[i] = append(texts[i], text)
		}
	}
	var c giftColumns
	for i := range c {
		c[i] = max(s.Widest(false, document.SmallSize, texts[i]...), s.Widest(true, document.SmallSize, head[i]))
	}
	rest := document.TextWidth - c[0] - c[3] - 3*document.Between
	c[2] = min(c[2], rest*2/3)
	c[1] = rest - c[2]
	return c
}

// cells returns the cells of a line of the table.
func (c giftColumns) cells(texts [4]string, head bool) []document.Cell {
	x, cells := document.Margin, make([]document.Cell, 0, len(texts))
	for i, text := range texts {
		one := document.Cell{Tag: pdf.Cell, Text: text, Size: document.SmallSize, Colour: document.Ink, X: x, Width: c[i], Height: document.LineHeight,
			Right: i == len(texts)-1}
		if head {
			one.Tag, one.Bold, one.Colour = pdf.ColumnOf, true, document.Soft
		}
		cells = append(cells, one)
		x += c[i] + document.Between
	}
	return cells
}

// writeGifts writes the table of gifts.
func writeGifts(s *document.Paper, head [4]string, rows []StatementRow) {
	columns := giftColumnsOf(s, head, rows)
	s.PDF.Open(pdf.Table)
	s.Row(columns.cells(head, true)...)
	s.OnTurn = func() {
		s.PDF.Decorate(func() {
			again := columns.cells(head, true)
			for i := range again {
				again[i].Tag = ""
			}
			s.Write(again...)
			s.Y += s.Gap
			s.Rule()
		})
	}
	for _, r := range rows {
		s.Row(columns.cells([4]string{r.Date, r.Text, r.Receipt, r.Amount}, false)...)
	}
	s.PDF.Close()
	s.OnTurn = nil
}

// closeStatement writes the text below the table, all on one page.
func closeStatement(s *document.Paper, goods, law, closing string) {
	below := func(size float64, bold bool, text string) document.Cell {
		return document.Cell{Text: text, Bold: bold, Size: size, X: document.Margin, Width: document.TextWidth}
	}
	s.Keep(5 + s.HeightOf(below(document.SmallSize, true, goods)) + s.HeightOf(below(document.SmallSize, false,
		law)) + 2 + s.HeightOf(below(document.BodySize, false, closing)) + 3*2.4)
	s.Y += 5
	if goods != "" {
		s.Text(document.SmallSize, document.Ink, goods, true)
	}
	s.Paragraph(document.SmallSize, document.Soft, law)
	s.Y += 2
	s.Paragraph(document.BodySize, document.Ink, closing)
}
