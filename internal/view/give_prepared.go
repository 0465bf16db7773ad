package view

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
)

// PreparedGive is a donation form rendered once, with a gap where the one-time
// id belongs. The form is asked for far more often than it is sent, and
// between two readers nothing else of it differs; filling the gap costs no
// template. It holds as long as the facts it was made from.
type PreparedGive struct{ before, after []byte }

// gap stands for the one-time id while the page is prepared.
const gap = "one-time-id-belongs-here"

// PrepareGive renders p for many readers. Its FormID is not used.
func (v *View) PrepareGive(p GivePage) (*PreparedGive, error) {
	p.FormID = gap
	page, err := v.page("give", p.Language, v.giveData(p))
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(page, []byte(gap))
	if after == nil || bytes.Contains(after, []byte(gap)) {
		return nil, fmt.Errorf("view: the form must hold its one-time id exactly once")
	}
	return &PreparedGive{before: before, after: after}, nil
}

// Write writes the form for one reader.
func (g *PreparedGive) Write(w io.Writer, formID string) error {
	if _, err := w.Write(g.before); err != nil {
		return err
	}
	if _, err := io.WriteString(w, template.HTMLEscapeString(formID)); err != nil {
		return err
	}
	_, err := w.Write(g.after)
	return err
}
