package office

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

// proof is what came of asking for a factor.
type proof struct {
	ok       bool
	prompt   *staff.Prompt
	problems []fault.Field
}

// prove reads a fresh factor of a form that needs one for an act: the field code or assertion. Without them a factor that was
// used in the last five minutes is enough, unless signed: then a passkey must sign this act. If ok is false, the caller shows
// the form again, with what was typed, and factorOf of the proof.
func (a *Area) prove(r *http.Request, v *web.StaffVisit, act string, signed bool) (p proof, err error) {
	code, assertion := r.PostForm.Get("code"), r.PostForm.Get("assertion")
	switch {
	case assertion != "":
		err = a.Staff.ProveByPasskey(r.Context(), v.Session, assertion, act)
		if fault.Is(err, fault.Invalid) {
			p.problems, err = []fault.Field{{Name: "code", Phrase: "office.passkey.wrong"}}, nil
			return p, err
		}
		p.ok = err == nil
	case code != "":
		p.ok, err = a.Staff.ProveByCode(r.Context(), v.Session, code)
		if err == nil && !p.ok {
			p.problems = []fault.Field{{Name: "code", Phrase: "office.code.wrong"}}
		}
		return p, err
	case v.FactorIsFresh && !signed, v.BreakGlass:
		p.ok = true
	default:
		prompt, has, err := a.Staff.Prompt(r.Context(), v.Session, act)
		if has {
			p.prompt = &prompt
		} else {
			p.problems = []fault.Field{{Name: "code", Phrase: "office.code.needed"}}
		}
		return p, err
	}
	return p, err
}

// factorOf returns the factor's part of a form of a visit.
func (a *Area) factorOf(r *http.Request, v web.StaffVisit, p proof) (f Factor, err error) {
	if v.BreakGlass || v.FactorIsFresh && p.prompt == nil && p.problems == nil {
		return f, nil
	}
	factors, err := staff.FactorsOf(r.Context(), a.DB, v.StaffID)
	if err != nil {
		return f, err
	}
	f = Factor{Needed: true, Passkey: len(factors.Passkeys) > 0 && a.Staff.PasskeysWork(), Prompt: p.prompt}
	if factors.HasCode() {
		code := field(a.View.NewForm(v.Language, p.problems), a.View, "code", "", codeField)
		f.Code = &code
	}
	return f, nil
}

var codeField = view.Field{Autocomplete: "one-time-code", Mode: "numeric", Class: "digits", HideOptional: true}

// refusal returns what a page says about an act that the database refused by a rule; nil if err is no such refusal.
func refusal(err error) []fault.Field {
	var known *fault.Error
	if err != nil && (staff.Rule(err) != "" || errors.Is(err, staff.ErrFactorNeeded)) && errors.As(err, &known) {
		return []fault.Field{{Name: "code", Phrase: known.Phrase}}
	}
	return nil
}

// statusOf returns the status of a form that is shown again.
func statusOf(problems []fault.Field) int {
	if len(problems) > 0 {
		return http.StatusUnprocessableEntity
	}
	return http.StatusOK
}
