package view

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// ReceiptVersion is the version of the words a receipt issued now speaks.
const ReceiptVersion = 1

// ErrReceiptVersion is the answer to facts whose version of the words we do not have.
var ErrReceiptVersion = errors.New("view: no such version of the receipt's words")

// ReceiptWords are the facts of a receipt, frozen when it was issued, and which
// version of the words tells them. The same facts always give the same letter
// and the same document, byte for byte.
type ReceiptWords struct {
	Version  int
	Language phrase.Language
	Number   string // as printed: TSNE-2026-000123

	Donee        Donee
	Organisation string // in the donor's language
	Sponsored    bool   // the organisation is a project of the donee
	Accent       string // #rrggbb; empty: the house's

	Donor    string // the donor's own name, also of a donor who is anonymous in public
	Greeting string // how the letter addresses the donor, usually the first name; empty: Donor

	Amount   money.Amount // charged, less what was Returned
	Charged  time.Time    // its civil date is the charge date, in the donee's time zone
	Purposes []Purpose    // sum to Amount
	Covered  money.Amount // of what was charged, the part added for the processing fee; zero: none

	Dedication string      // honour or memory; empty: none
	Dedicatee  string      // whose honour or memory
	Returned   *Returned   // nil: nothing went back
	Replaces   *Revised    // the receipt that this one replaces; nil: none
	Instalment *Instalment // nil: it was given once
	Voided     *Revised    // why this receipt no longer stands; only VoidLetter asks
}

// Instalment is the place of a gift among those of its plan.
type Instalment struct {
	N, Of      int // Of is 0 for one until it is stopped
	Every      string
	Each, Sum  money.Amount
	Last, Next time.Time // zero: none, or not known
	ManageURL  string
}

// Returned is what of a gift went back to the donor.
type Returned struct {
	Charged money.Amount // the gift as first made
	Amount  money.Amount // in all
	On      time.Time    // the last time
}

// Revised is a receipt that no longer stands, and why.
type Revised struct {
	Number string
	Reason string // correction, refund, dispute or reinstated
	On     time.Time
}

// Purpose is a fund's part of a gift.
type Purpose struct {
	Fund    string
	Purpose string // completes "to support …"; may be empty
	Amount  money.Amount
}

// letterTemplates are a folder of letters in one language, by the names of their files.
type emailTemplates struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// receiptData is what the letter's templates walk.
type receiptData struct {
	ReceiptWords
	Total string
	Date  string
	Plan  string // what comes after it; empty: nothing
	Why   string // why this receipt replaces another or is void; empty: neither. Templates of v1 use the name
	Facts []Fact
	Lines []PurposeLine
}

// PurposeLine is a fund's part of a gift, in words.
type PurposeLine struct{ Text, Amount string }

func (v *View) parseReceipts(fsys fs.FS) (map[int]map[phrase.Language]emailTemplates, error) {
	styles, err := readStyles(fsys, "letters/letter.css")
	if err != nil {
		return nil, err
	}
	receipts := map[int]map[phrase.Language]emailTemplates{}
	for version := 1; version <= ReceiptVersion; version++ {
		dir := "letters/receipt/v" + strconv.Itoa(version)
		receipts[version] = map[phrase.Language]emailTemplates{}
		for _, lang := range v.words.Languages() {
			letter, err := v.parseEmail(fsys, dir, lang, styles)
			if err != nil {
				return nil, fmt.Errorf("view: %w", err)
			}
			receipts[version][lang] = letter
		}
	}
	return receipts, nil
}

func (v *View) parseEmail(fsys fs.FS, dir string, lang phrase.Language, styles styles) (l emailTemplates, err error) {
	functions := v.functions(lang)
	functions["wrap"] = wrap
	functions["pad"] = pad
	if l.text, err = texttemplate.New("").Funcs(functions).ParseFS(fsys, dir+"/*.txt"); err != nil {
		return l, err
	}
	files, err := fs.Glob(fsys, dir+"/*.html")
	if err != nil {
		return l, err
	}
	l.html = htmltemplate.New("").Funcs(functions)
	for _, file := range files {
		source, err := fs.ReadFile(fsys, file)
		if err != nil {
			return l, err
		}
		styled, err := styles.inline(string(source))
		if err != nil {
			return l, fmt.Errorf("%s: %w", file, err)
		}
		if _, err := l.html.New(path.Base(file)).Parse(styled); err != nil {
			return l, err
		}
	}
	return l, nil
}

