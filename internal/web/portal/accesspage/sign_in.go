package accesspage

import (
	"io"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/view"
)

// SignIn asks for the address to which the sign-in email is sent.
type SignIn struct {
	view.Frame
	Email          string // as typed
	Problems       []fault.Field
	RateLimited    bool          // too many emails were requested
	Wait           time.Duration // RateLimited: after which an email may be requested again
	SignInRequired bool          // the requested page needs a session
	SignedOut      bool          // the donor has just signed out
	CodeUsed       bool          // the form of a code was posted twice, and the browser has no session
}

// Write writes the page.
func (p SignIn) Write(w io.Writer, v *view.View) error {
	f := NewForm(v, p.Frame, p.Problems)
	return v.Write(w, "portal/sign_in", p.Language, struct {
		SignIn
		Errors []view.FormError
		Field  view.Field
		After  string
	}{p, f.ErrorList(), f.EmailField(p.Email, f.Phrase("sign_in.email_hint")), After(p.Frame, v, p.Wait)})
}

// SignInCode asks for the code of the sign-in email. It says the same whether an email was sent or not.
type SignInCode struct {
	view.Frame
	Email       string // address that the email was requested for, if this browser requested it
	Problems    []fault.Field
	RateLimited bool // too many codes were tried
}

// Write writes the page.
func (p SignInCode) Write(w io.Writer, v *view.View) error {
	f := NewForm(v, p.Frame, p.Problems)
	return v.Write(w, "portal/sign_in_code", p.Language, struct {
		SignInCode
		Errors []view.FormError
		Fields []view.Field
	}{p, f.ErrorList(), []view.Field{f.EmailField(p.Email, ""), f.CodeField(f.Phrase("sign_in.code_hint"))}})
}

// SignInLink has the button that the link of the sign-in email leads to. The link's secret is its fragment (after
// the #), which browsers do not send to servers: a script copies it into the form. Without a script the donor types the
// code.
type SignInLink struct {
	view.Frame
	SameBrowser bool // the email was requested in this browser
	Failed      bool // the button was used, and the link is no longer valid
}

// Write writes the page.
func (p SignInLink) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "portal/sign_in_link", p.Language, p)
}

// Form builds the fields of pages that prove an address. The id of every field is its name.
type Form struct{ view.Form }

// NewForm returns the form of a page with the problems of what was typed.
func NewForm(v *view.View, f view.Frame, problems []fault.Field) Form {
	return Form{v.NewForm(f.Language, problems)}
}

// ErrorList returns the lines of the summary of errors.
func (f Form) ErrorList() []view.FormError {
	return f.Errors(func(name string) string { return name })
}

func (f Form) field(name, label, hint, value string, as view.Field) view.Field {
	as.FieldText, as.Value = view.FieldText{Name: name, Label: f.Phrase(label), Hint: hint, Error: f.ErrorText(name)}, value
	return as
}

// EmailField returns the field of an email address.
func (f Form) EmailField(value, hint string) view.Field {
	return f.field("email", "sign_in.email", hint, value, view.Field{Required: true, Type: "email", Autocomplete: "email", Mode: "email"})
}

// CodeField returns the field of the code of an email.
func (f Form) CodeField(hint string) view.Field {
	return f.field("code", "sign_in.code", hint, "", view.Field{Required: true, Type: "text", Autocomplete: "one-time-code", Mode: "numeric", Class: "digits"})
}
