package accesspage

import (
	"io"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/view"
)

// PlanLink is the page that the links of emails to plans lead to. It shows nothing about a plan.
type PlanLink struct {
	view.Frame
	State    LinkState
	To       string // card: the link leads to the plan's card
	Problems []fault.Field

	Action string // LinkEnded: sends a valid link
	Ended  string // LinkEnded: names the link, and opens nothing; empty if Action names it

	Wait time.Duration // LinkHeld: after which the same is possible again
}

// LinkState is what the page says about a link.
type LinkState string

// The states.
const (
	LinkOpen   LinkState = ""       // asks for the code; a script posts the link's secret instead
	LinkClosed LinkState = "closed" // the page of a plan was requested without a link, or an hour after it was opened
	LinkFailed LinkState = "failed" // the link is not ours
	LinkEnded  LinkState = "ended"  // the link is ours and no longer valid
	LinkSent   LinkState = "sent"   // a valid link was sent
	LinkHeld   LinkState = "held"   // too many codes were tried, or too many links were requested
)

// Write writes the page.
func (p PlanLink) Write(w io.Writer, v *view.View) error {
	f := NewForm(v, p.Frame, p.Problems)
	field := f.field("code", "plan_link.code", f.Phrase("plan_link.code_hint"), "",
		view.Field{Required: true, Type: "text", Autocomplete: "off", Class: "digits"})
	return v.Write(w, "portal/plan_link", p.Language, struct {
		PlanLink
		Errors  []view.FormError
		Field   view.Field
		AsksFor bool   // the page has the form for the code
		After   string // when the same is possible again; empty: not said
	}{p, f.ErrorList(), field, p.State == LinkOpen || p.State == LinkClosed || p.State == LinkFailed, After(p.Frame, v, p.Wait)})
}

// PlanProof asks for the code that was sent to a plan's donor. It does not show the address.
type PlanProof struct {
	view.Frame
	Action, Token string
	Back          string // the plan's page
	Problems      []fault.Field
	Held          string        // phrase that says which limit was exceeded; empty if none
	Wait          time.Duration // Held: after which the same is possible again; 0: not said
}

// Write writes the page.
func (p PlanProof) Write(w io.Writer, v *view.View) error {
	f := NewForm(v, p.Frame, p.Problems)
	return v.Write(w, "portal/plan_proof", p.Language, struct {
		PlanProof
		Errors []view.FormError
		Field  view.Field
		After  string
	}{p, f.ErrorList(), f.CodeField(f.Phrase("sign_in.code_hint")), After(p.Frame, v, p.Wait)})
}
