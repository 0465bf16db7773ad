package view

import (
	"strconv"
	"time"
	"unicode/utf8"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// AuditDigestWords are the facts of the daily email to the auditors about an entity's books.
type AuditDigestWords struct {
	Language phrase.Language
	Donee    Donee
	Accent   string // #rrggbb; empty: DefaultAccent

	Day                   time.Time // the day of the digest, in the entity's time zone
	Entries, AuditEntries int64     // of the books and of the audit log; without entries, the audit log is left out
	Hash                  string
	TrialBalance          money.Amount
	Command, AuditCommand string   // commands that compare the books and the audit log with their heads
	Operators             []string // what operators did
}

// auditDigestData is what the templates read.
type auditDigestData struct {
	AuditDigestWords
	Subject, Date string
	Facts         []Fact
}

// LabelWidth returns the width of the widest label of the facts, in characters.
func (d auditDigestData) LabelWidth() (width int) {
	for _, f := range d.Facts {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	return width
}

// AuditDigestEmail returns the daily email's subject, plain text and HTML. A language without words is replaced by
// English.
func (v *View) AuditDigestEmail(w AuditDigestWords) (subject, text, html string, err error) {
	email, written := v.auditDigestEmails[w.Language]
	if !written {
		w.Language, email = phrase.English, v.auditDigestEmails[phrase.English]
	}
	if CheckAccent(w.Accent) != nil {
		w.Accent = DefaultAccent
	}
	say := func(key string, args ...any) string { return v.Phrase(w.Language, key, args...) }
	entries, sum := strconv.FormatInt(w.Entries, 10), say("head.zero")
	if !w.TrialBalance.IsZero() {
		sum = say("head.off", "amount", w.TrialBalance)
	}
	d := auditDigestData{AuditDigestWords: w, Date: phrase.Date(w.Language, w.Day), Facts: []Fact{fact(say("head.entries"), entries), fact(say("head.trial"),
		sum)}}
	d.Subject = say("head.subject", "entity", w.Donee.Name, "date", d.Date, "entries", entries)
	text, html, err = email.execute(d)
	return d.Subject, text, html, err
}
