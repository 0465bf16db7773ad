package giftimport

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"konbit/internal/office/bankfile/field"
)

// Mapping says what the columns of a file are, and what rows have that have no column for it.
type Mapping struct {
	Columns    []string          `json:"columns"`     // the field of each column; "" for one that is not read
	Defaults   map[string]string `json:"defaults"`    // by field: received_on, method, fund, given_by
	DateOrder  field.Order       `json:"date_order"`  // where the days do not show it
	DecimalsOf string            `json:"decimals_of"` // the language in which amounts are written: en (1,250.50) or es (1.250,50)
}

// Fields are the fields that a column can be, in their order on the page.
var Fields = []string{
	ReceivedOn, Name, "first_name", "last_name", "organisation", "email", "address_line1", "address_line2", "city", "region", "postal_code", "country",
	"amount", "method", "number", "postmarked_on", "fund", "given_by", "note", "in_return", "in_return_value", "counted_by",
}

// Fields of a file that a row of a batch does not have.
const (
	ReceivedOn = "received_on"
	Name       = "name" // first and last name together
)

// DefaultFields are the fields that rows may have in common.
var DefaultFields = []string{ReceivedOn, "method", "fund"}

// Guess returns what the columns seem to be, by their headings: each field once, the first column of it.
func Guess(t Table) Mapping {
	m := Mapping{Columns: make([]string, len(t.Heading)), Defaults: map[string]string{"method": "check"}, DecimalsOf: "en"}
	taken := map[string]bool{}
	for i, heading := range t.Heading {
		name := plain(heading)
		for _, f := range Fields {
			if !taken[f] && (slices.Contains(headings[f], name) || strings.ReplaceAll(f, "_", " ") == name) {
				m.Columns[i], taken[f] = f, true
				break
			}
		}
	}
	return m
}

// plain returns a heading in lower case, without accents and signs.
func plain(text string) string {
	replaced := strings.NewReplacer("á", "a", "é", "e", "í", "i", "ó", "o", "ú", "u", "ñ", "n", "ü", "u", "_", " ").Replace(strings.ToLower(text))
	words := strings.FieldsFunc(replaced, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '#' && r != '-' })
	return strings.Join(words, " ")
}

// Problem returns why a mapping cannot be used, as a phrase after office.import.error.; empty: it can. t is the file's table.
func (m Mapping) Problem(t Table) string {
	if len(m.Columns) != len(t.Heading) {
		return "columns"
	}
	seen := map[string]bool{}
	for _, f := range m.Columns {
		switch {
		case f == "":
		case !slices.Contains(Fields, f):
			return "columns"
		case seen[f]:
			return "twice"
		}
		seen[f] = true
	}
	switch {
	case !seen["amount"] && !seen["note"]:
		return "no_amount"
	case !seen[Name] && !seen["first_name"] && !seen["last_name"] && !seen["organisation"]:
		return "no_name"
	case seen[ReceivedOn] && m.DateOrder == "" && ambiguous(t, slices.Index(m.Columns, ReceivedOn)):
		return "date_order"
	case !seen[ReceivedOn] && m.Defaults[ReceivedOn] == "":
		return "no_day"
	}
	return ""
}

// ambiguous reports whether the days of a column mean something else with the month or the day first, and no row shows which.
func ambiguous(t Table, column int) bool {
	can, differs := field.AnyOrder, false
	for _, r := range t.Rows {
		text := r.Cell(column)
		if orders, ok := field.OrdersOf(text); ok {
			can &= orders
			differs = differs || orders != field.AnyOrder && !field.Same(text)
		}
	}
	return differs && can&field.CanMonthFirst != 0 && can&field.CanDayFirst != 0
}

// order returns the order of the days of a column.
func (m Mapping) order(t Table, column int) field.Order {
	if m.DateOrder != "" || column < 0 {
		return m.DateOrder
	}
	can := field.AnyOrder
	for _, r := range t.Rows {
		if orders, ok := field.OrdersOf(r.Cell(column)); ok {
			can &= orders
		}
	}
	if can&field.CanMonthFirst == 0 && can&field.CanDayFirst != 0 {
		return field.DayFirst
	}
	return field.MonthFirst
}

// Scan reads the column mapping.
func (m *Mapping) Scan(value any) error {
	content, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("giftimport: %T is no JSON", value)
	}
	return json.Unmarshal(content, m)
}

// Value writes the column mapping.
func (m Mapping) Value() (driver.Value, error) {
	content, err := json.Marshal(m)
	return string(content), err
}
