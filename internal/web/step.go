package web

import (
	"maps"
	"net/url"
	"slices"
	"time"

	"konbit/internal/platform/guard"
	"konbit/internal/view"
)

// The names of the fields by which a page of a guard's challenge sends back what it received and what it found.
const (
	StepField  = "step"
	ProofField = "proof"
)

// Step is a guard's challenge on a page: a proof of work for the browser, or a wait without JavaScript. It carries all that
// was typed in hidden fields. Templates show it by "step", in a form that has the id step and the puzzles' data.
type Step struct {
	Action string           // address the form is posted to
	Values []view.FormValue // the form as it was posted, in the order in which it is posted again

	Token, Seed        string
	Rounds, Difficulty int           // of the work; Rounds 0: only the wait is accepted
	Wait               time.Duration // after this time the form is accepted without the work; whole seconds
}

// NewStep returns a guard's challenge as a page shows it. It keeps the fields of the form that was posted, in the order of
// their names, after first, whose names it leaves out.
func NewStep(challenge guard.Challenge, action string, posted url.Values, first ...view.FormValue) Step {
	step := Step{
		Action: action, Values: first,
		Token: challenge.Token, Seed: challenge.Seed, Rounds: challenge.Rounds, Difficulty: challenge.Difficulty, Wait: challenge.Wait,
	}
	for _, name := range slices.Sorted(maps.Keys(posted)) {
		isFirst := slices.ContainsFunc(first, func(v view.FormValue) bool { return v.Name == name })
		if isFirst || name == StepField || name == ProofField {
			continue
		}
		for _, value := range posted[name] {
			step.Values = append(step.Values, view.FormValue{Name: name, Value: value})
		}
	}
	return step
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
