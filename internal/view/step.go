package view

import "time"

// Step is a guard's challenge on a page: a proof of work for the browser, or a wait without JavaScript. It carries all that
// was typed in hidden fields. Templates show it by "step", in a form that has the id step and the puzzles' data.
type Step struct {
	Action string      // address the form is posted to
	Values []FormValue // the form as it was posted, in the order in which it is posted again

	Token, Seed        string
	Rounds, Difficulty int           // of the work; Rounds 0: only the wait is accepted
	Wait               time.Duration // after this time the form is accepted without the work; whole seconds
}

// Seconds returns Wait in whole seconds, at least one.
func (s Step) Seconds() int { return max(1, int(s.Wait/time.Second)) }

// Minutes returns Wait in whole minutes, rounded up; 0 if it is less than 90 seconds.
func (s Step) Minutes() int {
	if s.Wait < 90*time.Second {
		return 0
	}
	return int((s.Wait + time.Minute - 1) / time.Minute)
}
