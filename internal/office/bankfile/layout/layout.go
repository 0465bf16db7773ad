// Package layout says what the columns of CSV files mean: those of banks that are known, those that a person confirmed once,
// and a guess for all others. It reads the rows and leaves their values to its caller.
package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
)

// Layout says what the columns of a CSV file mean. It can be stored as JSON. A file is recognised by the fingerprint of its
// heading, or of the shape of its rows if it has no heading.
type Layout struct {
	Name        string      `json:"name"`
	Fingerprint string      `json:"fingerprint"`
	Delimiter   string      `json:"delimiter"`
	Heading     bool        `json:"heading"`
	Skip        int         `json:"skip"` // rows before the heading, or before the first row if there is no heading
	Columns     Columns     `json:"columns"`
	DateOrder   field.Order `json:"date_order"`       // "": the rows of each file show it
	Decimal     string      `json:"decimal"`          // "." or ","; "": the rows of each file show it
	Negate      bool        `json:"negate,omitempty"` // amounts are positive if money leaves the account

	// NewestFirst: the order of rows where all of them have the same day.
	NewestFirst bool `json:"newest_first,omitempty"`
	// PendingWithoutBalance: in a file with balances, a line without one is pending.
	PendingWithoutBalance bool `json:"pending_without_balance,omitempty"`
}

// Columns are numbers of columns, from 1; 0 if the file has no such column. Amount excludes Debit and Credit.
type Columns struct {
	Date      int   `json:"date"`
	Amount    int   `json:"amount,omitempty"`
	Debit     int   `json:"debit,omitempty"`
	Credit    int   `json:"credit,omitempty"`
	Sign      int   `json:"sign,omitempty"` // says debit or credit where amounts have no sign
	Text      []int `json:"text"`
	Reference int   `json:"reference,omitempty"`
	Balance   int   `json:"balance,omitempty"` // after the line
	Status    int   `json:"status,omitempty"`  // says which lines are pending
	Currency  int   `json:"currency,omitempty"`
	Account   int   `json:"account,omitempty"` // lines of several accounts are several statements
	BankID    int   `json:"bank_id,omitempty"`
}

// Check reports an error if the layout is not complete or its parts contradict each other.
func (l Layout) Check() error {
	c := l.Columns
	amounts := c.Amount > 0 && c.Debit == 0 && c.Credit == 0 || c.Amount == 0 && (c.Debit > 0 || c.Credit > 0)
	const widest = 500
	numbers := append([]int{c.Date, c.Amount, c.Debit, c.Credit, c.Sign, c.Reference, c.Balance, c.Status, c.Currency, c.Account, c.BankID}, c.Text...)
	for _, n := range numbers {
		if n < 0 || n > widest {
			amounts = false
		}
	}
	switch {
	case c.Date == 0 || !amounts || len(c.Text) == 0 || l.Skip < 0 || c.Sign > 0 && c.Amount == 0:
		return fault.New(fault.Invalid, "bankfile.problem.layout_columns", nil)
	case len(l.Delimiter) != 1 || !strings.Contains(strings.Join(Delimiters, ""), l.Delimiter),
		!strings.Contains(" mdy dmy ymd  ", " "+string(l.DateOrder)+" "), l.Decimal != "" && l.Decimal != "." && l.Decimal != ",":
		return fault.New(fault.Invalid, "bankfile.problem.layout_columns", nil)
	}
	return nil
}

// FingerprintOf returns the fingerprint of a heading.
func FingerprintOf(heading []string) string {
	var words []string
	for _, cell := range heading {
		words = append(words, strings.ToLower(field.OneLine(cell)))
	}
	for len(words) > 0 && words[len(words)-1] == "" {
		words = words[:len(words)-1]
	}
	sum := sha256.Sum256([]byte(strings.Join(words, "\x1f")))
	const length = 16
	return hex.EncodeToString(sum[:length])
}

// ShapeOf returns the fingerprint of rows without a heading: how many columns there are, and which of them always have a
// date, an amount with decimals, or a star.
func ShapeOf(rows []Row) string {
	width := 0
	for _, row := range rows {
		width = max(width, len(row.Cells))
	}
	shape := "shape:" + strconv.Itoa(width) + ":"
	for column := range width {
		shape += string(kindOf(rows, column+1))
	}
	return shape
}

// kindOf returns the kind of a column: D if it always has a date, N if it always has an amount with decimals, * if it always
// has a star, T else.
func kindOf(rows []Row, column int) byte {
	var dates, amounts, stars, all int
	for _, row := range rows {
		if row.Empty() {
			continue
		}
		all++
		cell := row.Cell(column)
		if _, ok := field.OrdersOf(cell); ok {
			dates++
		} else if field.LooksLikeAmount(cell) && strings.ContainsAny(cell, ".,") {
			amounts++
		} else if cell == "*" {
			stars++
		}
	}
	switch {
	case all == 0:
		return 'T'
	case dates == all:
		return 'D'
	case amounts == all:
		return 'N'
	case stars == all:
		return '*'
	default:
		return 'T'
	}
}

// named returns a layout of a heading that banks in the United States write.
func named(name, heading string, columns Columns) Layout {
	return Layout{Name: name, Fingerprint: FingerprintOf(strings.Split(heading, ",")), Delimiter: ",", Heading: true, Columns: columns,
		DateOrder: field.MonthFirst, Decimal: "."}
}

// Known returns the layouts that are known without asking anybody.
func Known() []Layout {
	chase := named("Chase", "Details,Posting Date,Description,Amount,Type,Balance,Check or Slip #",
		Columns{Date: 2, Amount: 4, Text: []int{3}, Balance: 6, Reference: 7})
	chase.PendingWithoutBalance, chase.NewestFirst = true, true
	return []Layout{
		chase,
		named("Chase, cards", "Transaction Date,Post Date,Description,Category,Type,Amount,Memo", Columns{Date: 2, Amount: 6, Text: []int{3, 7}}),
		named("Bank of America", "Date,Description,Amount,Running Bal.", Columns{Date: 1, Amount: 3, Text: []int{2}, Balance: 4}),
		named("Charles Schwab", "Date,Status,Type,CheckNumber,Description,Withdrawal,Deposit,RunningBalance",
			Columns{Date: 1, Status: 2, Reference: 4, Text: []int{5}, Debit: 6, Credit: 7, Balance: 8}),
		named("Charles Schwab", "Date,Type,Check #,Description,Withdrawal (-),Deposit (+),RunningBalance",
			Columns{Date: 1, Reference: 3, Text: []int{4}, Debit: 5, Credit: 6, Balance: 7}),
		named("Wells Fargo", "DATE,DESCRIPTION,AMOUNT,CHECK #,STATUS", Columns{Date: 1, Text: []int{2}, Amount: 3, Reference: 4, Status: 5}),
		named("U.S. Bank", "Date,Transaction,Name,Memo,Amount", Columns{Date: 1, Text: []int{3, 4}, Amount: 5}),
		named("Citi", "Status,Date,Description,Debit,Credit", Columns{Status: 1, Date: 2, Text: []int{3}, Debit: 4, Credit: 5}),
		named("Capital One", "Account Number,Transaction Description,Transaction Date,Transaction Type,Transaction Amount,Balance",
			Columns{Account: 1, Text: []int{2}, Date: 3, Sign: 4, Amount: 5, Balance: 6}),
		{Name: "Wells Fargo", Fingerprint: "shape:5:DN*TT", Delimiter: ",", DateOrder: field.MonthFirst, Decimal: ".",
			Columns: Columns{Date: 1, Amount: 2, Reference: 4, Text: []int{5}}},
	}
}
