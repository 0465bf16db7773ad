package view

import (
	"bytes"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// HeadWords are what the daily letter to the auditors says of an entity's books.
type AuditDigestWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // #rrggbb; empty: the house's

	Day          time.Time // its civil date is the day, in the entity's time zone
	Entries      int64
	Hash         string
	TrialBalance money.Amount
	Command      string // that holds the books against the hash
}

// headData is what the letter's templates walk.
type auditDigestData struct {
	AuditDigestWords
	Subject, Date string
	Facts         []Fact
}

// LabelWidth is that of the widest label of the facts, in characters.
func (d auditDigestData) LabelWidth() (width int) {
	for _, f := range d.Facts {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	return width
}

// HeadLetter is the daily letter to the auditors: its subject, its plain text and the same as HTML. A language
// whose words are not written is answered in English.
func (v *View) AuditDigestEmail(w AuditDigestWords) (subject, text, html string, err error) {
	letter, written := v.auditDigestEmails[w.Language]
	if !written {
		w.Language, letter = phrase.English, v.auditDigestEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	say := func(key string, args ...any) string { return v.Phrase(w.Language, key, args...) }
	entries, sum := strconv.FormatInt(w.Entries, 10), say("head.zero")
	if !w.TrialBalance.IsZero() {
		sum = say("head.off", "amount", w.TrialBalance)
	}
	d := auditDigestData{AuditDigestWords: w, Date: phrase.Date(w.Language, w.Day), Facts: []Fact{{say("head.entries"), entries}, {say("head.trial"), sum}}}
	d.Subject = say("head.subject", "entity", w.Donee.Name, "date", d.Date, "entries", entries)
	var plain, rich bytes.Buffer
	if err := letter.text.ExecuteTemplate(&plain, "letter.txt", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	if err := letter.html.ExecuteTemplate(&rich, "letter.html", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	return d.Subject, plain.String(), rich.String(), nil
}
