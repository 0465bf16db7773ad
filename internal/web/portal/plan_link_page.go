package portal

import (
	"io"

	"konbit/internal/platform/fault"
	"konbit/internal/view"
)

// PlanLinkPage is the page that the links of emails to plans lead to. It shows nothing about a plan.
type PlanLinkPage struct {
	view.Frame
	State    linkState
	To       string // card: the link leads to the plan's card
	Problems []fault.Field

	Action string // linkEnded: sends a valid link
	Ended  string // linkEnded: names the link, and opens nothing; empty if Action names it
}

// linkState is what the page says about a link.
type linkState string

// The states.
const (
	linkOpen   linkState = ""       // asks for the code; a script posts the link's secret instead
	linkClosed linkState = "closed" // the page of a plan was requested without a link, or an hour after it was opened
	linkFailed linkState = "failed" // the link is not ours
	linkEnded  linkState = "ended"  // the link is ours and no longer valid
	linkSent   linkState = "sent"   // a valid link was sent
	linkHeld   linkState = "held"   // too many codes were tried, or too many links were requested
)

// Write writes the page.
func (p PlanLinkPage) Write(w io.Writer, v *view.View) error {
	f := newSignInForm(v, p.Frame, p.Problems)
	field := f.field("code", "plan_link.code", f.Phrase("plan_link.code_hint"), "",
		view.Field{Required: true, Type: "text", Autocomplete: "off", Class: "digits"})
	return v.Write(w, "portal/plan_link", p.Language, struct {
		PlanLinkPage
		Errors  []view.FormError
		Field   view.Field
		AsksFor bool // the page has the form for the code
	}{p, f.errors(), field, p.State == linkOpen || p.State == linkClosed || p.State == linkFailed})
}

// PlanProofPage asks for the code that was sent to a plan's donor. It does not show the address.
type PlanProofPage struct {
	view.Frame
	Action, Token string
	Back          string // the plan's page
	Problems      []fault.Field
	RateLimited   bool // too many codes were requested or tried
}

// Write writes the page.
func (p PlanProofPage) Write(w io.Writer, v *view.View) error {
	f := newSignInForm(v, p.Frame, p.Problems)
	return v.Write(w, "portal/plan_proof", p.Language, struct {
		PlanProofPage
		Errors []view.FormError
		Field  view.Field
	}{p, f.errors(), f.code(f.Phrase("sign_in.code_hint"))})
}
