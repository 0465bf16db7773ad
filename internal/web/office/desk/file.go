package desk

import (
	"bytes"
	"net/http"

	"konbit/internal/platform/sheet"
	"konbit/internal/web"
)

// WriteFile writes the rows of a page's table as a file, if the request asks for one (WantsFile). Otherwise done is false
// and nothing is written. name is the file's name without its ending.
func WriteFile(w http.ResponseWriter, r *http.Request, name string, table Table) (done bool, err error) {
	format := WantsFile(r)
	if format == "" {
		return false, nil
	}
	var file bytes.Buffer
	rows := sheet.NewWriter(&file, format)
	if err := WriteRows(rows, table); err != nil {
		return false, err
	}
	if err := rows.Close(); err != nil {
		return false, err
	}
	web.WriteFile(w, sheet.MediaType(format), name+"."+format, file.Bytes())
	return true, nil
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
