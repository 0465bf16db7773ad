package view

import (
	"fmt"
	"strings"
	"time"

	"konbit/internal/platform/pdf"
	"konbit/internal/platform/phrase"
	"konbit/internal/view/document"
)

// Printed is a paper to be printed: a receipt or a letter of thanks. One of them is not nil.
type Printed struct {
	Receipt  *ReceiptWords
	Postal   []string // lines of the donor's address, of a receipt
	ThankYou *ThankYouWords
}

// PrintedPapers describe a document of papers to be printed.
type PrintedPapers struct {
	Title    string
	Language phrase.Language
	Donee    Donee
	Date     time.Time
}

// PrintedPDF returns papers as one document. Each begins on a page of its own, with the address where the window of an envelope
// is when the sheet is folded in three (US no. 10, double window).
func (v *View) PrintedPDF(about PrintedPapers, papers []Printed) ([]byte, error) {
	s := document.New(v.fonts, document.Words{
		Title: about.Title, Author: about.Donee.Name, Subject: about.Title, Language: about.Language, Accent: DefaultAccent, Date: about.Date,
		Footer: strings.Join(append([]string{about.Donee.Name}, v.Postal(about.Language, about.Donee.Address)...), ", "),
	})
	s.Gap = windowGap
	for i, p := range papers {
		if i > 0 {
			s.PDF.AddPage()
			s.TurnTo(s.PDF.Pages()-1, document.Margin)
		}
		if p.ThankYou != nil {
			v.writeThankYou(s, v.thankYouData(*p.ThankYou))
			continue
		}
		if _, err := v.receiptTemplates(*p.Receipt); err != nil {
			return nil, err
		}
		d := v.receiptData(*p.Receipt)
		window(s, v.Postal(d.Language, d.Donee.Address), d.Donee.Name, append([]string{d.Donor}, v.Postal(d.Language, p.Postal)...))
		v.writeReceiptBody(s, d)
	}
	document, err := s.Finish(false)
	if err != nil {
		return nil, fmt.Errorf("view: papers to print: %w", err)
	}
	return document, nil
}

// Where the windows of an envelope are, in millimetres from the sheet's top and left: the sender's, and the recipient's.
const (
	windowLeft     = 16.0
	senderTop      = 15.0
	recipientTop   = 50.0
	belowWindows   = 96.0 // the first fold is at 93
	windowWidth    = 90.0
	windowLine     = 4.6
	windowGap      = 0.4 // above and below a row: a receipt for one fund is one page
	recipientLines = 5
)

// window writes who sends the sheet, and to whom, and goes below the first fold.
func window(s *document.Paper, sender []string, name string, recipient []string) {
	block := func(top, size float64, lines []string) {
		s.Y = top
		for _, text := range lines {
			s.Write(document.Cell{Tag: pdf.Paragraph, Text: text, Size: size, Colour: document.Ink, X: windowLeft, Width: windowWidth, Height: windowLine})
		}
	}
	block(senderTop, document.TinySize, append([]string{name}, sender...))
	block(recipientTop, document.BodySize, recipient[:min(len(recipient), recipientLines)])
	s.Y = belowWindows
}
