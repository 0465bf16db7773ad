// Package takeout writes all that a legal entity needs to go on elsewhere: donors, gifts with their designations and receipts, and
// recurring gifts with their designations. It is for the day on which a payment processor, or this program, is given up.
//
//	one moment of the database ── donors ── gifts ── designations ── receipts ── plans ── plan_designations
//	                                └ each a CSV file, written while it is read: memory does not grow with it
//
// It owns no table: it reads the views takeout_… of migration 00171, as the server's role. README.txt beside the files says what
// each column is; it is made from the table below. Each file ends with a row that counts its rows: a file without it is cut.
package takeout

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
	"konbit/internal/platform/sheet"
)

// Sink returns where a file is written. The caller of Write closes nothing: each file is closed before the next one.
type Sink func(name string) (io.WriteCloser, error)

// Written is a file that was written.
type Written struct {
	Name string `json:"name"`
	Rows int    `json:"rows"`
}

// End is the first cell of the last row of each file; the second one is the number of rows before it, without the heading.
const End = "end of this file"

// Write writes all files of an entity, as they are at one moment. done is told of each file when it is whole; nil: nobody. After an
// error the files are not whole, and the last one has no last row.
func Write(ctx context.Context, db *sqlx.DB, entity uuid.UUID, to Sink, done func(Written)) (all []Written, err error) {
	err = ledger.ReadConsistent(ctx, db, func(tx *sqlx.Tx) error {
		if err := writeReadme(to); err != nil {
			return err
		}
		for _, f := range files {
			rows, err := f.write(ctx, tx, entity, to)
			if err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
			w := Written{f.name, rows}
			if all = append(all, w); done != nil {
				done(w)
			}
		}
		return nil
	})
	return all, err
}

// write writes a file and returns how many rows it has.
func (f file) write(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, to Sink) (n int, err error) {
	out, err := to(f.name)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closed := out.Close(); err == nil {
			err = closed
		}
	}()
	csv := sheet.NewWriter(out, sheet.CSV)
	cells := make([]sheet.Cell, len(f.columns))
	for i, c := range f.columns {
		cells[i] = sheet.Text(c.name)
	}
	if err := csv.Row(cells...); err != nil {
		return 0, err
	}
	rows, err := tx.QueryContext(ctx, f.query(), entity)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	values, places := make([]sql.NullString, len(f.columns)), make([]any, len(f.columns))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return 0, err
		}
		if err := f.cells(cells, values); err != nil {
			return 0, err
		}
		if err := csv.Row(cells...); err != nil {
			return 0, err
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	clear(cells)
	cells[0], cells[1] = sheet.Text(End), sheet.Int(n)
	if err := csv.Row(cells...); err != nil {
		return 0, err
	}
	return n, csv.Close()
}

// query returns the SQL of a file: every value as text, in the order of the columns.
func (f file) query() string {
	var b strings.Builder
	b.WriteString("/* takeout.Write */ SELECT ")
	for i, c := range f.columns {
		if i > 0 {
			b.WriteString(", ")
		}
		of := c.of
		if of == "" {
			of = c.name
		}
		if c.kind == moment {
			of = `to_char(` + of + ` AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
		}
		b.WriteString("(" + of + ")::text")
	}
	return b.String() + " FROM " + f.view + " WHERE entity_id = $1 ORDER BY " + f.order
}

// cells turns the values of a row into cells.
func (f file) cells(cells []sheet.Cell, values []sql.NullString) error {
	for i, c := range f.columns {
		value := values[i].String
		switch {
		case c.kind == amount && values[i].Valid:
			minor, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				return fmt.Errorf("column %s: %w", c.name, err)
			}
			cells[i] = sheet.Decimal(money.New(minor, money.Currency(values[f.currency()].String)).Decimal())
		case c.kind == amount, c.kind == number:
			cells[i] = sheet.Decimal(value)
		default:
			cells[i] = sheet.Text(value)
		}
	}
	return nil
}

// currency returns the place of the column with the currency of the amounts.
func (f file) currency() int {
	for i, c := range f.columns {
		if c.name == "currency" {
			return i
		}
	}
	panic("takeout: " + f.name + " has amounts and no currency")
}

// writeReadme writes what the files are.
func writeReadme(to Sink) error {
	out, err := to("README.txt")
	if err != nil {
		return err
	}
	if _, err = io.WriteString(out, Readme()); err != nil {
		_ = out.Close() // the error before says more
		return err
	}
	return out.Close()
}

// Readme returns the text of README.txt: each file with its columns.
func Readme() string {
	var b strings.Builder
	b.WriteString("CSV files in UTF-8 with a byte order mark. Amounts are in major units with a decimal point, times in UTC, days as YYYY-MM-DD.\n" +
		"A text that a spreadsheet could take for a formula begins with an apostrophe.\n" +
		"The last row of each file is \"" + End + "\" and the number of rows before it, without the heading. A file without it is cut.\n")
	for _, f := range files {
		b.WriteString("\n" + f.name + ": " + f.about + "\n")
		for _, c := range f.columns {
			fmt.Fprintf(&b, "  %-20s %s\n", c.name, c.about)
		}
	}
	return b.String()
}
