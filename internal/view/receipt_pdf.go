package view

import (
	"fmt"
	"strings"

	"konbit/internal/view/document"
)

// ReceiptPDF returns the receipt as a document with the content of the email, on one page if it fits. It depends on r and
// the fonts only: the same facts give the same bytes. Its date of creation is the date of the charge. It reports a
// *typeset.MissingError if the fonts lack one of its characters.
func (v *View) ReceiptPDF(r ReceiptWords) ([]byte, error) {
	if _, err := v.receiptTemplates(r); err != nil {
		return nil, err
	}
	document, err := v.receiptDocument(v.receiptData(r))
	if err != nil {
		return nil, fmt.Errorf("view: receipt %s: %w", r.Number, err)
	}
	return document, nil
}

// rowGaps are the spaces above and below rows, in millimetres: the first with which the receipt fits on one page is used.
var rowGaps = []float64{1.3, 0.6, 0.1}

func (v *View) receiptDocument(d receiptData) ([]byte, error) {
	var s *document.Paper
	for _, gap := range rowGaps {
		if s = v.writeReceipt(d, gap); s.Page == 0 {
			break
		}
	}
	return s.Finish(s.Page > 0)
}

func (v *View) writeReceipt(d receiptData, gap float64) *document.Paper {
	say := v.receiptPhrases(d.ReceiptWords)
	s := document.New(v.fonts, document.Words{
		Title: say("title") + " " + d.Number, Author: d.Donee.Name, Subject: d.Organisation, Language: d.Language, Accent: d.Accent, Date: d.Charged,
		Footer: footerOf(d.Donee, "\n"),
	})
	s.Gap = gap
	s.Header(say("title"), d.Organisation)
	v.writeReceiptBody(s, d)
	return s
}

// writeReceiptBody writes what a receipt says below its head.
func (v *View) writeReceiptBody(s *document.Paper, d receiptData) {
	say := v.receiptPhrases(d.ReceiptWords)
	s.Paragraph(document.BodySize, document.Ink, say("dear", "name", d.Greeting))
	if d.Replaces == nil {
		s.Paragraph(document.BodySize, document.Ink, say("thanks", "amount", d.Total, "organisation", d.Organisation, "date", d.Date))
	} else {
		s.Paragraph(document.BodySize, document.Ink, say("replaces", "number", d.Replaces.Number, "organisation", d.Organisation, "date", d.Date)+
			" "+v.revisionReason(d, "because.", *d.Replaces))
	}
	s.Heading(say("facts"))
	s.Facts(d.Facts)
	s.Heading(say("purpose"))
	s.Purposes(d.Lines)
	s.Y += 5
	if d.Version == 1 {
		s.Text(document.SmallSize, document.Ink, say("goods"), true)
	} else {
		for _, text := range d.Goods {
			s.Paragraph(document.SmallSize, document.Ink, text)
		}
	}
	s.Paragraph(document.SmallSize, document.Soft, say("exempt", "donee", d.Donee.Name))
	if d.Sponsored {
		s.Paragraph(document.SmallSize, document.Soft, say("control_sponsored", "organisation", d.Organisation, "donee", d.Donee.Name))
	} else {
		s.Paragraph(document.SmallSize, document.Soft, say("control_own", "donee", d.Donee.Name))
	}
	s.Y += 2
	s.Paragraph(document.BodySize, document.Ink, say("closing")+"\n"+say("signature", "organisation", d.Organisation))
}

// footerOf returns who received the gifts.
func footerOf(d Donee, beforeEIN string) string {
	return strings.Join(append([]string{d.Name}, d.Address...), ", ") + beforeEIN + "EIN " + d.EIN
}
