package bankfile

import (
	"slices"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/bankfile/layout"
	"konbit/internal/platform/fault"
)

// AskLayout is the error of a CSV file whose layout is not known. A person looks at the guess and corrects it; then the file
// is read with the layout, which is remembered.
type AskLayout struct {
	Guess    Layout       // may be incomplete, see Layout.Check
	Heading  []string     // nil if the file has none
	Rows     []PreviewRow // the first rows, as the guess reads them
	DayFirst *AskDayFirst // the rows do not show the order of dates; nil if they do
}

// PreviewRow is a row of the file and what a layout makes of it: a line, an error, or neither if the row is no movement.
type PreviewRow struct {
	Row   int
	Cells []string
	Line  *Line
	Error *field.Error
}

func (e *AskLayout) Error() string { return "bankfile: an unknown layout of a CSV file" }

// Unwrap returns the phrase for readers.
func (e *AskLayout) Unwrap() error { return fault.New(fault.Invalid, "bankfile.ask.layout", nil) }

// previewRows is the number of rows that a person sees.
const previewRows = 12

// ask returns the question about a file of an unknown layout.
func (in *reading) ask(source layout.Source) error {
	delimiter := source.Named
	if delimiter == "" {
		delimiter, _ = source.Delimiter()
	}
	rows, err := source.Rows(delimiter, 0)
	if err != nil {
		return err
	}
	first := slices.IndexFunc(rows, layout.IsMovement)
	if first < 0 {
		return field.Refuse(0, field.StructureField, "", "bankfile.problem.unknown_format", nil)
	}
	heading := first - 1
	for heading >= 0 && (rows[heading].Empty() || len(rows[heading].Cells) < 2) {
		heading--
	}
	guess := layout.Layout{Delimiter: delimiter, Skip: first, Heading: heading >= 0}
	ask := &AskLayout{}
	if guess.Heading {
		guess.Skip, guess.Fingerprint, ask.Heading = heading, layout.FingerprintOf(rows[heading].Cells), rows[heading].Cells
	} else {
		guess.Fingerprint = layout.ShapeOf(rows[first:min(len(rows), first+layout.SampleRows)])
	}
	data := rows[first:]
	guess.Columns = layout.GuessColumns(ask.Heading, data[:min(len(data), 500)])
	table := &csvTable{layout: guess, rows: data}
	if err := table.settle(); err != nil {
		_, ask.DayFirst = AsAsk(err)
	}
	ask.Guess = table.layout
	ask.Rows = in.preview(table)
	return ask
}

// preview reads the first rows by a layout.
func (in *reading) preview(t *csvTable) (rows []PreviewRow) {
	if t.layout.DateOrder == "" {
		t.layout.DateOrder = field.MonthFirst // to show something; AskLayout.DayFirst says that it is a guess
	}
	complete := t.layout.Check() == nil
	for _, row := range t.rows[:min(len(t.rows), previewRows)] {
		p := PreviewRow{Row: row.Line, Cells: row.Cells}
		if complete {
			l, kind, err := in.csvLine(t, row)
			p.Error = AsError(err)
			if err == nil && kind == aLine {
				l.line.Text = field.Cut(field.OneLine(l.line.Text))
				p.Line = &l.line
			}
		}
		rows = append(rows, p)
	}
	return rows
}

// Preview returns the first rows of a CSV file as a layout reads them, for the page on which a person corrects a guess.
func Preview(raw []byte, l Layout, o Options) ([]PreviewRow, error) {
	if err := l.Check(); err != nil {
		return nil, err
	}
	if o.Limits == (Limits{}) {
		o.Limits = DefaultLimits()
	}
	if o.Currency == "" {
		o.Currency = "USD"
	}
	if int64(len(raw)) > o.Limits.Bytes {
		return nil, field.Refuse(0, field.StructureField, "", "bankfile.problem.too_large", fault.Args{"megabytes": o.Limits.Bytes >> 20})
	}
	o.Layout = &l
	in := &reading{limits: o.Limits, currency: o.Currency, options: o}
	text, _ := field.Decode(raw)
	table, err := in.table(text)
	if err != nil {
		return nil, err
	}
	if err := table.settle(); err != nil {
		if _, order := AsAsk(err); order == nil {
			return nil, err
		}
	}
	return in.preview(table), nil
}
