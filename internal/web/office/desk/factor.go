package desk

import (
	"errors"
	"net/http"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
)

// Factor is the part of a form that asks for a fresh factor. Templates show it by "office-factor" inside the form. Without
// one that is needed it shows nothing.
type Factor struct {
	Needed  bool
	Code    *view.Field   // the code of an authenticator app; nil: the person has none
	Passkey bool          // the person has a passkey, which is asked for after the form was posted
	Prompt  *staff.Prompt // asks for it now; nil: not yet
}

// Proof is what came of asking for a factor.
type Proof struct {
	OK       bool
	Prompt   *staff.Prompt
	Problems []fault.Field
}

// Prove reads a fresh factor of a form that needs one for an act: the field code or assertion. Without them a factor that was
// used in the last five minutes is enough, unless signed: then a passkey must sign this act. If OK is false, the caller shows
// the form again, with what was typed, and FactorOf of the proof.
func (d *Desk) Prove(r *http.Request, v *web.StaffVisit, act string, signed bool) (p Proof, err error) {
	code, assertion := r.PostForm.Get("code"), r.PostForm.Get("assertion")
	switch {
	case assertion != "":
		err = d.Staff.ProveByPasskey(r.Context(), v.Session, assertion, act)
		if fault.Is(err, fault.Invalid) {
			p.Problems, err = []fault.Field{{Name: "code", Phrase: "office.passkey.wrong"}}, nil
			return p, err
		}
		p.OK = err == nil
	case code != "":
		p.OK, err = d.Staff.ProveByCode(r.Context(), v.Session, code)
		if err == nil && !p.OK {
			p.Problems = []fault.Field{{Name: "code", Phrase: "office.code.wrong"}}
		}
		return p, err
	case v.FactorIsFresh && !signed, v.BreakGlass:
		p.OK = true
	default:
		prompt, has, err := d.Staff.Prompt(r.Context(), v.Session, act)
		if has {
			p.Prompt = &prompt
		} else {
			p.Problems = []fault.Field{{Name: "code", Phrase: "office.code.needed"}}
		}
		return p, err
	}
	return p, err
}

// FactorOf returns the factor's part of a form of a visit.
func (d *Desk) FactorOf(r *http.Request, v web.StaffVisit, p Proof) (f Factor, err error) {
	if v.BreakGlass || v.FactorIsFresh && p.Prompt == nil && p.Problems == nil {
		return f, nil
	}
	factors, err := staff.FactorsOf(r.Context(), d.StaffDB, v.StaffID)
	if err != nil {
		return f, err
	}
	f = Factor{Needed: true, Passkey: len(factors.Passkeys) > 0 && d.Staff.PasskeysWork(), Prompt: p.Prompt}
	if factors.HasCode() {
		code := Field(d.View.NewForm(v.Language, p.Problems), d.View, "code", "", CodeField)
		f.Code = &code
	}
	return f, nil
}

var CodeField = view.Field{Autocomplete: "one-time-code", Mode: "numeric", Class: "digits", HideOptional: true}

// Refusal returns what a page says about an act that the database refused by a rule; nil if err is no such refusal.
func Refusal(err error) []fault.Field {
	var known *fault.Error
	if err != nil && (staff.Rule(err) != "" || errors.Is(err, staff.ErrFactorNeeded)) && errors.As(err, &known) {
		return []fault.Field{{Name: "code", Phrase: known.Phrase}}
	}
	return nil
}

// StatusOf returns the status of a form that is shown again.
func StatusOf(problems []fault.Field) int {
	if len(problems) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
