package view

import (
	"time"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view/document"
)

// ThankYouWords are the facts of a letter of thanks for a gift that has no receipt.
type ThankYouWords struct {
	Language     phrase.Language
	Kind         string // daf, foundation, employer_match or in_kind; with _adviser to whom the gift is credited
	Donee        Donee
	Organisation string // in Language
	Accent       string // #rrggbb; empty: DefaultAccent

	To, Greeting string   // Greeting is empty: To
	Postal       []string // lines of the address; the document shows it in the window of an envelope
	Other        string   // to the donor: who advised the gift; to that person: the donor; empty: nobody is named
	Amount       money.Amount
	Described    string // in place of an amount
	Received     time.Time
	Purposes     []Purpose
}

// thankYouData is what the templates and the document read.
type thankYouData struct {
	ThankYouWords
	Subject    string
	Paragraphs []string
}

func (v *View) thankYouData(w ThankYouWords) thankYouData {
	if _, written := v.thankYouEmails[w.Language]; !written {
		w.Language = phrase.English
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	if w.Greeting == "" {
		w.Greeting = w.To
	}
	say := func(key string, args ...any) string { return v.Phrase(w.Language, "thanks.v1."+key, args...) }
	gift := w.Described
	if gift == "" {
		gift = w.Amount.FormatExact(string(w.Language))
	}
	d := thankYouData{ThankYouWords: w, Subject: say("subject", "organisation", w.Organisation)}
	key := w.Kind
	if w.Other == "" {
		key += "_unnamed"
	}
	d.Paragraphs = []string{say(key, "gift", gift, "organisation", w.Organisation, "date", phrase.Date(w.Language, w.Received), "other", w.Other, "to", w.To)}
	for _, p := range w.Purposes {
		text := p.Fund
		if p.Purpose != "" {
			text = say("purpose_line", "fund", p.Fund, "purpose", p.Purpose)
		}
		if len(w.Purposes) > 1 && w.Described == "" {
			text += ": " + p.Amount.FormatExact(string(w.Language))
		}
		d.Paragraphs = append(d.Paragraphs, say("for", "purpose", text))
	}
	if w.Kind == "in_kind" {
		d.Paragraphs = append(d.Paragraphs, say("no_value"))
	}
	d.Paragraphs = append(d.Paragraphs, say("work"))
	return d
}

// ThankYouEmail returns the subject, plain text and HTML of a letter of thanks. It has no receipt number and no word about taxes.
func (v *View) ThankYouEmail(w ThankYouWords) (subject, text, html string, err error) {
	d := v.thankYouData(w)
	text, html, err = v.thankYouEmails[d.Language].execute(d)
	return d.Subject, text, html, err
}

// writeThankYou writes the letter on a page of its own.
func (v *View) writeThankYou(s *document.Paper, d thankYouData) {
	say := func(key string, args ...any) string { return v.Phrase(d.Language, "thanks.v1."+key, args...) }
	window(s, v.postal(d.Language, d.Donee.Address), d.Donee.Name, append([]string{d.To}, v.postal(d.Language, d.Postal)...))
	s.Text(document.BodySize, document.Ink, d.Subject, true)
	s.Paragraph(document.BodySize, document.Ink, say("dear", "name", d.Greeting))
	for _, p := range d.Paragraphs {
		s.Paragraph(document.BodySize, document.Ink, p)
	}
	s.Y += 2
	s.Paragraph(document.BodySize, document.Ink, say("closing")+"\n"+say("signature", "organisation", d.Organisation))
}
