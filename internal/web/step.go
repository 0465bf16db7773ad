package web

import (
	"maps"
	"net/url"
	"slices"

	"konbit/internal/platform/guard"
	"konbit/internal/view"
)

// The names of the fields by which a page of a guard's challenge sends back what it received and what it found.
const (
	StepField  = "step"
	ProofField = "proof"
)

// Step returns a guard's challenge as a page shows it. It keeps the fields of the form that was posted, in the order of
// their names, after first, whose names it leaves out.
func Step(challenge guard.Challenge, action string, posted url.Values, first ...view.FormValue) view.Step {
	step := view.Step{
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
