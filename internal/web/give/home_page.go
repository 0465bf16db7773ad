package give

import (
	"io"

	"konbit/internal/view"
)

// HomePage is the front page: the organisations that take gifts here.
type HomePage struct {
	view.Frame
	Organisations []HomeOrganisation
}

// HomeOrganisation is one organisation on the front page.
type HomeOrganisation struct {
	Name, Donee string
	URL         string // address of its form
}

// Write writes the page.
func (p HomePage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/home", p.Language, p)
}
