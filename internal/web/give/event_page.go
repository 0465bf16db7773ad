package give

import (
	"io"

	"konbit/internal/view"
)

// EventModePage opens event mode on the device that shows it. The pass is the fragment of the link to this page (after
// the #), which browsers do not send to servers: a script copies it into the field, and without a script a person types
// it.
type EventModePage struct {
	view.Frame
	Organisation view.Organisation
	Action       string // address the form is posted to, with the language in it
}

// Write writes the page.
func (p EventModePage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/event", p.Language, p)
}
