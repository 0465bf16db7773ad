package bankfile

import (
	"slices"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/layout"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Format is the format of a file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	OFX  Format = "ofx" // QFX too
	Camt Format = "camt.053"
	BAI2 Format = "bai2"
)

// Layout says what the columns of a CSV file mean, see package layout.
type Layout = layout.Layout

// Error says why a file is refused: the line of the file, the field, the value, and a phrase. It contains a *fault.Error.
type Error = field.Error

// File is what a file says.
type File struct {
	Format     Format
	Version    string // of the format, as the file names it: "102", "camt.053.001.08"; "" if it names none
	Charset    string
	Layout     *Layout // by which a CSV file was read; nil for other formats
	Statements []Statement
	Findings   []Finding
}

// Account is an account as a file names it. A CSV file names none, or a part in its file name.
type Account struct {
	ID    string // "" if the file names none
	Last4 string // the last four digits of the id; fewer if it has fewer
}

func accountOf(id string) Account {
	var digits []rune
	for _, r := range id {
		if r >= '0' && r <= '9' {
			digits = append(digits, r)
		}
	}
	return Account{ID: id, Last4: string(digits[max(0, len(digits)-4):])}
}

// Statement is a part of a file: one account and one period.
type Statement struct {
	Account   Account
	Currency  money.Currency
	From, To  ledger.Date // zero if the file does not name them
	Opening   *int64      // balance before the first line; nil if the file does not have it
	Closing   *int64      // balance after the last line; nil if the file does not have it
	ClosingOn ledger.Date // day of the closing balance; it may be after To; zero if the file does not name it
	Lines     []Line      // oldest first, if the file shows an order
	Row       int         // line of the file where the statement begins
}

// Line is one movement on an account.
type Line struct {
	BookedOn  ledger.Date // zero only for a pending line that has no date
	Amount    int64       // minor units; positive if it is a credit to us
	Text      string      // one line of text
	Reference string      // check number, or the id that payer and payee see
	BankID    string      // the bank's own id (FITID, AcctSvcrRef, bank reference); banks repeat and change it
	Pending   bool        // not booked; it is shown and never stored
	Row       int         // line of the file
	Nth       int         // which of the equal lines of its day it is, from 1; Compare sets it
}

// The kinds of findings.
const (
	Imbalance   = "imbalance"  // opening + booked lines ≠ closing; Args: opening, booked, closing, difference
	RunningGap  = "running"    // the balance beside a line is not the one before plus the line; Args: line, difference
	OutOfPeriod = "outside"    // a line is outside the days that its statement names; Args: line, day
	Repeated    = "repeated"   // the file has the same statement twice; it is returned once; Args: line
	Corrected   = "correction" // the bank corrects a line of an earlier file; Args: line, reference
	Interim     = "interim"    // interim figures of the day: all lines are pending; Args: line
)

// Finding is something in a file that a person must judge. Amounts in Args are money.Amount.
type Finding struct {
	Kind      string
	Statement int   // index in File.Statements
	Row       int   // line of the file; 0 if it is about a whole statement
	Amount    int64 // the difference, in minor units
	Phrase    string
	Args      fault.Args
}

// Booked returns the sum of the lines that are not pending.
func (s Statement) Booked() int64 {
	var sum int64
	for _, line := range s.Lines {
		if !line.Pending {
			sum += line.Amount
		}
	}
	return sum
}

// Difference returns opening + booked lines − closing; known is false if the file lacks one of the balances.
func (s Statement) Difference() (difference int64, known bool) {
	if s.Opening == nil || s.Closing == nil {
		return 0, false
	}
	return *s.Opening + s.Booked() - *s.Closing, true
}

// judge adds the findings that every format can have, and removes statements that the file repeats.
func (f *File) judge() {
	var once []Statement
	for _, s := range f.Statements {
		if i := slices.IndexFunc(once, s.equal); i >= 0 {
			f.find(Finding{Kind: Repeated, Statement: i, Row: s.Row, Phrase: "bankfile.finding.repeated", Args: fault.Args{"line": s.Row}})
			continue
		}
		once = append(once, s)
	}
	f.Statements = once
	for i, s := range once {
		if difference, known := s.Difference(); known && difference != 0 {
			amount := func(minor int64) money.Amount { return money.New(minor, s.Currency) }
			f.find(Finding{Kind: Imbalance, Statement: i, Amount: difference, Phrase: "bankfile.finding.imbalance", Args: fault.Args{
				"opening": amount(*s.Opening), "booked": amount(s.Booked()), "closing": amount(*s.Closing), "difference": amount(difference)}})
		}
		if line, outside := s.firstOutside(); outside {
			f.find(Finding{Kind: OutOfPeriod, Statement: i, Row: line.Row, Phrase: "bankfile.finding.outside",
				Args: fault.Args{"line": line.Row, "day": line.BookedOn}})
		}
	}
}

func (f *File) find(finding Finding) { f.Findings = append(f.Findings, finding) }

func (s Statement) firstOutside() (Line, bool) {
	for _, line := range s.Lines {
		early := s.From != (ledger.Date{}) && before(line.BookedOn, s.From)
		late := s.To != (ledger.Date{}) && before(s.To, line.BookedOn)
		if !line.Pending && (early || late) {
			return line, true
		}
	}
	return Line{}, false
}

// equal reports whether two statements say the same. One without lines and without balances says nothing to compare.
func (s Statement) equal(o Statement) bool {
	if s.Account != o.Account || s.Currency != o.Currency || s.From != o.From || s.To != o.To || len(s.Lines) != len(o.Lines) ||
		!equalBalance(s.Opening, o.Opening) || !equalBalance(s.Closing, o.Closing) || s.ClosingOn != o.ClosingOn {
		return false
	}
	for i, line := range s.Lines {
		line.Row = o.Lines[i].Row
		if line != o.Lines[i] {
			return false
		}
	}
	return true
}

func equalBalance(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

func before(a, b ledger.Date) bool { return compareDays(a, b) < 0 }

func compareDays(a, b ledger.Date) int {
	if a.Year != b.Year {
		return a.Year - b.Year
	}
	if a.Month != b.Month {
		return int(a.Month - b.Month)
	}
	return a.Day - b.Day
}

// oldestFirst turns lines that a file lists newest first, and reports whether it did. Their days show it; newestFirst decides
// where all have the same day. Lines of one day keep the order of the whole file.
func oldestFirst(lines []Line, newestFirst bool) bool {
	up, down := 0, 0
	var last ledger.Date
	for _, line := range lines {
		if line.BookedOn == (ledger.Date{}) {
			continue
		}
		if last != (ledger.Date{}) && before(last, line.BookedOn) {
			up++
		} else if last != (ledger.Date{}) && before(line.BookedOn, last) {
			down++
		}
		last = line.BookedOn
	}
	turn := down > up || up == 0 && down == 0 && newestFirst
	if turn {
		slices.Reverse(lines)
	}
	return turn
}