// ReceiptLetter is the letter a receipt goes out with: its subject, its plain
// text and the same as HTML. A language whose words are not written is answered
// in English.
func (v *View) ReceiptEmail(r ReceiptWords) (subject, text, html string, err error) {
	d := v.receiptData(r)
	say := v.receiptPhrases(d.ReceiptWords)
	if r.Replaces != nil {
		subject = say("subject_replaced", "number", r.Replaces.Number, "organisation", r.Organisation)
		d.Why = v.revisionReason(d, "because.", *r.Replaces)
	} else {
		subject = say("subject", "amount", d.Total, "organisation", r.Organisation)
	}
	text, html, err = v.executeReceipt(d, "letter")
	return subject, text, html, err
}

// VoidLetter is the letter that says a receipt no longer stands, and why.
func (v *View) ReceiptVoidEmail(r ReceiptWords) (subject, text, html string, err error) {
	d := v.receiptData(r)
	d.Why = v.revisionReason(d, "void.", *r.Voided)
	text, html, err = v.executeReceipt(d, "void")
	return v.receiptPhrases(d.ReceiptWords)("void.subject", "number", r.Number), text, html, err
}

// why says the reason of a revision.
func (v *View) revisionReason(d receiptData, key string, why Revised) string {
	args := []any{
		"on", phrase.Date(d.Language, why.On), "number", why.Number, "amount", d.Total, "organisation", d.Organisation,
	}
	if d.Returned != nil {
		lang := string(d.Language)
		args = append(args, "returned", d.Returned.Amount.FormatExact(lang), "charged", d.Returned.Charged.FormatExact(lang))
	}
	return v.receiptPhrases(d.ReceiptWords)(key+why.Reason, args...)
}

func (v *View) executeReceipt(d receiptData, name string) (text, html string, err error) {
	letter, err := v.receiptTemplates(d.ReceiptWords)
	if err != nil {
		return "", "", err
	}
	var plain, rich strings.Builder
	plain.Grow(2 << 10) // what most take
	rich.Grow(8 << 10)
	if err := letter.text.ExecuteTemplate(&plain, name+".txt", d); err != nil {
		return "", "", fmt.Errorf("view: %w", err)
	}
	if err := letter.html.ExecuteTemplate(&rich, name+".html", d); err != nil {
		return "", "", fmt.Errorf("view: %w", err)
	}
	return plain.String(), rich.String(), nil
}

func (v *View) receiptTemplates(r ReceiptWords) (emailTemplates, error) {
	version, ok := v.receiptEmails[r.Version]
	if !ok {
		return emailTemplates{}, fmt.Errorf("%w: %d", ErrReceiptVersion, r.Version)
	}
	if letter, ok := version[r.Language]; ok {
		return letter, nil
	}
	return version[phrase.English], nil
}

// receiptData brings the facts into the order and form in which the letter and
// the document tell them.
func (v *View) receiptData(r ReceiptWords) receiptData {
	if r.Greeting == "" {
		r.Greeting = r.Donor
	}
	if _, written := v.receiptEmails[r.Version][r.Language]; !written {
		r.Language = phrase.English
	}
	if CheckAccent(r.Accent) != nil {
		r.Accent = DefaultAccent
	}
	say, lang := v.receiptPhrases(r), string(r.Language)
	d := receiptData{ReceiptWords: r, Total: r.Amount.FormatExact(lang), Date: phrase.Date(r.Language, r.Charged)}
	d.Facts = []Fact{{say("number"), r.Number}}
	if r.Replaces != nil {
		d.Facts = append(d.Facts, Fact{say("replaced"), r.Replaces.Number})
	}
	d.Facts = append(d.Facts, Fact{say("donor"), r.Donor})
	if r.Returned == nil {
		d.Facts = append(d.Facts, Fact{say("amount"), d.Total})
	} else {
		d.Facts = append(d.Facts,
			Fact{say("amount"), r.Returned.Charged.FormatExact(lang)},
			Fact{say("returned"), say("returned_on", "returned", r.Returned.Amount.FormatExact(lang), "on", phrase.Date(r.Language, r.Returned.On))},
			Fact{say("remains"), d.Total})
	}
	if !r.Covered.IsZero() {
		d.Facts = append(d.Facts, Fact{say("covered"), say("covered_part", "amount", r.Covered.FormatExact(lang))})
	}
	if r.Dedication != "" {
		d.Facts = append(d.Facts, Fact{say("dedication." + r.Dedication), r.Dedicatee})
	}
	if in := r.Instalment; in != nil {
		d.Facts = append(d.Facts, Fact{say("instalment"), v.instalmentNumber(r.Language, *in)})
		d.Plan = v.scheduleText(r.Language, *in)
	}
	d.Facts = append(d.Facts, Fact{say("date"), d.Date}, Fact{say("donee"), r.Donee.Name}, Fact{say("ein"), r.Donee.EIN})
	if r.Sponsored {
		d.Facts = append(d.Facts, Fact{say("project"), r.Organisation})
	}
	for _, p := range r.Purposes {
		d.Lines = append(d.Lines, PurposeLine{
			Text:   purposeText(say, p),
			Amount: p.Amount.FormatExact(lang),
		})
	}
	return d
}

