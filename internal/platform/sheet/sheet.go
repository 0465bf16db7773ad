// Package sheet writes tables as files for spreadsheets, CSV and XLSX, row by row: memory does not grow with a table, and
// nothing of it is kept on disk. No spreadsheet takes text of a file for a formula; numbers stay numbers, to the last digit.
package sheet

import (
	"encoding/csv"
	"io"
	"strconv"
	"time"
)

// The formats of a file.
const (
	CSV  = "csv"
	XLSX = "xlsx"
)

// MediaType returns the media type of a format.
func MediaType(format string) string {
	if format == XLSX {
		return "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return "text/csv; charset=utf-8"
}

// Cell is a cell of a file.
type Cell struct {
	kind kind
	text string
	at   time.Time
}

type kind int

const (
	ofText kind = iota
	ofNumber
	ofDay
	ofMoment
)

// Text returns a cell with text.
func Text(text string) Cell { return Cell{text: text} }

// Decimal returns a cell with a number, which is written with its digits: "-12.50".
func Decimal(number string) Cell { return Cell{kind: ofNumber, text: number} }

// Int returns a cell with a whole number.
func Int(n int) Cell { return Decimal(strconv.Itoa(n)) }

// Day returns a cell with a day, without the time; the cell is empty if t is zero.
func Day(t time.Time) Cell { return Cell{kind: ofDay, at: t} }

// Moment returns a cell with a time, in the zone of t; the cell is empty if t is zero.
func Moment(t time.Time) Cell { return Cell{kind: ofMoment, at: t} }

// Writer writes a table.
type Writer interface {
	// Row writes a row.
	Row(cells ...Cell) error
	// Close writes the end. Without it a file of XLSX cannot be opened.
	Close() error
}

// NewWriter returns a writer of a format to w.
func NewWriter(w io.Writer, format string) Writer {
	if format == XLSX {
		return newXLSX(w)
	}
	return &csvWriter{out: w, rows: csv.NewWriter(w)}
}

type csvWriter struct {
	out   io.Writer
	rows  *csv.Writer
	begun bool
	row   []string
}

// Row is part of Writer. The file begins with a byte order mark, without which spreadsheets read other letters than English
// ones wrongly.
func (c *csvWriter) Row(cells ...Cell) error {
	if !c.begun {
		c.begun = true
		if _, err := io.WriteString(c.out, "\ufeff"); err != nil {
			return err
		}
	}
	c.row = c.row[:0]
	for _, cell := range cells {
		text := cell.text
		switch {
		case cell.kind == ofText:
			text = CSVText(text)
		case cell.kind == ofNumber || cell.at.IsZero():
		case cell.kind == ofDay:
			text = cell.at.Format(time.DateOnly)
		case cell.kind == ofMoment:
			text = cell.at.Format(time.RFC3339)
		}
		c.row = append(c.row, text)
	}
	return c.rows.Write(c.row)
}

// Close is part of Writer.
func (c *csvWriter) Close() error {
	c.rows.Flush()
	return c.rows.Error()
}
