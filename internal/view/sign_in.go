package view

import (
	"io"

	"konbit/internal/platform/fault"
)

// SignInPage asks for the address that a letter goes to.
type SignInPage struct {
	Frame
	Email          string // as typed
	Problems       []fault.Field
	RateLimited    bool // too many letters were asked for
	SignInRequired bool // a page was asked for that only who is signed in can see
	SignedOut      bool // just signed out
}

// SignIn writes the page.
func (v *View) SignIn(w io.Writer, p SignInPage) error {
	f := newSignInBuilder(v, p.Frame, p.Problems)
	return v.write(w, "sign_in", p.Language, struct {
		SignInPage
		Errors []formError
		Field  field
	}{p, f.errors(), f.email(p.Email, v.say(p.Language, "sign_in.email_hint"))})
}

// SignInCodePage asks for the code of a letter. It says the same whether a letter went out or not.
type SignInCodePage struct {
	Frame
	Email       string // that the letter goes to, as far as this browser knows
	Problems    []fault.Field
	RateLimited bool // too many codes were tried
}

// SignInCode writes the page.
func (v *View) SignInCode(w io.Writer, p SignInCodePage) error {
	f := newSignInBuilder(v, p.Frame, p.Problems)
	return v.write(w, "sign_in_code", p.Language, struct {
		SignInCodePage
		Errors []formError
		Fields []field
	}{p, f.errors(), []field{f.email(p.Email, ""), f.code(f.say("sign_in.code_hint"))}})
}

// SignInLinkPage has the button that the link of a letter leads to. The link's secret stands behind its #, which no server
// sees; a script puts it into the form, and where none runs the code is the way.
type SignInLinkPage struct {
	Frame
	SameBrowser bool // a letter was asked for in this browser
	Failed      bool // the button was pressed, and the link is no longer good
}

// SignInLink writes the page.
func (v *View) SignInLink(w io.Writer, p SignInLinkPage) error {
	return v.write(w, "sign_in_link", p.Language, p)
}

// signInFields builds the fields of a page of signing in.
type signInBuilder struct{ formBuilder }

func newSignInBuilder(v *View, f Frame, problems []fault.Field) signInBuilder {
	return signInBuilder{newFormBuilder(v, GivePage{Frame: f, Problems: problems})}
}

// errors leads to each bad field; all of them have their name for an id.
func (f signInBuilder) errors() (all []formError) {
	for _, p := range f.problems {
		all = append(all, formError{Target: p.Name, Text: f.errorTexts[p.Name]})
	}
	return all
}

func (f signInBuilder) field(name, label, hint, value string, as field) field {
	as.fieldText, as.Value = fieldText{Name: name, Label: f.say(label), Hint: hint, Error: f.errorTexts[name]}, value
	return as
}

func (f signInBuilder) email(value, hint string) field {
	return f.field("email", "sign_in.email", hint, value, field{Required: true, Type: "email", Autocomplete: "email", Mode: "email"})
}

func (f signInBuilder) code(hint string) field {
	return f.field("code", "sign_in.code", hint, "", field{Required: true, Type: "text", Autocomplete: "one-time-code", Mode: "numeric", Class: "digits"})
}
