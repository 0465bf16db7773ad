package giftimport

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/office/bankfile/field"
	"konbit/internal/office/offline"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
)

// Checked is a row of a file as it was read.
type Checked struct {
	Line       int // of the file
	Row        Row
	Typed      offline.Typed
	ReceivedOn ledger.Date
	Meaning    offline.Meaning
	Bad        []fault.Field // what is wrong with it by field; empty: it can be posted
	Doubts     []Doubt       // what may be wrong with it
	Donor      Donor
	SameAs     int // line of the new donor's first row; 0: this one
}

// Donor is the donor of a row.
type Donor struct {
	ID   uuid.UUID // uuid.Nil: a new one
	Name string
}

// Doubt is something to look at.
type Doubt struct {
	Phrase string // after office.import.doubt.
	Line   int    // of the other row; 0: none
	Gift   string // reference of the other gift; may be empty
}

// Checker reads rows of a file.
type Checker struct {
	Catalog *fund.Catalog
	Entity  org.LegalEntity
	Mapping Mapping
	Today   ledger.Date
}

// Check reads all rows of a table. It does not read the database: Look does.
func (c Checker) Check(t Table) []Checked {
	columns := map[string]int{}
	for i, f := range c.Mapping.Columns {
		if f != "" {
			columns[f] = i
		}
	}
	at := -1
	if i, ok := columns[ReceivedOn]; ok {
		at = i
	}
	order := c.Mapping.order(t, at)
	rows := offline.Checker{Catalog: c.Catalog, Entity: c.Entity, Language: phrase.Language(c.Mapping.DecimalsOf)}
	all := make([]Checked, len(t.Rows))
	for i, r := range t.Rows {
		all[i] = c.check(r, columns, order, rows)
	}
	return all
}

func (c Checker) check(r Row, columns map[string]int, order field.Order, rows offline.Checker) Checked {
	row := Checked{Line: r.Line, Row: r, Typed: offline.Typed{}}
	value := func(name string) string {
		if i, ok := columns[name]; ok {
			if text := r.Cell(i); text != "" {
				return text
			}
		}
		return c.Mapping.Defaults[name]
	}
	for _, name := range Fields {
		if text := value(name); text != "" && name != Name && name != ReceivedOn {
			row.Typed[name] = text
		}
	}
	if whole := value(Name); whole != "" && row.Typed["first_name"] == "" && row.Typed["last_name"] == "" && row.Typed["organisation"] == "" {
		row.name(whole)
	}
	row.words()
	day, ok := readDay(value(ReceivedOn), order)
	switch {
	case !ok:
		row.Bad = append(row.Bad, fault.Field{Name: ReceivedOn, Phrase: "office.import.error.day"})
	case c.Today.In(time.UTC).Before(day.In(time.UTC)):
		row.Bad = append(row.Bad, fault.Field{Name: ReceivedOn, Phrase: "office.import.error.future"})
	}
	row.ReceivedOn, rows.ReceivedOn = day, day
	if text := row.Typed["postmarked_on"]; text != "" {
		if mailed, ok := readDay(text, order); ok {
			row.Typed["postmarked_on"] = mailed.String()
		}
	}
	meaning, bad := rows.Check(row.Typed, offline.Choice{})
	row.Meaning, row.Bad = meaning, append(row.Bad, bad...)
	row.Donor.Name = row.Typed["organisation"]
	if row.Donor.Name == "" {
		row.Donor.Name = strings.TrimSpace(row.Typed["first_name"] + " " + row.Typed["last_name"])
	}
	return row
}

// name divides a whole name: "Lima, Rosa" and "Rosa Lima".
func (c *Checked) name(whole string) {
	if givenBy := offline.GivenBy(c.Typed["given_by"]); givenBy != "" && givenBy != offline.Person {
		c.Typed["organisation"] = whole
		return
	}
	last, first, turned := strings.Cut(whole, ",")
	if turned {
		c.Typed["first_name"], c.Typed["last_name"] = strings.TrimSpace(first), strings.TrimSpace(last)
		return
	}
	first, last, _ = strings.Cut(whole, " ")
	c.Typed["first_name"], c.Typed["last_name"] = first, strings.TrimSpace(last)
	for _, name := range []string{"first_name", "last_name"} {
		if c.Typed[name] == "" {
			delete(c.Typed, name)
		}
	}
}

// words puts the words of a spreadsheet into those of a row.
func (c *Checked) words() {
	if m, ok := methods[plain(c.Typed["method"])]; ok {
		c.Typed["method"] = string(m)
	}
	if g, ok := givers[plain(c.Typed["given_by"])]; ok {
		c.Typed["given_by"] = string(g)
	}
}

// readDay reads a day of a file, or the number by which a spreadsheet stores one.
func readDay(text string, order field.Order) (ledger.Date, bool) {
	if d, ok := serialDay(text); ok {
		return d, true
	}
	d, err := field.Date(text, order)
	return d, err == nil
}

// CountBad returns how many rows cannot be posted.
func CountBad(rows []Checked) (n int) {
	for _, r := range rows {
		if len(r.Bad) > 0 {
			n++
		}
	}
	return n
}
