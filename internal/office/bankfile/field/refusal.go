package field

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Names of fields in an Error.
const (
	DateField      = "date"
	AmountField    = "amount"
	BalanceField   = "balance"
	CurrencyField  = "currency"
	TextField      = "text"
	DirectionField = "direction" // credit or debit
	RecordField    = "record"
	TotalField     = "total"
	StructureField = "structure" // of the file
)

// Error says why a file is refused. It contains a *fault.Error of kind Invalid with a phrase that says what is wrong and
// how to mend it.
type Error struct {
	Row   int    // line of the file, from 1; 0 if it is about the whole file
	Field string // one of the names above; "" if it is about no field
	Value string // as it stands in the file, at most 60 characters
	why   *fault.Error
}

func (e *Error) Error() string {
	return fmt.Sprintf("bankfile: line %d, %s %q: %v", e.Row, e.Field, e.Value, e.why)
}

// Unwrap returns the *fault.Error.
func (e *Error) Unwrap() error { return e.why }

// Phrase returns the key of the phrase and its values.
func (e *Error) Phrase() (string, fault.Args) { return e.why.Phrase, e.why.Args }

// Refuse returns the error of a file. The phrase gets the values line and value, and those of args.
func Refuse(row int, name, value, phrase string, args fault.Args) *Error {
	value = Excerpt(OneLine(value))
	all := fault.Args{"line": row, "value": value}
	for key, arg := range args {
		all[key] = arg
	}
	return &Error{Row: row, Field: name, Value: value, why: fault.New(fault.Invalid, phrase, all)}
}

// Excerpt returns the beginning of a text, for a message.
func Excerpt(text string) string {
	const most = 60
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most-1]) + "…"
	}
	return text
}

// AmountOf is Amount that says in which line and field of the file the error is.
func AmountOf(text string, sign byte, currency money.Currency, name string, row int) (int64, error) {
	minor, err := Amount(text, sign, currency)
	if err != nil {
		return 0, BadAmount(text, name, row, currency, err)
	}
	return minor, nil
}

// BadAmount returns the error of a field whose amount cannot be read.
func BadAmount(text, name string, row int, currency money.Currency, err error) error {
	phrase := "bankfile.problem.amount"
	switch {
	case errors.Is(err, ErrPlaces):
		phrase = "bankfile.problem.places"
	case errors.Is(err, ErrAmbiguous):
		phrase = "bankfile.problem.thousands"
	case errors.Is(err, ErrRange):
		phrase = "bankfile.problem.range"
	}
	return Refuse(row, name, text, phrase, fault.Args{"places": currency.Exponent(), "currency": string(currency)})
}

// BadDate returns the error of a date that cannot be read or is missing.
func BadDate(text string, row int) error {
	if OneLine(text) == "" {
		return Refuse(row, DateField, "", "bankfile.problem.no_date", nil)
	}
	return Refuse(row, DateField, text, "bankfile.problem.date", nil)
}

// CutShort returns the error of a file that ends too early.
func CutShort(row int) error {
	return Refuse(row, StructureField, "", "bankfile.problem.cut_short", nil)
}

// CurrencyOf reads a currency's code.
func CurrencyOf(text string, row int) (money.Currency, error) {
	if c := money.Currency(OneLine(text)); c.Valid() {
		return c, nil
	}
	return "", Refuse(row, CurrencyField, text, "bankfile.problem.currency", nil)
}
