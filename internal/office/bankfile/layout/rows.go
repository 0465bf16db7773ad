package layout

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"konbit/internal/office/bankfile/field"
	"konbit/internal/platform/fault"
)

// Row is a row of a CSV file: its cells, and the line of the file where it begins.
type Row struct {
	Cells []string
	Line  int
}

// Cell returns a cell by its number, from 1; "" if the row has no such cell or the number is 0.
func (r Row) Cell(number int) string {
	if number < 1 || number > len(r.Cells) {
		return ""
	}
	return r.Cells[number-1]
}

// Delimiters are the signs between cells. They are tried in this order; the first of the best is taken.
var Delimiters = []string{",", ";", "\t", "|"}

// SampleRows is the number of rows by which a file is recognised.
const SampleRows = 60

// Source is the text of a CSV file.
type Source struct {
	Named   string // delimiter that the file names itself, "" if it names none
	text    string
	first   int // line of the file where the text begins
	lines   int // most movements
	longest int // most bytes of a cell
}

// Open returns a text as the source of rows, with limits. A spreadsheet names the delimiter in a first line "sep=;".
func Open(text string, lines, longest int) Source {
	trimmed := strings.TrimLeft(text, "\n")
	s := Source{text: trimmed, first: 1 + len(text) - len(trimmed), lines: lines, longest: longest}
	line, after, _ := strings.Cut(trimmed, "\n")
	name, found := strings.CutPrefix(strings.ToLower(strings.Trim(line, `"`)), "sep=")
	if found && len(name) == 1 && slices.Contains(Delimiters, name) {
		s.Named, s.text, s.first = name, after, s.first+1
	}
	return s
}

// First returns the line of the file where the rows begin.
func (s Source) First() int { return s.first }

// Rows reads the rows; at most limit if it is not 0. A cell that no quote closes would swallow the rows after it:
// such a file is read again with quotes as they stand, and refused if a cell then holds a line break.
func (s Source) Rows(delimiter string, limit int) ([]Row, error) {
	rows, err := s.parse(delimiter, limit, false)
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		rows, err = s.parse(delimiter, limit, true)
		for _, row := range rows {
			for _, cell := range row.Cells {
				if strings.Contains(cell, "\n") {
					return nil, field.Refuse(row.Line, field.TextField, cell, "bankfile.problem.quote", nil)
				}
			}
		}
	}
	if errors.As(err, &syntax) {
		return nil, field.Refuse(syntax.Line+s.first-1, field.StructureField, "", "bankfile.problem.quote", nil)
	}
	return rows, err
}

func (s Source) parse(delimiter string, limit int, lazy bool) ([]Row, error) {
	r := csv.NewReader(strings.NewReader(s.text))
	r.Comma, r.FieldsPerRecord, r.LazyQuotes, r.TrimLeadingSpace = rune(delimiter[0]), -1, lazy, delimiter != "\t"
	var rows []Row
	most := s.lines + 1000 // rows that are no movements
	for limit == 0 || len(rows) < limit {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return rows, err
		}
		line, _ := r.FieldPos(0)
		for i, cell := range cells {
			if err := field.Fits(cell, s.longest, line+s.first-1); err != nil {
				return rows, err
			}
			cells[i] = bare(cell)
		}
		if rows = append(rows, Row{cells, line + s.first - 1}); len(rows) > most {
			return rows, field.Refuse(line+s.first-1, field.StructureField, "", "bankfile.problem.too_many", fault.Args{"limit": s.lines})
		}
	}
	return rows, nil
}

// bare returns a cell without spaces around it and without what keeps a spreadsheet from computing it: ="00123", '-5.
func bare(cell string) string {
	cell = strings.TrimSpace(cell)
	if inner, found := strings.CutPrefix(cell, `="`); found && strings.HasSuffix(inner, `"`) {
		return strings.TrimSpace(strings.TrimSuffix(inner, `"`))
	}
	if len(cell) > 1 && cell[0] == '\'' && strings.ContainsRune("=+-@", rune(cell[1])) {
		return cell[1:]
	}
	return cell
}

// Delimiter returns the delimiter with which most rows have a date and an amount, and how many have them.
func (s Source) Delimiter() (best string, most int) {
	best = Delimiters[0]
	for _, delimiter := range Delimiters {
		rows, err := s.Rows(delimiter, SampleRows)
		if err != nil {
			continue
		}
		count := 0
		for _, row := range rows {
			if IsMovement(row) {
				count++
			}
		}
		if count > most {
			best, most = delimiter, count
		}
	}
	return best, most
}

// IsMovement reports whether a row has a date and, in another cell, an amount.
func IsMovement(row Row) bool {
	date, number := false, false
	for _, cell := range row.Cells {
		if _, ok := field.OrdersOf(cell); ok && !date {
			date = true
		} else if field.LooksLikeAmount(cell) {
			number = true
		}
	}
	return date && number
}

// Empty reports whether no cell has anything.
func (r Row) Empty() bool { return strings.Join(r.Cells, "") == "" }
