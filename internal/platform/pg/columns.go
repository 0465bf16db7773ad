package pg

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"

	"github.com/lib/pq"
)

// Columns collects rows and passes them to one statement as arrays, one array for each column:
//
//	INSERT INTO t (a, b, c) SELECT $1, r.b, r.c FROM unnest($2::uuid[], $3::bigint[]) AS r (b, c)
//
//	rows := pg.NewColumns(2)
//	for _, r := range all {
//		rows.Add(r.ID, r.Amount)
//	}
//	_, err := tx.ExecContext(ctx, query, rows.Args(a)...)
type Columns struct {
	columns [][]any
}

// NewColumns returns Columns of that width without rows.
func NewColumns(width int) *Columns {
	c := &Columns{columns: make([][]any, width)}
	for i := range c.columns {
		c.columns[i] = []any{} // pq.Array makes NULL of a nil slice
	}
	return c
}

// Add adds a row with one value for each column. It panics if the number of values is not the width, or if a value is not
// what a statement accepts as an argument. nil, a nil pointer and a nil []byte are NULL; a []byte is bytea. A date, a
// number with decimals and a JSON document are passed as texts.
func (c *Columns) Add(values ...any) {
	if len(values) != len(c.columns) {
		panic(fmt.Sprintf("pg: a row of %d values for %d columns", len(values), len(c.columns)))
	}
	for i, value := range values {
		element, err := driver.DefaultParameterConverter.ConvertValue(value)
		if err != nil {
			panic("pg: " + err.Error())
		}
		if b, ok := element.([]byte); ok {
			if element = nil; b != nil {
				element = `\x` + hex.EncodeToString(b) // pq.Array passes the bytes as a text
			}
		}
		c.columns[i] = append(c.columns[i], element)
	}
}

// Args returns the arguments of a statement: first, then one array for each column.
func (c *Columns) Args(first ...any) []any {
	args := make([]any, 0, len(first)+len(c.columns))
	args = append(args, first...)
	for _, column := range c.columns {
		args = append(args, pq.Array(column))
	}
	return args
}
