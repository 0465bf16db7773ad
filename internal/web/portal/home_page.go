package portal

import (
	"io"
	"time"

	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web/portal/giftpage"
)

// HomePage is a summary of what a donor gave.
type HomePage struct {
	Page
	Name  string // first name for the greeting; may be empty
	Year  int    // the current year
	Sums  []Total
	Funds []FundTotal // the largest first
	Plans []giftpage.PlanItem
	Gifts []GiftItem // the newest few
}

// Total is what a donor gave in one currency, less what was returned.
type Total struct {
	Year, All money.Amount
	Gifts     int // number of gifts of all years
}

// FundTotal is the part of a Total that is for one fund.
type FundTotal struct {
	Fund, Organisation string
	Year, All          money.Amount
}

// GiftItem is a gift in a list.
type GiftItem struct {
	Day          time.Time // in the entity's time zone
	Organisation string
	Funds        []string
	Amount       money.Amount // as charged
	NetAmount    money.Amount // less what was returned
	State        string       // settled, processing, held, failed, part_returned, returned
	Every        string       // frequency of the gift's plan; empty for a single gift
	ReceiptURL   string       // empty if there is no receipt
	Number       string       // of the receipt
}

// Write writes the page.
func (p HomePage) Write(w io.Writer, v *view.View) error {
	type bar struct {
		FundTotal
		All, Year int64 // thousandths of the largest fund's total
	}
	data := struct {
		HomePage
		Bars []bar
	}{HomePage: p}
	for _, f := range p.Funds {
		most := largest(p.Funds, f.All.Currency)
		data.Bars = append(data.Bars, bar{f, f.All.Minor * 1000 / most, f.Year.Minor * 1000 / most})
	}
	return v.Write(w, "portal/home", p.Language, data)
}

// largest returns the largest total of a fund in a currency, in minor units, at least one.
func largest(funds []FundTotal, c money.Currency) (most int64) {
	for _, f := range funds {
		if f.All.Currency == c {
			most = max(most, f.All.Minor)
		}
	}
	return max(most, 1)
}

// PlansPage lists a donor's recurring gifts.
type PlansPage struct {
	Page
	Plans []giftpage.PlanItem
}

// Write writes the page.
func (p PlansPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/plans", p.Language, p)
}
