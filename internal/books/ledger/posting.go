package ledger

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// Posting is one line of an entry.
type Posting struct {
	Account Account
	FundID  uuid.UUID
	Amount  int64 // in minor units of the books' currency, debit positive, never zero

	// Dimensions are ids and codes by which reports group this line: nature of spending, bank account, grant, tranche.
	// What is the same for all lines belongs in Entry.Dimensions. nil if there are none.
	Dimensions map[string]string
	// Foreign is what the line was in another currency; nil if it was in the books' currency.
	Foreign *Foreign
}

// Foreign is the amount of a line in the currency in which it was paid or received. The books balance in their own
// currency; the foreign amount and the rate are stored as the bank or the processor stated them.
type Foreign struct {
	Amount money.Amount // has the sign of Posting.Amount
	Rate   Rate
}

// Rate is the price of one major unit of a foreign currency in major units of the books' currency: an exact decimal
// with at most twelve digits before and twelve after the point, such as "1.0835". It is above zero. ParseRate makes
// one.
type Rate struct {
	digits string // in its shortest form
}

var rateText = regexp.MustCompile(`^([0-9]{1,12})(?:\.([0-9]{1,12}))?$`)

// ParseRate reads a rate. It reports an error if the text is not a decimal above zero of at most twelve and twelve
// digits.
func ParseRate(text string) (Rate, error) {
	parts := rateText.FindStringSubmatch(text)
	if parts == nil || strings.Trim(text, "0.") == "" {
		return Rate{}, fmt.Errorf("ledger: %q is not a rate: want a decimal above zero such as 1.0835", text)
	}
	whole, decimals := strings.TrimLeft(parts[1], "0"), strings.TrimRight(parts[2], "0")
	if whole == "" {
		whole = "0"
	}
	if decimals != "" {
		whole += "." + decimals
	}
	return Rate{whole}, nil
}

// String returns the rate in its shortest form; "" for the zero Rate.
func (r Rate) String() string { return r.digits }

// Move returns the two postings that debit one account and credit another in one fund. A negative amount
// moves the other way.
func Move(debit, credit Account, fundID uuid.UUID, amount int64) []Posting {
	return []Posting{{Account: debit, FundID: fundID, Amount: amount}, {Account: credit, FundID: fundID, Amount: -amount}}
}

// dimensionName matches the names that every journal format accepts.
var dimensionName = regexp.MustCompile(`^[a-z][a-z0-9_-]*$`)

// problem says what is wrong with a posting in books of a currency; "" if nothing is.
func (p Posting) problem(books money.Currency) string {
	if p.Amount == 0 || p.Account == "" || p.FundID == uuid.Nil {
		return "is empty"
	}
	for name, value := range p.Dimensions {
		if !dimensionName.MatchString(name) || value == "" {
			return fmt.Sprintf("has the dimension %q with the value %q", name, value)
		}
	}
	switch f := p.Foreign; {
	case f == nil:
		return ""
	case !f.Amount.Currency.Valid() || f.Amount.Currency == books:
		return fmt.Sprintf("has a foreign amount in %q", f.Amount.Currency)
	case f.Amount.Minor == 0 || f.Amount.Minor > 0 != (p.Amount > 0):
		return fmt.Sprintf("is %d and has the foreign amount %d", p.Amount, f.Amount.Minor)
	case f.Rate == Rate{}:
		return "has a foreign amount without a rate"
	}
	return ""
}

// mirrored returns the posting with the opposite sign.
func (p Posting) mirrored() Posting {
	p.Amount = -p.Amount
	if p.Foreign != nil {
		f := *p.Foreign
		f.Amount.Minor = -f.Amount.Minor
		p.Foreign = &f
	}
	return p
}

// storedDetails are the columns of a posting that most lines leave NULL, as they are scanned.
type storedDetails struct {
	dimensions      []byte
	foreignCurrency *string
	foreignAmount   *int64
	rate            *string
}

func (d *storedDetails) into() []any {
	return []any{&d.dimensions, &d.foreignCurrency, &d.foreignAmount, &d.rate}
}

// of sets the dimensions and the foreign amount of a posting.
func (d *storedDetails) of(p *Posting) error {
	p.Dimensions, p.Foreign = nil, nil
	if d.dimensions != nil {
		if err := json.Unmarshal(d.dimensions, &p.Dimensions); err != nil {
			return err
		}
	}
	if d.foreignCurrency == nil {
		return nil
	}
	rate, err := ParseRate(*d.rate)
	if err != nil {
		return err
	}
	p.Foreign = &Foreign{money.New(*d.foreignAmount, money.Currency(*d.foreignCurrency)), rate}
	return nil
}

// addDetails adds the posting's dimensions, foreign currency, foreign amount and rate as a row; what it does not have is
// NULL.
func (p Posting) addDetails(rows *pg.Columns) error {
	var dimensions, currency, amount, rate any
	if len(p.Dimensions) > 0 {
		text, err := json.Marshal(p.Dimensions)
		if err != nil {
			return err
		}
		dimensions = string(text)
	}
	if f := p.Foreign; f != nil {
		currency, amount, rate = string(f.Amount.Currency), f.Amount.Minor, f.Rate.String()
	}
	rows.Add(dimensions, currency, amount, rate)
	return nil
}

func (d draft) hasDetails() bool {
	return slices.ContainsFunc(d.Postings, func(p Posting) bool { return len(p.Dimensions) > 0 || p.Foreign != nil })
}
