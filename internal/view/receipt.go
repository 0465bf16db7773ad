package view

import (
	"errors"
	"fmt"
	htmltemplate "html/template"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view/document"
)

// ReceiptVersion is the newest version of the words of receipts: 1 is about charges, 2 about gifts without a processor.
const ReceiptVersion = 2

// ErrReceiptVersion is returned for facts with an unknown version of the words.
var ErrReceiptVersion = errors.New("view: no such version of the receipt's words")

// ReceiptWords are the facts of a receipt, frozen when it was issued, and the version of its words. The same facts
// always give the same email, byte for byte, and a document with the same words; its bytes also depend on the release and
// on the machine's fonts. What was sent is stored and never made again.
type ReceiptWords struct {
	Version  int
	Language phrase.Language
	Number   string // as printed: TSNE-2026-000123

	Donee        Donee
	Organisation string // in the donor's language
	Sponsored    bool   // the organisation is a project of the donee
	Accent       string // #rrggbb; empty: DefaultAccent

	Donor    string // the donor's own name, also of a donor who is anonymous in public
	Greeting string // salutation, usually the first name; empty: Donor

	Amount   money.Amount // charged, less what was Returned
	Charged  time.Time    // the date of the charge, in the donee's time zone
	Purposes []Purpose    // sum to Amount
	// Described is shares, or a thing: the receipt says it in place of a value; empty: money was given.
	Described string
	InReturn  *InReturn    // what the donor got in return; nil: nothing
	Covered   money.Amount // part of the charge that was added for the processing fee; may be zero

	Dedication string      // honour or memory; empty: none
	Dedicatee  string      // the person honoured or remembered
	Returned   *Returned   // nil if nothing was returned
	Replaces   *Revised    // the receipt that this one replaces; nil if it replaces none
	Instalment *Instalment // nil for a single gift
	Voided     *Revised    // why this receipt is void; nil if it is valid. ReceiptVoidEmail requires it
}

// InReturn is what a donor got in return for a payment, of which only the rest is a gift.
type InReturn struct {
	What        string
	Value, Paid money.Amount // its good-faith value; what was paid in all
}

// Instalment says which payment of its plan a gift is.
type Instalment struct {
	N, Of      int // Of is 0 for a plan without a planned end
	Every      string
	Each, Sum  money.Amount
	Last, Next time.Time // zero if there is none or it is not known
	ManageURL  string
	ManageCode string // opens the same as ManageURL in a browser without scripts
}

// IsLast reports whether it is the last payment of its plan, after which there is nothing to change.
func (in Instalment) IsLast() bool { return in.Of > 0 && in.N >= in.Of }

// Returned is the part of a gift that was returned to the donor.
type Returned struct {
	Charged money.Amount // the gift as charged
	Amount  money.Amount // total returned
	On      time.Time    // date of the last return
}

// Revised is a receipt that is no longer valid, and why.
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

// emailTemplates are the templates of a folder in one language, by file name.
type emailTemplates struct {
	text *texttemplate.Template
	html *htmltemplate.Template
}

// receiptData is what the templates and the document read.
type receiptData struct {
	ReceiptWords
	Total string
	Date  string
	Plan  string // schedule of the plan; empty for a single gift
	Why   string // why this receipt replaces another or is void; empty: neither. Templates of v1 use the name
	Facts []Fact
	Lines []PurposeLine
	Goods []string // what was given in return: nothing, or what it was worth
}

// PurposeLine is a fund's part of a gift, in words.
type PurposeLine = document.Line

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
			email, err := v.parseEmail(fsys, dir, lang, styles)
			if err != nil {
				return nil, fmt.Errorf("view: %w", err)
			}
			receipts[version][lang] = email
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

