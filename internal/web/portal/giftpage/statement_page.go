package giftpage

import (
	"io"
	"slices"

	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// StatementItem leads to the statement of one year.
type StatementItem struct {
	Year  int
	Donee string
	Email string // address the gifts were made with, if the donor gave to the donee with several; else empty
	URL   string
}

// StatementPage is an annual statement, shown to its donor.
type StatementPage struct {
	view.Frame
	view.StatementWords
	Token   string // session token of the form that signs out
	PDFURL  string // address of the document; empty if none is offered
	BackURL string
	// FundName returns the name in a language of a fund that the statement names; nil: names stay as they are.
	FundName func(name string, lang phrase.Language) string
}

// translateFunds translates the names of funds into the language of the page.
func (p *StatementPage) translateFunds() {
	if p.FundName == nil {
		return
	}
	p.Gifts = slices.Clone(p.Gifts)
	for i, g := range p.Gifts {
		p.Gifts[i].Funds = slices.Clone(g.Funds)
		for j, part := range g.Funds {
			p.Gifts[i].Funds[j].Fund = p.FundName(part.Fund, p.Frame.Language)
		}
	}
}

// Write writes the page, in the language of the page: the statement's own language is not used.
func (p StatementPage) Write(w io.Writer, v *view.View) error {
	p.StatementWords.Language = p.Frame.Language
	p.translateFunds()
	text, err := v.StatementText(p.StatementWords)
	if err != nil {
		return err
	}
	return v.Write(w, "portal/statement", p.Frame.Language, struct {
		view.Frame
		view.StatementText
		Donee                  view.Donee
		Token, PDFURL, BackURL string
	}{p.Frame, text, p.Donee, p.Token, p.PDFURL, p.BackURL})
}
