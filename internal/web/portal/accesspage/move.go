package accesspage

import (
	"io"

	"konbit/internal/view"
)

// MovePage proves the new address of a donor who lost a mailbox, by the link of an email.
type MovePage struct {
	view.Frame
	Failed bool   // the link is wrong or has expired
	Moved  string // the new address; empty until it is proved
}

// Write writes the page.
func (p MovePage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/address_move", p.Language, p)
}
