package accesspage

import (
	"io"

	"konbit/internal/view"
)

// EmailChoicePage lets a donor stop a kind of email, or allow it again, by a link in one of these emails. It contains
// no name.
type EmailChoicePage struct {
	view.Frame
	Kind    string // statements, reminders or news; part of the phrase keys
	Donee   string // the sender
	Stopped bool
	Action  string // address that stops the emails
	Undo    string // address that allows them again; empty if that needs a session
}

// Write writes the page.
func (p EmailChoicePage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/email_choice", p.Language, p)
}
