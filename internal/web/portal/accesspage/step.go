package accesspage

import (
	"io"
	"time"

	"konbit/internal/view"
	"konbit/internal/web"
)

// StepPage asks the browser for a proof of work, or for a wait without JavaScript, before something is done that was done
// many times, such as an email that proves an address.
type StepPage struct {
	view.Frame
	web.Step
	Lead, Button string // phrases
	Hint         string // phrase; empty if none
}

// Write writes the page.
func (p StepPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/step", p.Language, p)
}

// After says in how many minutes or, beyond ninety, hours the same is possible again, rounded up; "" if wait is 0.
func After(f view.Frame, v *view.View, wait time.Duration) string {
	up := func(unit time.Duration) int { return int((wait + unit - 1) / unit) }
	switch {
	case wait <= 0:
		return ""
	case up(time.Minute) <= 90:
		return v.PhraseN(f.Language, "problem.429.after", up(time.Minute))
	}
	return v.PhraseN(f.Language, "plan_link.after", up(time.Hour))
}
