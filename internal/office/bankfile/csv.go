package bankfile

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/layout"
	"konbit/internal/platform/fault"
)

// AskDayFirst is the error of a CSV file whose dates have day and month as numbers and no row shows which of them comes first.
// The file is read when it comes again with Layout, and its DateOrder set.
type AskDayFirst struct {
	Layout  Layout
	Samples []string // dates as they stand in the file
}

func (e *AskDayFirst) Error() string {
	return "bankfile: day or month first: " + strings.Join(e.Samples, ", ")
}

// Unwrap returns the phrase for readers.
func (e *AskDayFirst) Unwrap() error {
	return fault.New(fault.Invalid, "bankfile.ask.day_first", fault.Args{"value": strings.Join(e.Samples, ", ")})
}

// csvTable is a CSV file of which the layout is known.
type csvTable struct {
	layout  Layout
	before  []layout.Row // rows before the heading
	rows    []layout.Row // rows after it
	decimal byte
	signed  bool // the column of debits has negative numbers
	account Account
}

// accountInName matches the last digits of an account in the file names of some banks: Chase1234_Activity.csv, xxxx1234.csv.
var accountInName = regexp.MustCompile(`(?i)(?:^chase|x{2,}|\*{2,})(\d{4})(?:\D|$)`)

func (in *reading) readCSV(text, name string) (File, error) {
	table, err := in.table(text)
	if err != nil {
		return File{}, err
	}
	if m := accountInName.FindStringSubmatch(name); m != nil {
		table.account = Account{ID: m[1], Last4: m[1]}
	}
	if err := table.settle(); err != nil {
		return File{}, err
	}
	f := File{Layout: &table.layout}
	if err := in.csvStatements(&f, table); err != nil {
		return File{}, err
	}
	return f, nil
}

// table finds the layout of a file, or returns *AskLayout.
func (in *reading) table(text string) (*csvTable, error) {
	source := layout.Open(text, in.limits.Lines, in.limits.Field)
	if given := in.options.Layout; given != nil {
		if err := given.Check(); err != nil {
			return nil, err
		}
		rows, err := source.Rows(given.Delimiter, 0)
		if err != nil {
			return nil, err
		}
		if table := tableOf(*given, rows); table != nil {
			return table, nil
		}
		return nil, field.Refuse(source.First(), field.StructureField, "", "bankfile.problem.layout", fault.Args{"name": given.Name})
	}
	known := slices.DeleteFunc(append(slices.Clone(in.options.Layouts), layout.Known()...), func(l Layout) bool { return l.Check() != nil })
	for _, delimiter := range layout.Delimiters {
		sample, err := source.Rows(delimiter, layout.SampleRows)
		if err != nil {
			continue
		}
		for _, l := range known {
			if l.Delimiter != delimiter || tableOf(l, sample) == nil {
				continue
			}
			rows, err := source.Rows(delimiter, 0)
			if err != nil {
				return nil, err
			}
			return tableOf(l, rows), nil
		}
	}
	return nil, in.ask(source)
}

// tableOf divides rows at the heading of a layout; nil if the rows do not have it.
func tableOf(l Layout, rows []layout.Row) *csvTable {
	if !l.Heading {
		skip := min(l.Skip, len(rows))
		sample := rows[skip:min(len(rows), skip+layout.SampleRows)]
		if len(sample) == 0 || layout.ShapeOf(sample) != l.Fingerprint {
			return nil
		}
		return &csvTable{layout: l, before: rows[:skip], rows: rows[skip:]}
	}
	for i, row := range rows[:min(len(rows), layout.SampleRows)] {
		if layout.FingerprintOf(row.Cells) == l.Fingerprint {
			l.Skip = i
			return &csvTable{layout: l, before: rows[:i], rows: rows[i+1:]}
		}
	}
	return nil
}

