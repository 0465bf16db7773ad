package view

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// StatementVersion is the version of the words of statements that are issued now.
const StatementVersion = 5

// ErrStatementVersion is returned for facts with an unknown version of the words.
var ErrStatementVersion = errors.New("view: no such version of the statement's words")

// StatementWords are the facts of a donor's annual statement. The same facts always give the same email and document.
type StatementWords struct {
	Version  int
	Language phrase.Language
	Year     int
	Donee    Donee

	Donor        string
	DonorAddress []string
	Greeting     string // usually the first name; empty: Donor

	Gifts                  []StatementGift
	Given, Returned, Total money.Amount
	Sponsored              []string        // the donee's projects among the organisations
	Issued                 time.Time       // in the donee's time zone
	Corrects               time.Time       // when the statement was issued that this one corrects; zero if it corrects none
	Provisional            bool            // not issued yet: it shows the gifts as they are at Issued
	Names                  []StatementName // of a mailbox whose receipts name several: each has a part; nil: all gifts are Donor's
	StopURL                string          // link that stops emails with statements; empty: not shown
}

// Nothing reports whether the statement says that nothing remains of the gifts and that the statement before is void.
func (s StatementWords) Nothing() bool {
	return s.Version >= 4 && !s.Corrects.IsZero() && s.Total.IsZero()
}

// StatementName is one of several people or organisations whose gifts a statement shows.
type StatementName struct {
	Name, Greeting         string // Greeting is usually the first name; empty: Name
	Address                []string
	Given, Returned, Total money.Amount
}

// StatementGift is one gift of the year.
type StatementGift struct {
	Charged      time.Time // date in the donee's time zone
	Receipt      string
	Void         bool // the receipt is not valid any more
	Organisation string
	Funds        []Purpose // sum to Amount; their Purpose is not shown
	Amount       money.Amount
	N, Of        int // number of the payment in its plan, 0 for a single gift; Of is 0 for a plan without a planned end
	Returned     []StatementReturn
	Described    string    // shares, or a thing: Amount is zero and is not shown
	InReturn     *InReturn // what the donor got in return; nil: nothing
	Name         int       // whose gift it is: index in Names
}

// StatementReturn is money that was returned to the donor.
type StatementReturn struct {
	On      time.Time
	Amount  money.Amount
	Dispute bool // a lost dispute; else a refund
}

// statementData is what the templates and the document read.
type statementData struct {
	StatementWords
	StatementText
	Accent string
}

// StatementPart is the part of a statement that is about the gifts of one name.
type StatementPart struct {
	Name  string
	Facts []Fact
	Rows  []StatementRow
}

// StatementRow is a gift, or a return of the gift above it.
type StatementRow struct{ Date, Text, Receipt, Amount string }

// LabelWidth returns the width of the widest label of the facts, in characters.
func (d statementData) LabelWidth() (width int) {
	all := slices.Clone(d.Facts)
	for _, p := range d.Parts {
		all = append(all, p.Facts...)
	}
	for _, f := range all {
		width = max(width, utf8.RuneCountInString(f.Label))
	}
	return width
}

func (v *View) parseStatements(fsys fs.FS) (all map[int]map[phrase.Language]emailTemplates, err error) {
	all = map[int]map[phrase.Language]emailTemplates{}
	for version := 1; err == nil && version <= StatementVersion; version++ {
		all[version], err = v.parseEmails(fsys, "letters/statement/v"+strconv.Itoa(version))
	}
	return all, err
}

