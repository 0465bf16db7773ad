package view

import (
	"io"
	"time"
)

// RecordsPage lists somebody's annual statements and what they can ask of what is kept about them.
type RecordsPage struct {
	Portal
	Statements []RecordsYear
	Confirm    bool      // asks once more, and says what being forgotten means
	Problem    string    // the phrase that says why it cannot be yet; empty: nothing stands against it
	ErasureDue time.Time // when it is done; zero: nobody asked for it
}

// RecordsYear leads to a year's statement.
type RecordsYear struct {
	Year  int
	Donee string
	Email string // whose gifts it tells of, where somebody gave to the donee with several addresses; empty: all
	URL   string
}

// Records writes the page.
func (v *View) Records(w io.Writer, p RecordsPage) error { return v.write(w, "records", p.Language, p) }
