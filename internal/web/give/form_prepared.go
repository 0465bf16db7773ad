package give

import (
	"bytes"
	"errors"
	"html/template"
	"io"

	"konbit/internal/view"
)

// PreparedForm is a donation form rendered once, without its one-time id. The empty form is requested far more often
// than it is submitted, and only the id differs between two requests, so that inserting the id replaces executing the
// template. It is valid as long as the facts it was made from.
type PreparedForm struct{ before, after []byte }

// idPlaceholder replaces the one-time id while the page is prepared.
const idPlaceholder = "one-time-id-belongs-here"

// PrepareForm renders p for many requests. It does not use p.FormID.
func PrepareForm(v *view.View, p FormPage) (*PreparedForm, error) {
	p.FormID = idPlaceholder
	page, err := v.Page("give/form", p.Language, newFormData(v, p))
	if err != nil {
		return nil, err
	}
	before, after, _ := bytes.Cut(page, []byte(idPlaceholder))
	if after == nil || bytes.Contains(after, []byte(idPlaceholder)) {
		return nil, errors.New("give: the form must contain its one-time id exactly once")
	}
	return &PreparedForm{before: before, after: after}, nil
}

// Write writes the form with its one-time id.
func (f *PreparedForm) Write(w io.Writer, formID string) error {
	if _, err := w.Write(f.before); err != nil {
		return err
	}
	if _, err := io.WriteString(w, template.HTMLEscapeString(formID)); err != nil {
		return err
	}
	_, err := w.Write(f.after)
	return err
}