// ReceiptEmail returns the subject, plain text and HTML of the email with a receipt. A language without words is
// replaced by English.
func (v *View) ReceiptEmail(r ReceiptWords) (subject, text, html string, err error) {
	d := v.receiptData(r)
	d.Donee.Address = v.Postal(d.Language, d.Donee.Address) // not in the templates, either
	say := v.receiptPhrases(d.ReceiptWords)
	if in := r.Instalment; in != nil && in.ManageCode != "" {
		// Not in the templates: those of a version never change.
		d.Plan = strings.TrimSpace(d.Plan + " " + v.Phrase(d.Language, "plan.letter.code", "code", in.ManageCode))
	}
	if r.Replaces != nil {
		subject = say("subject_replaced", "number", r.Replaces.Number, "organisation", r.Organisation)
		d.Why = v.revisionReason(d, "because.", *r.Replaces)
	} else {
		subject = say("subject", "amount", d.Total, "organisation", r.Organisation)
	}
	text, html, err = v.executeReceipt(d, "letter")
	return subject, text, html, err
}

// ReceiptVoidEmail returns the email that says that a receipt is void, and why.
func (v *View) ReceiptVoidEmail(r ReceiptWords) (subject, text, html string, err error) {
	d := v.receiptData(r)
	d.Donee.Address = v.Postal(d.Language, d.Donee.Address)
	d.Why = v.revisionReason(d, "void.", *r.Voided)
	if in := r.Instalment; in != nil { // not in the templates: those of a version never change
		d.Why += " " + v.Phrase(d.Language, "receipt.void_plan", "each", in.Each.Format(string(d.Language)),
			"every", v.Phrase(d.Language, "plan.every."+in.Every))
	}
	text, html, err = v.executeReceipt(d, "void")
	return v.receiptPhrases(d.ReceiptWords)("void.subject", "number", r.Number), text, html, err
}

// revisionReason returns why a receipt was revised, in words.
func (v *View) revisionReason(d receiptData, key string, why Revised) string {
	args := []any{ // of shares and things, amount is what they are
		"on", phrase.Date(d.Language, why.On), "number", why.Number, "amount", d.Total, "organisation", d.Organisation,
	}
	if d.Returned != nil {
		lang := string(d.Language)
		args = append(args, "returned", d.Returned.Amount.FormatExact(lang), "charged", d.Returned.Charged.FormatExact(lang))
	}
	return v.receiptPhrases(d.ReceiptWords)(key+why.Reason, args...)
}

func (v *View) executeReceipt(d receiptData, name string) (text, html string, err error) {
	email, err := v.receiptTemplates(d.ReceiptWords)
	if err != nil {
		return "", "", err
	}
	var plain, rich strings.Builder
	plain.Grow(2 << 10) // enough for most
	rich.Grow(8 << 10)
	if err := email.text.ExecuteTemplate(&plain, name+".txt", d); err != nil {
		return "", "", fmt.Errorf("view: %w", err)
	}
	if err := email.html.ExecuteTemplate(&rich, name+".html", d); err != nil {
		return "", "", fmt.Errorf("view: %w", err)
	}
	return plain.String(), rich.String(), nil
}

func (v *View) receiptTemplates(r ReceiptWords) (emailTemplates, error) {
	version, ok := v.receiptEmails[r.Version]
	if !ok {
		return emailTemplates{}, fmt.Errorf("%w: %d", ErrReceiptVersion, r.Version)
	}
	if email, ok := version[r.Language]; ok {
		return email, nil
	}
	return version[phrase.English], nil
}

