package pg

import (
	"database/sql/driver"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
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
// Ids, times and bytes are sent as PostgreSQL stores them, which costs neither side a conversion. The statement must name
// their types: a column of uuid.UUID is uuid[], of time.Time timestamptz[], of []byte bytea[]. All others are texts, which
// the statement may read as any type.
type Columns struct {
	columns []column
}

// NewColumns returns Columns of that width without rows.
func NewColumns(width int) *Columns { return &Columns{make([]column, width)} }

// Add adds a row with one value for each column. It panics if the number of values is not the width, if a value is not what
// a statement accepts as an argument, or if a column has values of two of uuid.UUID, time.Time, []byte and others. nil, a
// nil pointer and a nil []byte are NULL. A date, a number with decimals and a JSON document are passed as texts.
func (c *Columns) Add(values ...any) {
	if len(values) != len(c.columns) {
		panic(fmt.Sprintf("pg: a row of %d values for %d columns", len(values), len(c.columns)))
	}
	for i, value := range values {
		c.columns[i].add(value)
	}
}

// Args returns the arguments of a statement: first, then one array for each column.
func (c *Columns) Args(first ...any) []any {
	args := make([]any, 0, len(first)+len(c.columns))
	args = append(args, first...)
	for i := range c.columns {
		args = append(args, c.columns[i].arg())
	}
	return args
}

// UUIDs returns an argument for `$1::uuid[]`.
func UUIDs(ids []uuid.UUID) []byte {
	c := column{oid: oidUUID, elements: make([]byte, 0, 20*len(ids))}
	for _, id := range ids {
		c.addBinary(oidUUID, id[:])
	}
	return c.array()
}

// The types whose elements are sent in binary, as pg_type numbers them. The numbers never change.
const (
	oidBytea       = 17
	oidTimestamptz = 1184
	oidUUID        = 2950
)

// epoch is the beginning of PostgreSQL's timestamps, in seconds of Unix time: 2000-01-01.
const epoch = 946_684_800

// column is an array that grows.
type column struct {
	oid      uint32 // of the elements if they are binary; 0 if they are texts or all NULL
	text     bool   // an element is a text
	n, nulls int
	elements []byte // as the array has them, without its beginning
}

func (c *column) add(value any) {
	switch v := value.(type) {
	case nil:
		c.addNull()
	case uuid.UUID:
		c.addBinary(oidUUID, v[:])
	case *uuid.UUID:
		if v == nil {
			c.addNull()
			return
		}
		c.addBinary(oidUUID, v[:])
	case []byte:
		if v == nil {
			c.addNull()
			return
		}
		c.addBinary(oidBytea, v)
	case time.Time:
		c.addTime(v)
	case string:
		c.addText(v)
	case int64:
		c.addNumber(v)
	case int:
		c.addNumber(int64(v))
	default:
		c.addConverted(value)
	}
}

// addConverted adds a value of a type that is rare: a pointer, a named type, a boolean, a number with a fraction.
func (c *column) addConverted(value any) {
	if id, ok := value.(uuid.NullUUID); ok && id.Valid {
		c.add(id.UUID)
		return
	}
	element, err := driver.DefaultParameterConverter.ConvertValue(value)
	if err != nil {
		panic("pg: " + err.Error())
	}
	switch v := element.(type) {
	case bool:
		c.addText(strconv.FormatBool(v))
	case float64:
		c.addText(strconv.FormatFloat(v, 'g', -1, 64))
	default:
		c.add(element) // nil, an int64, a string, a []byte or a time
	}
}

// addBinary adds an element of that type.
func (c *column) addBinary(oid uint32, value []byte) {
	if c.text || c.oid != 0 && c.oid != oid {
		panic(fmt.Sprintf("pg: a column of type %d has a value of type %d", c.oid, oid))
	}
	if c.oid == 0 { // NULL until now
		c.oid, c.elements = oid, slices.Grow(c.elements[:0], 16*len(value))
		for range c.nulls {
			c.elements = appendInt32(c.elements, -1)
		}
	}
	c.elements = append(appendInt32(c.elements, int32(len(value))), value...)
	c.n++
}

// addTime adds a time to the microsecond, rounded as PostgreSQL rounds the text of a time.
func (c *column) addTime(t time.Time) {
	nanoseconds := int64(t.Nanosecond())
	microseconds, rest := nanoseconds/1000, nanoseconds%1000
	if rest > 500 || rest == 500 && microseconds%2 == 1 {
		microseconds++
	}
	since := uint64((t.Unix()-epoch)*1_000_000 + microseconds)
	var value [8]byte
	binary.BigEndian.PutUint64(value[:], since)
	c.addBinary(oidTimestamptz, value[:])
}

// addText adds an element of an array that is sent as text, in quotation marks.
func (c *column) addText(value string) {
	c.beginText()
	c.elements = append(c.elements, '"')
	for {
		i := quoted(value)
		if i < 0 {
			break
		}
		c.elements = append(append(c.elements, value[:i]...), '\\', value[i])
		value = value[i+1:]
	}
	c.elements = append(append(c.elements, value...), '"')
}

// quoted returns the position of the first byte of a text before which a backslash must stand; -1 if there is none.
func quoted(text string) int {
	for i := range len(text) {
		if text[i] == '"' || text[i] == '\\' {
			return i
		}
	}
	return -1
}

func (c *column) addNumber(n int64) {
	c.beginText()
	c.elements = strconv.AppendInt(c.elements, n, 10)
}

// beginText begins an element of an array that is sent as text.
func (c *column) beginText() {
	if c.oid != 0 {
		panic(fmt.Sprintf("pg: a column of type %d has a text", c.oid))
	}
	c.text = true
	if c.n > 0 {
		c.elements = append(c.elements, ',')
	}
	c.n++
}

func (c *column) addNull() {
	if c.nulls++; c.oid != 0 {
		c.elements = appendInt32(c.elements, -1)
		c.n++
		return
	}
	if c.n > 0 {
		c.elements = append(c.elements, ',')
	}
	c.elements = append(c.elements, "NULL"...)
	c.n++
}

func (c *column) arg() any {
	if c.oid != 0 {
		return c.array()
	}
	return "{" + string(c.elements) + "}"
}

// array returns the column as array_recv reads it: dimensions, whether it has NULL, the type of its elements, its length and
// first index, and each element behind its length.
func (c *column) array() []byte {
	all := make([]byte, 0, 20+len(c.elements))
	hasNull := int32(0)
	if c.nulls > 0 {
		hasNull = 1
	}
	if c.n == 0 {
		return appendInt32(appendInt32(appendInt32(all, 0), 0), int32(c.oid))
	}
	for _, n := range []int32{1, hasNull, int32(c.oid), int32(c.n), 1} {
		all = appendInt32(all, n)
	}
	return append(all, c.elements...)
}

func appendInt32(to []byte, n int32) []byte { return binary.BigEndian.AppendUint32(to, uint32(n)) }
