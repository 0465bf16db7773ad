package view

import "konbit/internal/platform/pdf"

// StatementPDF returns the statement as a document with the content of the email. A row is never divided between two
// pages, and each page repeats the table's head. It depends on s and the fonts only: the same facts give the same bytes.
// It reports a *typeset.MissingError if the fonts lack one of its characters.
func (v *View) StatementPDF(s StatementWords) ([]byte, error) {
	d, err := v.statementData(s)
	if err != nil {
		return nil, err
	}
	say := v.statementPhrases(d.StatementWords)
	p := v.newPaper(paperWords{
		Title: d.Title, Author: d.Donee.Name, Subject: d.Donee.Name, Language: d.Language, Accent: d.Accent,
		Date: d.Issued, Footer: footerOf(d.Donee, ". "),
	})
	p.gap = 0.6
	p.header(d.Title, d.Donee.Name)
	p.paragraph(bodySize, ink, say("dear", "name", d.Greeting))
	p.paragraph(bodySize, ink, d.Opening)
	p.facts(d.Facts)
	head := [4]string{say("date"), say("for"), say("receipt"), say("amount")}
	if len(d.Parts) == 0 {
		p.heading(say("gifts"))
		p.gifts(head, d.Rows)
	}
	for _, part := range d.Parts { // of one name
		p.heading(part.Name)
		p.facts(part.Facts)
		p.gifts(head, part.Rows)
	}
	p.closeStatement(d.Goods, d.Law, say("closing")+"\n"+say("signature", "donee", d.Donee.Name))
	return p.finish(true)
}

// giftColumns are the widths of the table's columns: date, purpose, receipt, amount.
type giftColumns [4]float64

// giftColumns measures the columns. Date and amount are as wide as their widest text and are never broken. A long
// receipt number is broken after its hyphens, so that a third of the rest stays for the purpose.
func (s *paper) giftColumns(head [4]string, rows []StatementRow) giftColumns {
	texts := [4][]string{}
	for _, r := range rows {
		for i, text := range []string{r.Date, r.Text, r.Receipt, r.Amount} {
			texts[i] = append(texts[i], text)
		}
	}
	var c giftColumns
	for i := range c {
		c[i] = max(s.widest(false, smallSize, texts[i]...), s.widest(true, smallSize, head[i]))
	}
	rest := textWidth - c[0] - c[3] - 3*between
	c[2] = min(c[2], rest*2/3)
	c[1] = rest - c[2]
	return c
}

// cells returns the cells of a line of the table.
func (c giftColumns) cells(texts [4]string, head bool) []cell {
	x, cells := margin, make([]cell, 0, len(texts))
	for i, text := range texts {
		one := cell{tag: pdf.Cell, text: text, size: smallSize, colour: ink, x: x, width: c[i], height: lineHeight, right: i == len(texts)-1}
		if head {
			one.tag, one.bold, one.colour = pdf.ColumnOf, true, soft
		}
		cells = append(cells, one)
		x += c[i] + between
	}
	return cells
}

// gifts writes the table of gifts.
func (s *paper) gifts(head [4]string, rows []StatementRow) {
	columns := s.giftColumns(head, rows)
	s.pdf.Open(pdf.Table)
	s.row(columns.cells(head, true)...)
	s.onTurn = func() {
		s.pdf.Decorate(func() {
			again := columns.cells(head, true)
			for i := range again {
				again[i].tag = ""
			}
			s.write(again...)
			s.y += s.gap
			s.rule()
		})
	}
	for _, r := range rows {
		s.row(columns.cells([4]string{r.Date, r.Text, r.Receipt, r.Amount}, false)...)
	}
	s.pdf.Close()
	s.onTurn = nil
}

// closeStatement writes the text below the table, all on one page.
func (s *paper) closeStatement(goods, law, closing string) {
	below := func(size float64, bold bool, text string) cell {
		return cell{text: text, bold: bold, size: size, x: margin, width: textWidth}
	}
	s.keep(5 + s.heightOf(below(smallSize, true, goods)) + s.heightOf(below(smallSize, false, law)) + 2 + s.heightOf(below(bodySize, false, closing)) + 3*2.4)
	s.y += 5
	if goods != "" {
		s.text(smallSize, ink, goods, true)
	}
	s.paragraph(smallSize, soft, law)
	s.y += 2
	s.paragraph(bodySize, ink, closing)
}
