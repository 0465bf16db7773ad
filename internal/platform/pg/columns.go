package pg

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
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
//
// It writes the text of the arrays directly: a batch of gifts passes through some ten such statements, so adding a row
// allocates no memory besides the text.
type Columns struct {
	arrays [][]byte // each without the closing brace
}

// NewColumns returns Columns of that width without rows.
func NewColumns(width int) *Columns {
	c := &Columns{arrays: make([][]byte, width)}
	for i := range c.arrays {
		c.arrays[i] = append(make([]byte, 0, 64), '{')
	}
	return c
}

// Add adds a row with one value for each column. It panics if the number of values is not the width, or if a value is of
// another type than these:
//
//	string, bool, int, int64, float64, uuid.UUID, []byte (bytea)
//	time.Time                   a time zone is not passed; the instant is
//	*uuid.UUID, *string, nil    nil is NULL, as is a nil []byte
//
// A date, a number with decimals and a JSON document are passed as texts.
func (c *Columns) Add(values ...any) {
	if len(values) != len(c.arrays) {
		panic(fmt.Sprintf("pg: a row of %d values for %d columns", len(values), len(c.arrays)))
	}
	for i, value := range values {
		array := c.arrays[i]
		if len(array) > 1 {
			array = append(array, ',')
		}
		c.arrays[i] = appendElement(array, value)
	}
}

// Args returns the arguments of a statement: first, then one array for each column.
func (c *Columns) Args(first ...any) []any {
	args := make([]any, 0, len(first)+len(c.arrays))
	args = append(args, first...)
	for _, array := range c.arrays {
		args = append(args, string(array)+"}")
	}
	return args
}

// appendElement appends a value as an element of an array (PostgreSQL, 8.15.6 Array Input and Output Syntax). It uses no
// method of an interface and does not print an unknown value, so that the compiler keeps values on the stack.
func appendElement(array []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendQuoted(array, v)
	case int64:
		return strconv.AppendInt(array, v, 10)
	case int:
		return strconv.AppendInt(array, int64(v), 10)
	case uuid.UUID:
		return appendUUID(array, v)
	case time.Time:
		array = v.UTC().AppendFormat(append(array, '"'), time.RFC3339Nano)
		return append(array, '"')
	case bool:
		return strconv.AppendBool(array, v)
	case float64:
		return strconv.AppendFloat(array, v, 'g', -1, 64)
	case []byte:
		if v != nil {
			return append(hex.AppendEncode(append(array, `"\\x`...), v), '"')
		}
	case *uuid.UUID:
		if v != nil {
			return appendUUID(array, *v)
		}
	case *string:
		if v != nil {
			return appendQuoted(array, *v)
		}
	case nil:
	default:
		panic("pg: a value of a type that Columns.Add does not list")
	}
	return append(array, "NULL"...)
}

func appendQuoted(array []byte, text string) []byte {
	array = append(array, '"')
	if !strings.ContainsAny(text, `"\`) {
		return append(append(array, text...), '"')
	}
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			array = append(array, '\\')
		}
		array = append(array, text[i])
	}
	return append(array, '"')
}

func appendUUID(array []byte, id uuid.UUID) []byte {
	array = append(hex.AppendEncode(array, id[:4]), '-')
	array = append(hex.AppendEncode(array, id[4:6]), '-')
	array = append(hex.AppendEncode(array, id[6:8]), '-')
	array = append(hex.AppendEncode(array, id[8:10]), '-')
	return hex.AppendEncode(array, id[10:])
}
