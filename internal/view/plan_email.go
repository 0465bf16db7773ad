package view

import (
	"strings"
	"time"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// PlanEmailWords are the facts of an email about a recurring gift. A field that does not apply to its kind is zero.
type PlanEmailWords struct {
	Kind         string // part of the phrase keys; the beginning of a plan has no email but the first receipt
	Language     phrase.Language
	Donee        Donee
	Organisation string // in Language
	Accent       string // #rrggbb; empty: DefaultAccent
	Greeting     string // the donor's first name

	Amount        money.Amount // charged each time
	Every         string       // weekly, monthly, quarterly or yearly
	Before        money.Amount // charged each time before a change
	EveryBefore   string       // before a change
	Ends          time.Time    // when the gift ends, in the donee's time zone
	N             int          // number of payments received
	Given         money.Amount // total of all payments
	Next          time.Time    // next charge, in the donee's time zone; zero: none
	Until         time.Time    // the card's expiry
	Brand         string
	Last4         string
	DeclineReason string // funds, expired, lost, closed, asked or refused
	Permanent     bool   // the charge is not retried automatically
	Funds         []string
	ManageURL     string // link to this plan only
	ManageCode    string // opens the same in a browser without scripts
	CardURL       string // link to a new payment method; empty for kinds that need none
	StopURL       string // link that stops emails of this kind; empty if they cannot be stopped
}

// EmailLink is the button of an email.
type EmailLink struct{ Label, URL string }

type planEmailData struct {
	PlanEmailWords
	Subject    string
	Paragraphs []string
	Button     *EmailLink
}

// PlanEmail returns the email's subject, plain text and HTML. A language without words is replaced by English.
func (v *View) PlanEmail(w PlanEmailWords) (subject, text, html string, err error) {
	email, written := v.planEmails[w.Language]
	if !written {
		w.Language, email = phrase.English, v.planEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	d := planEmailData{PlanEmailWords: w}
	args := []any{
		"amount", w.Amount, "every", v.Phrase(w.Language, "plan.every."+w.Every), "organisation", w.Organisation, "given", w.Given,
		"next", phrase.Date(w.Language, w.Next), "until", phrase.Date(w.Language, w.Until),
		"ends", phrase.Date(w.Language, w.Ends), "card", v.CardName(w.Language, w.Brand, w.Last4),
		"funds", v.List(w.Language, w.Funds),
	}
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.Format(string(w.Language))
		}
	}
	if w.EveryBefore != "" {
		args = append(args, "before", w.Before.Format(string(w.Language))+" "+v.Phrase(w.Language, "plan.every."+w.EveryBefore))
	}
	key := "plan.letter." + w.Kind
	d.Subject = v.words.N(w.Language, key+".subject", w.N, args...)
	for _, part := range v.planParts(w) {
		d.Paragraphs = append(d.Paragraphs, v.words.N(w.Language, part, w.N, args...))
	}
	if w.CardURL != "" {
		d.Button = &EmailLink{v.Phrase(w.Language, "plan.letter.card"), w.CardURL}
		if w.asksToConfirm() {
			d.Button.Label = v.Phrase(w.Language, "plan.letter.confirm")
		}
	}
	text, html, err = email.execute(d)
	return d.Subject, text, html, err
}

// asksToConfirm reports whether the donor can confirm a payment that failed with their bank.
func (w PlanEmailWords) asksToConfirm() bool {
	return w.Kind == "failing" && w.DeclineReason == "asked" && !w.Permanent
}

// planParts returns the phrase keys of the email's paragraphs, in order.
func (v *View) planParts(w PlanEmailWords) []string {
	parts := []string{"plan.letter." + w.Kind + ".text"}
	switch w.Kind {
	case "failing", "failed":
		if w.DeclineReason != "" {
			parts = append(parts, "plan.why."+w.DeclineReason)
		}
		switch {
		case w.asksToConfirm():
			parts = append(parts, "plan.letter.failing.confirm")
		case w.Kind == "failing" && w.Permanent:
			parts = append(parts, "plan.letter.failing.over")
		case w.Kind == "failing":
			parts = append(parts, "plan.letter.failing.again")
		}
	case "changed", "mended", "resumed", "paused", "skipped", "adjusted", "continuing", "suspended", "ending":
		if !w.Next.IsZero() {
			parts = append(parts, "plan.letter.next")
		} else if w.Kind == "ending" {
			parts = append(parts, "plan.letter.ending.over")
		}
	}
	return parts
}

// CardName returns a payment method as its owner knows it: "Visa ending in 4242", "Link account".
func (v *View) CardName(lang phrase.Language, brand, last4 string) string {
	name := "plan.card." + brand
	switch {
	case last4 == "" && v.words.Has("plan.wallet."+brand):
		return v.Phrase(lang, "plan.wallet."+brand)
	case last4 == "":
		return v.Phrase(lang, "plan.card.some")
	case !v.words.Has(name):
		name = "plan.card.other"
	}
	return v.Phrase(lang, "plan.card", "brand", v.Phrase(lang, name), "last", last4)
}

// List returns names joined: "A, B and C".
func (v *View) List(lang phrase.Language, names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	head := strings.Join(names[:len(names)-1], ", ")
	return v.Phrase(lang, "plan.and", "first", head, "last", names[len(names)-1])
}
