package view

import (
	"time"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// NoticeEmailWords are the facts of an email about money of a gift that no receipt is about.
type NoticeEmailWords struct {
	Kind         string // failed, held, returned, refund_failed or refund_later: part of the phrase keys
	Language     phrase.Language
	Donee        Donee
	Organisation string // in Language
	Accent       string // #rrggbb; empty: DefaultAccent
	Greeting     string // the donor's first name

	Amount   money.Amount
	On       time.Time // in the donee's time zone
	Given    time.Time // of refund_later: when the gift was given, likewise
	Plan     bool      // a recurring gift was to begin with it
	AgainURL string    // the organisation's form; empty: the email has no button
}

// NoticeEmail returns the email's subject, plain text and HTML. A language without words is replaced by English. Its
// template is that of emails about plans.
func (v *View) NoticeEmail(w NoticeEmailWords) (subject, text, html string, err error) {
	email, written := v.planEmails[w.Language]
	if !written {
		w.Language, email = phrase.English, v.planEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	say := func(key string) string {
		return v.Phrase(w.Language, "notice."+key, "amount", w.Amount, "organisation", w.Organisation,
			"date", phrase.Date(w.Language, w.On), "given", phrase.Date(w.Language, w.Given))
	}
	d := planEmailData{
		PlanEmailWords: PlanEmailWords{Language: w.Language, Donee: w.Donee, Organisation: w.Organisation, Accent: w.Accent, Greeting: w.Greeting},
		Subject:        say(w.Kind + ".subject"), Paragraphs: []string{say(w.Kind + ".text")},
	}
	if w.Plan {
		d.Paragraphs = append(d.Paragraphs, say(w.Kind+".plan"))
	}
	if w.AgainURL != "" {
		d.Paragraphs = append(d.Paragraphs, say(w.Kind+".again"))
		d.Button = &EmailLink{say("again"), w.AgainURL}
	}
	text, html, err = email.execute(d)
	return d.Subject, text, html, err
}
