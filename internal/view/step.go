package view

import (
	"io"
	"time"
)

// StepPage asks a donor's browser for a little work before their gift goes on, or, where no script runs, the
// donor for a little patience. All that was typed goes with it, and nothing else of the form is shown again.
type ChallengePage struct {
	Frame
	Organisation Organisation
	Action       string      // where it is posted, with the language in it
	Values       []FormValue // the form as it came, in the order it is sent again

	Token, Seed        string
	Rounds, Difficulty int
	Wait               time.Duration // until it passes without the work, whole seconds
}

// Typed is one field of a form as it came.
type FormValue struct{ Name, Value string }

// Seconds is Wait in whole seconds, at least one.
func (p ChallengePage) Seconds() int { return max(1, int(p.Wait/time.Second)) }

// Step writes the page of the step.
func (v *View) Challenge(w io.Writer, p ChallengePage) error {
	return v.write(w, "step", p.Language, p)
}
