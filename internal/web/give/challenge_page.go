package give

import (
	"io"

	"konbit/internal/view"
	"konbit/internal/web"
)

// ChallengePage asks the browser for a proof of work before the gift continues; a browser without scripts has to wait
// instead. It shows nothing else of the form.
type ChallengePage struct {
	view.Frame
	web.Step
	Organisation view.Organisation
	SignIn       bool // the page says that a known browser does not wait
}

// Write writes the page.
func (p ChallengePage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/challenge", p.Language, p)
}