// settle decides the order of dates and the decimal sign by all rows together, as far as the layout leaves them open.
func (t *csvTable) settle() error {
	c := t.layout.Columns
	var numbers []string
	negative, positive := 0, 0
	for _, row := range t.rows {
		for _, column := range []int{c.Amount, c.Debit, c.Credit, c.Balance} {
			if cell := row.Cell(column); cell != "" {
				numbers = append(numbers, cell)
			}
		}
		switch debit := row.Cell(c.Debit); {
		case strings.ContainsAny(debit, "-−("):
			negative++
		case strings.ContainsAny(debit, "123456789"):
			positive++
		}
	}
	t.signed = negative > positive
	if t.layout.Decimal == "" {
		if sign := field.DecimalSign(numbers); sign != 0 {
			t.layout.Decimal = string(sign)
		}
	}
	if t.layout.Decimal != "" {
		t.decimal = t.layout.Decimal[0]
	}
	return t.settleOrder()
}

// settleOrder decides the order of dates.
func (t *csvTable) settleOrder() error {
	if t.layout.DateOrder != "" {
		return nil
	}
	possible, ambiguous := field.AnyOrder, []string(nil)
	for _, row := range t.rows {
		cell := row.Cell(t.layout.Columns.Date)
		orders, ok := field.OrdersOf(cell)
		if !ok || t.amountCells(row) == "" {
			continue
		}
		possible &= orders
		if orders&field.CanMonthFirst != 0 && orders&field.CanDayFirst != 0 && orders != field.AnyOrder && !field.Same(cell) &&
			len(ambiguous) < 5 && !slices.Contains(ambiguous, cell) {
			ambiguous = append(ambiguous, cell)
		}
	}
	switch {
	case possible == field.CanMonthFirst:
		t.layout.DateOrder = field.MonthFirst
	case possible == field.CanDayFirst:
		t.layout.DateOrder = field.DayFirst
	case possible == field.CanYearFirst:
		t.layout.DateOrder = field.YearFirst
	case len(ambiguous) > 0:
		return &AskDayFirst{Layout: t.layout, Samples: ambiguous}
	}
	return nil
}

// amountCells returns the cells with a row's amount together; "" if there is none.
func (t *csvTable) amountCells(row layout.Row) string {
	c := t.layout.Columns
	return layout.Blank(row.Cell(c.Amount)) + layout.Blank(row.Cell(c.Debit)) + layout.Blank(row.Cell(c.Credit))
}

// footers are the first words of rows that are no movements.
var footers = regexp.MustCompile(`(?i)^\W*(totals?|subtotals?|sums?|ending|closing|opening|beginning|balance|saldo|suma|end of|fin de|generated|count)\b`)

// isFooter reports whether a row without a date is a sum or a remark.
func (t *csvTable) isFooter(row layout.Row) bool {
	if t.amountCells(row) == "" {
		return true
	}
	for _, cell := range row.Cells {
		if footers.MatchString(cell) {
			return true
		}
	}
	return false
}

var asOf = regexp.MustCompile(`(?i)^(beginning|opening|starting|ending|closing) balance\b(?: as of)?\s*(\S*)`)

// summary reads the balances that a bank writes above the heading: "Beginning balance as of 01/01/2026", "1,000.00".
func (t *csvTable) summary(s *Statement) {
	for _, row := range t.before {
		m := asOf.FindStringSubmatch(row.Cell(1))
		if m == nil {
			continue
		}
		for _, cell := range slices.Backward(row.Cells[1:]) {
			minor, err := field.Amount(cell, t.decimal, s.Currency)
			if err != nil {
				continue
			}
			day, _ := field.Date(m[2], t.layout.DateOrder)
			if word := strings.ToLower(m[1]); word == "ending" || word == "closing" {
				s.Closing, s.ClosingOn, s.To = &minor, day, day
			} else {
				s.Opening, s.From = &minor, day
			}
			break
		}
	}
}

// AsAsk returns the question in err: whether the layout is unknown, or the order of dates; nil, nil if it has none.
func AsAsk(err error) (*AskLayout, *AskDayFirst) {
	var layout *AskLayout
	var order *AskDayFirst
	errors.As(err, &layout)
	errors.As(err, &order)
	return layout, order
}
