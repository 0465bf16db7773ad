package give

import (
	"io"
	"time"

	"konbit/internal/view"
)

// ChallengePage asks the browser for a proof of work before the gift continues; a browser without scripts has to wait
// instead. It carries all that was typed in hidden fields and shows nothing else of the form.
type ChallengePage struct {
	view.Frame
	Organisation view.Organisation
	Action       string           // address the form is posted to, with the language in it
	Values       []view.FormValue // the form as it was posted, in the order in which it is posted again

	Token, Seed        string
	Rounds, Difficulty int           // of the work; Rounds 0: only the wait is accepted
	Wait               time.Duration // after this time the form is accepted without the work; whole seconds
	SignIn             bool          // the page says that a known browser does not wait
}

// Seconds returns Wait in whole seconds, at least one.
func (p ChallengePage) Seconds() int { return max(1, int(p.Wait/time.Second)) }

// Minutes returns Wait in whole minutes, rounded up; 0 if it is less than 90 seconds.
func (p ChallengePage) Minutes() int {
	if p.Wait < 90*time.Second {
		return 0
	}
	return int((p.Wait + time.Minute - 1) / time.Minute)
}

// Write writes the page.
func (p ChallengePage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/challenge", p.Language, p)
}