// receiptData returns the facts in the order and form in which email and document show them.
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
	d.Facts = []Fact{fact(say("number"), r.Number)}
	if r.Replaces != nil {
		d.Facts = append(d.Facts, fact(say("replaced"), r.Replaces.Number))
	}
	d.Facts = append(d.Facts, fact(say("donor"), r.Donor))
	if r.Described != "" {
		d.Total = r.Described
	}
	switch {
	case r.Described != "":
		d.Facts = append(d.Facts, fact(say("described"), d.Total))
	case r.InReturn != nil && r.Returned == nil:
		d.Facts = append(d.Facts, fact(say("paid"), r.InReturn.Paid.FormatExact(lang)), fact(say("in_return"), say("in_return_of", "what", r.InReturn.What,
			"value", r.InReturn.Value.FormatExact(lang))), fact(say("rest"), d.Total))
	case r.Returned == nil:
		d.Facts = append(d.Facts, fact(say("amount"), d.Total))
	default:
		d.Facts = append(d.Facts,
			fact(say("amount"), r.Returned.Charged.FormatExact(lang)),
			fact(say("returned"), say("returned_on", "returned", r.Returned.Amount.FormatExact(lang), "on", phrase.Date(r.Language, r.Returned.On))),
			fact(say("remains"), d.Total))
	}
	if !r.Covered.IsZero() {
		d.Facts = append(d.Facts, fact(say("covered"), say("covered_part", "amount", r.Covered.FormatExact(lang))))
	}
	if r.Dedication != "" {
		d.Facts = append(d.Facts, fact(say("dedication."+r.Dedication), r.Dedicatee))
	}
	if in := r.Instalment; in != nil {
		d.Facts = append(d.Facts, fact(say("instalment"), v.instalmentNumber(r.Language, *in)))
		d.Plan = v.scheduleText(r.Language, *in)
	}
	d.Facts = append(d.Facts, fact(say("date"), d.Date), fact(say("donee"), r.Donee.Name), fact(say("ein"), r.Donee.EIN))
	if r.Sponsored {
		d.Facts = append(d.Facts, fact(say("project"), r.Organisation))
	}
	for _, p := range r.Purposes {
		line := PurposeLine{Text: purposeText(say, p), Amount: p.Amount.FormatExact(lang)}
		if r.Described != "" {
			line.Amount = ""
		}
		d.Lines = append(d.Lines, line)
	}
	d.Goods = goodsText(say, d, lang)
	return d
}

// goodsText says what was given in return, and that the value of shares and things is not ours to state.
func goodsText(say func(string, ...any) string, d receiptData, lang string) []string {
	if d.InReturn != nil {
		return []string{say("returns", "paid", d.InReturn.Paid.FormatExact(lang), "what", d.InReturn.What, "value", d.InReturn.Value.FormatExact(lang),
			"amount", d.Amount.FormatExact(lang))}
	}
	all := []string{say("goods")}
	if d.Described != "" {
		all = append(all, say("no_value"))
	}
	return all
}

// instalmentNumber returns which payment of its plan the gift is: "3 of 12", or "3".
func (v *View) instalmentNumber(lang phrase.Language, in Instalment) string {
	if in.Of == 0 {
		return strconv.Itoa(in.N)
	}
	return v.Phrase(lang, "plan.paid_of", "paid", in.N, "of", in.Of)
}

// scheduleText returns, for the first payment, the schedule of the plan; for later ones the date of the next charge.
func (v *View) scheduleText(lang phrase.Language, in Instalment) string {
	each := in.Each.Format(string(lang))
	switch {
	case in.N == 1 && in.Of == 0:
		return v.Phrase(lang, "plan.begun") + " " + v.Phrase(lang, "plan.comes_until."+in.Every, "amount", each)
	case in.N == 1:
		return v.Phrase(lang, "plan.begun") + " " + v.words.N(lang, "plan.comes", in.Of, "amount", each, "all",
			in.Sum.Format(string(lang)), "date", phrase.Date(lang, in.Last))
	case in.Next.IsZero():
		return ""
	}
	return v.Phrase(lang, "plan.next_on", "amount", each, "date", phrase.Date(lang, in.Next))
}

// purposeText returns the fund and, if it has one, its purpose.
func purposeText(say func(string, ...any) string, p Purpose) string {
	if p.Purpose == "" {
		return p.Fund
	}
	return say("purpose_line", "fund", p.Fund, "purpose", p.Purpose)
}

// LabelWidth returns the width of the widest label of the facts, in characters.
func (d receiptData) LabelWidth() int {
	width := 0
	for _, f := range d.Facts {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	return width
}

// receiptPhrases returns the function that returns phrases of r's version in r's language.
func (v *View) receiptPhrases(r ReceiptWords) func(key string, args ...any) string {
	return func(key string, args ...any) string {
		for version := r.Version; ; version-- { // a version has phrases of its own only where it differs from the one before
			if own := "receipt.v" + strconv.Itoa(version) + "." + key; version <= 1 || v.HasPhrase(own) {
				return v.Phrase(r.Language, own, args...)
			}
		}
	}
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
		SmallPrint: append(slices.Clone(d.Goods), say("exempt", "donee", d.Donee.Name)),
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
