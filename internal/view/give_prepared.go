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
type PreparedForm struct{ before, after []byte }

// gap stands for the one-time id while the page is prepared.
const idPlaceholder = "one-time-id-belongs-here"

// PrepareGive renders p for many readers. Its FormID is not used.
func (v *View) PrepareForm(p GivePage) (*PreparedForm, error) {
	p.FormID = idPlaceholder
	page, err := v.page("give", p.Language, v.giveData(p))
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(page, []byte(idPlaceholder))
	if after == nil || bytes.Contains(after, []byte(idPlaceholder)) {
		return nil, fmt.Errorf("view: the form must hold its one-time id exactly once")
	}
	return &PreparedForm{before: before, after: after}, nil
}

// Write writes the form for one reader.
func (g *PreparedForm) Write(w io.Writer, formID string) error {
	if _, err := w.Write(g.before); err != nil {
		return err
	}
	if _, err := io.WriteString(w, template.HTMLEscapeString(formID)); err != nil {
		return err
	}
	_, err := w.Write(g.after)
	return err
}