// nth is which of its plan's gifts it is.
func (v *View) instalmentNumber(lang phrase.Language, in Instalment) string {
	if in.Of == 0 {
		return strconv.Itoa(in.N)
	}
	return v.Phrase(lang, "plan.paid_of", "paid", in.N, "of", in.Of)
}

// repeats says, with the first gift, what the plan comes to, and later when the next is charged.
func (v *View) scheduleText(lang phrase.Language, in Instalment) string {
	each := in.Each.Format(string(lang))
	switch {
	case in.N == 1 && in.Of == 0:
		return v.Phrase(lang, "plan.begun") + " " + v.Phrase(lang, "plan.comes_until."+in.Every, "amount", each)
	case in.N == 1:
		return v.Phrase(lang, "plan.begun") + " " + v.words.N(lang, "plan.comes", in.Of, "amount", each, "all", in.Sum.Format(string(lang)), "date", phrase.Date(lang, in.Last))
	case in.Next.IsZero():
		return ""
	}
	return v.Phrase(lang, "plan.next_on", "amount", each, "date", phrase.Date(lang, in.Next))
}

// purposeText names the fund and, where it has one, its purpose.
func purposeText(say func(string, ...any) string, p Purpose) string {
	if p.Purpose == "" {
		return p.Fund
	}
	return say("purpose_line", "fund", p.Fund, "purpose", p.Purpose)
}

// LabelWidth is that of the widest label of the facts, in characters.
func (d receiptData) LabelWidth() int {
	width := 0
	for _, f := range d.Facts {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	return width
}

// receiptSay says the phrases of r's version in r's language.
func (v *View) receiptPhrases(r ReceiptWords) func(key string, args ...any) string {
	prefix := "receipt.v" + strconv.Itoa(r.Version) + "."
	return func(key string, args ...any) string { return v.Phrase(r.Language, prefix+key, args...) }
}

// ReceiptText is a receipt in words, for a page.
type ReceiptText struct {
	Language       phrase.Language // the language of the receipt
	Title          string
	RevisionReason string // why it replaces another receipt or is void; empty: neither
	Facts          []Fact
	PurposeTitle   string
	Purposes       []PurposeLine
	SmallPrint     []string
}

// ReceiptText returns what the receipt's email says, in the language in which the receipt was issued.
func (v *View) ReceiptText(r ReceiptWords) (ReceiptText, error) {
	if _, err := v.receiptTemplates(r); err != nil {
		return ReceiptText{}, err
	}
	d := v.receiptData(r)
	say := v.receiptPhrases(d.ReceiptWords)
	text := ReceiptText{
		Language: d.Language, Title: say("title"), Facts: d.Facts, PurposeTitle: say("purpose"), Purposes: d.Lines,
		SmallPrint: []string{say("goods"), say("exempt", "donee", d.Donee.Name)},
	}
	switch {
	case r.Voided != nil:
		text.RevisionReason = v.revisionReason(d, "void.", *r.Voided)
	case r.Replaces != nil:
		text.RevisionReason = v.revisionReason(d, "because.", *r.Replaces)
	}
	if d.Sponsored {
		text.SmallPrint = append(text.SmallPrint, say("control_sponsored", "organisation", d.Organisation, "donee", d.Donee.Name))
	} else {
		text.SmallPrint = append(text.SmallPrint, say("control_own", "donee", d.Donee.Name))
	}
	return text, nil
}