// StatementEmail returns the subject, plain text and HTML of the email with a statement.
func (v *View) StatementEmail(s StatementWords) (subject, text, html string, err error) {
	d, err := v.statementData(s)
	if err != nil {
		return "", "", "", err
	}
	d.Donee.Address = v.Postal(d.Language, d.Donee.Address) // at the email's foot
	email := v.statementEmails[s.Version][d.Language]
	var plain, rich bytes.Buffer
	if err := email.text.ExecuteTemplate(&plain, "letter.txt", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	if err := email.html.ExecuteTemplate(&rich, "letter.html", d); err != nil {
		return "", "", "", fmt.Errorf("view: %w", err)
	}
	key := "subject"
	if s.Nothing() {
		key = "subject_nothing"
	} else if !s.Corrects.IsZero() {
		key = "subject_corrected"
	} else if s.Provisional && s.Version >= 3 {
		key = "subject_so_far"
	}
	return v.statementPhrases(d.StatementWords)(key, "donee", s.Donee.Name, "year", s.Year), plain.String(), rich.String(), nil
}

// StatementText is a statement in words, for a page.
type StatementText struct {
	Title, Opening, Law string
	Goods               string // that nothing was provided in exchange; empty if nothing remains
	Facts               []Fact
	Rows                []StatementRow
	Parts               []StatementPart // one for each of Names; Rows is empty then
}

// StatementText returns what the statement's email says, in the language of s.
func (v *View) StatementText(s StatementWords) (StatementText, error) {
	d, err := v.statementData(s)
	return d.StatementText, err
}

// statementData returns the facts in the order and form in which email, page and document show them. A language without
// words is replaced by English.
func (v *View) statementData(s StatementWords) (statementData, error) {
	emails, ok := v.statementEmails[s.Version]
	if !ok {
		return statementData{}, fmt.Errorf("%w: %d", ErrStatementVersion, s.Version)
	}
	if _, written := emails[s.Language]; !written {
		s.Language = phrase.English
	}
	if s.Greeting = cmp.Or(s.Greeting, s.Donor); len(s.Names) > 1 {
		s.Greeting = v.listNames(s, func(n StatementName) string { return cmp.Or(n.Greeting, n.Name) })
	}
	say := v.statementPhrases(s)
	d := statementData{s, StatementText{Title: say("title", "year", s.Year), Opening: v.statementOpening(s)}, DefaultAccent}
	if s.Provisional && s.Version >= 3 {
		d.Title = say("title_so_far", "year", s.Year, "on", phrase.Date(s.Language, s.Issued))
	}
	v.addStatementFacts(&d)
	d.Law = say("exempt", "donee", s.Donee.Name)
	if s.Nothing() {
		d.Title = say("title_nothing", "year", s.Year)
		return d, nil
	}
	goods := "goods"
	if slices.ContainsFunc(s.Gifts, func(g StatementGift) bool { return g.InReturn != nil }) && s.Version >= 5 {
		goods = "goods_except"
	}
	d.Goods, d.Law = say(goods), d.Law+" "+say("control", "donee", s.Donee.Name)
	if len(s.Sponsored) > 0 {
		d.Law += " " + v.words.N(s.Language, v.statementKey(s.Version, "sponsored"), len(s.Sponsored), "organisations",
			v.List(s.Language, s.Sponsored), "donee", s.Donee.Name)
	}
	return d, nil
}

// listNames returns what of returns of each name that has a part of the statement.
func (v *View) listNames(s StatementWords, of func(StatementName) string) string {
	names := make([]string, len(s.Names))
	for i, n := range s.Names {
		names[i] = of(n)
	}
	return v.List(s.Language, names)
}

// addStatementFacts adds the facts and gifts: one list, or a part for each name with its own total.
func (v *View) addStatementFacts(d *statementData) {
	s, say := d.StatementWords, v.statementPhrases(d.StatementWords)
	d.Facts = []Fact{fact(say("year"), strconv.Itoa(s.Year))}
	to := []Fact{fact(say("donee"), s.Donee.Name), fact(say("ein"), s.Donee.EIN)}
	issued := fact(say("issued"), phrase.Date(s.Language, s.Issued))
	if len(s.Names) < 2 {
		who, sums := v.nameFacts(s, StatementName{Name: s.Donor, Address: s.DonorAddress, Given: s.Given, Returned: s.Returned, Total: s.Total})
		d.Facts = append(slices.Concat(d.Facts, who, to, sums), issued)
		for _, g := range s.Gifts {
			d.Rows = append(d.Rows, v.statementRows(s, g)...)
		}
		return
	}
	d.Facts = append(append(d.Facts, to...), issued)
	for i, n := range s.Names {
		who, sums := v.nameFacts(s, n)
		part := StatementPart{Name: n.Name, Facts: append(who, sums...)}
		for _, g := range s.Gifts {
			if g.Name == i {
				part.Rows = append(part.Rows, v.statementRows(s, g)...)
			}
		}
		d.Parts = append(d.Parts, part)
	}
}

// nameFacts returns the donor's name and the sums.
func (v *View) nameFacts(s StatementWords, n StatementName) (who, sums []Fact) {
	say, lang := v.statementPhrases(s), string(s.Language)
	if who = []Fact{fact(say("donor"), n.Name)}; len(n.Address) > 0 {
		who = append(who, fact(say("address"), strings.Join(n.Address, ", ")))
	}
	if !n.Returned.IsZero() {
		sums = []Fact{fact(say("given"), n.Given.FormatExact(lang)), fact(say("returned"), n.Returned.FormatExact(lang))}
	}
	return who, append(sums, fact(say("total"), n.Total.FormatExact(lang)))
}

// statementOpening returns the first sentences: the kind of statement, and the names if the receipts have several.
func (v *View) statementOpening(s StatementWords) string {
	if len(s.Names) < 2 {
		return v.statementCause(s)
	}
	return v.statementCause(s) + " " + v.statementPhrases(s)("names", "names", v.listNames(s, func(n StatementName) string { return n.Name }))
}

func (v *View) statementCause(s StatementWords) string {
	say := v.statementPhrases(s)
	switch {
	case s.Provisional:
		return say("open", "donee", s.Donee.Name, "year", s.Year, "on", phrase.Date(s.Language, s.Issued))
	case s.Nothing():
		return say("nothing", "donee", s.Donee.Name, "year", s.Year, "on", phrase.Date(s.Language, s.Corrects))
	case !s.Corrects.IsZero():
		return say("corrects", "donee", s.Donee.Name, "year", s.Year, "on", phrase.Date(s.Language, s.Corrects))
	}
	return say("thanks", "donee", s.Donee.Name, "year", s.Year)
}

// statementRows returns the rows of a gift and of its returns.
func (v *View) statementRows(s StatementWords, g StatementGift) []StatementRow {
	say, lang := v.statementPhrases(s), string(s.Language)
	funds := make([]string, len(g.Funds))
	for i, f := range g.Funds {
		funds[i] = f.Fund
		if len(g.Funds) > 1 {
			funds[i] = say("part", "fund", f.Fund, "amount", f.Amount.FormatExact(lang))
		}
		if g.Described != "" {
			funds[i] = f.Fund
		}
	}
	text := say("to", "organisation", g.Organisation, "funds", v.List(s.Language, funds))
	if g.Of > 0 {
		text += " " + say("instalment", "n", g.N, "of", g.Of)
	}
	number := g.Receipt
	if g.Void && s.Version >= 4 {
		number = say("receipt_void", "receipt", g.Receipt)
	}
	amount := g.Amount.FormatExact(lang)
	if g.Described != "" {
		amount, text = "", text+" "+say("described", "what", g.Described)
	} else if in := g.InReturn; in != nil {
		text += " " + say("in_return", "paid", in.Paid.FormatExact(lang), "what", in.What, "value", in.Value.FormatExact(lang))
	}
	rows := []StatementRow{{Date: phrase.Date(s.Language, g.Charged), Text: text, Receipt: number, Amount: amount}}
	for _, back := range g.Returned {
		key := "refunded"
		if back.Dispute {
			key = "disputed"
		}
		rows = append(rows, StatementRow{Date: phrase.Date(s.Language, back.On), Text: say(key, "on", phrase.Date(s.Language, g.Charged)),
			Amount: "−" + back.Amount.FormatExact(lang)})
	}
	return rows
}

// statementPhrases returns the function that returns phrases of s's version in s's language.
func (v *View) statementPhrases(s StatementWords) func(key string, args ...any) string {
	return func(key string, args ...any) string {
		return v.Phrase(s.Language, v.statementKey(s.Version, key), args...)
	}
}

// statementKey returns the key of a version's phrase. A version has a phrase of its own only where it differs from the
// version before.
func (v *View) statementKey(version int, key string) string {
	for ; ; version-- {
		if own := "statement.v" + strconv.Itoa(version) + "." + key; version <= 1 || v.words.Has(own) {
			return own
		}
	}
}
