package desk

import (
	"bytes"
	"net/http"
	"regexp"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/sheet"
	"konbit/internal/web"
)

// WriteFile writes the rows of a page's table as a file, if the request asks for one (WantsFile), and notes in the audit log who took
// it. Otherwise done is false and nothing is written. name is the file's name without its ending.
func (d *Desk) WriteFile(w http.ResponseWriter, r *http.Request, v web.StaffVisit, name string, table Table) (done bool, err error) {
	format := WantsFile(r)
	if format == "" {
		return false, nil
	}
	content, err := contentOf(format, table)
	if err != nil {
		return false, err
	}
	err = staff.InTx(r.Context(), d.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		return audit.RecordTx(r.Context(), tx, audit.Act{
			Name: "list.filed", EntityID: uuid.NullUUID{UUID: v.Entity.ID, Valid: true}, OrganisationID: v.Scope.OrganisationID,
			ObjectKind: "list", ObjectID: name, After: filterOf(r, format, len(table.Rows)),
		})
	})
	if err != nil {
		return false, err
	}
	web.WriteFile(w, sheet.MediaType(format), name+"."+format, content)
	return true, nil
}

// contentOf returns the bytes of a table's file.
func contentOf(format string, table Table) ([]byte, error) {
	var file bytes.Buffer
	rows := sheet.NewWriter(&file, format)
	if err := WriteRows(rows, table); err != nil {
		return nil, err
	}
	err := rows.Close()
	return file.Bytes(), err
}

// filters are the parameters of addresses that narrow lists. What was searched for may be a name, and is not among them.
var filters = []string{"state", "source", "every", "month", "year", "fund", "of", "day", "list", "origin", "about", "by", "person", "act", "from", "to"}

var plainValue = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,40}$`)

// filterOf returns which rows a file has, as the audit log says it: never a name or an address.
func filterOf(r *http.Request, format string, rows int) map[string]any {
	q := r.URL.Query()
	what := map[string]any{"format": format, "rows": rows}
	for _, name := range filters {
		if value := q.Get(name); plainValue.MatchString(value) {
			what[name] = value
		}
	}
	if q.Get("q") != "" || q.Get("object") != "" {
		what["search"] = true
	}
	if q.Get("after") != "" {
		what["first_page"] = false
	}
	return what
}

// WriteRows writes the names of a table's columns and its rows, without the total. A table with amounts has the column currency
// at its end.
func WriteRows(w sheet.Writer, table Table) error {
	head := make([]sheet.Cell, 0, len(table.Columns)+1)
	for _, column := range table.Columns {
		head = append(head, sheet.Text(column.Name))
	}
	withAmounts := false
	for _, row := range table.Rows {
		for _, cell := range row.Cells {
			withAmounts = withAmounts || cell.Amount != nil
		}
	}
	if withAmounts {
		head = append(head, sheet.Text("currency"))
	}
	if err := w.Row(head...); err != nil {
		return err
	}
	for _, row := range table.Rows {
		cells := FileCells(table, row.Cells)
		if !withAmounts {
			cells = cells[:len(table.Columns)]
		}
		if err := w.Row(cells...); err != nil {
			return err
		}
	}
	return nil
}

// FileCells returns the cells of a row as files have them, with the currency of its amounts at the end.
func FileCells(table Table, row []Cell) []sheet.Cell {
	cells, currency := make([]sheet.Cell, 0, len(row)+1), ""
	for i, cell := range row {
		cells = append(cells, cell.ofFile(table.Columns[i].Number))
		if cell.Amount != nil {
			currency = string(cell.Amount.Currency)
		}
	}
	return append(cells, sheet.Text(currency))
}

// ofFile returns what files have of a cell.
func (c Cell) ofFile(number bool) sheet.Cell {
	switch text := c.File; {
	case c.Amount != nil:
		return sheet.Decimal(c.Amount.Decimal())
	case !c.At.IsZero():
		return sheet.Moment(c.At)
	case !c.Day.IsZero():
		return sheet.Day(c.Day)
	default:
		if text == "" {
			text = c.Text
		}
		if number && isDecimal(text) {
			return sheet.Decimal(text)
		}
		return sheet.Text(text)
	}
}

// isDecimal reports whether text is a number as programs write it: digits, with an optional sign and fraction.
func isDecimal(text string) bool {
	digits, points := 0, 0
	for i, char := range text {
		switch {
		case char >= '0' && char <= '9':
			digits++
		case char == '-' && i == 0:
		case char == '.' && digits > 0 && points == 0:
			points++
		default:
			return false
		}
	}
	return digits > 0 && text[len(text)-1] != '.'
}
