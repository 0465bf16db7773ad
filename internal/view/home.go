package view

import "io"

// HomePage is the front page: whom one can give to here.
type HomePage struct {
	Frame
	Organisations []HomeOrganisation
}

// HomeOrganisation is one of them.
type HomeOrganisation struct {
	Name, Donee string
	URL         string // of its form
}

// Home writes the front page.
func (v *View) Home(w io.Writer, p HomePage) error {
	return v.write(w, "home", p.Language, p)
}
