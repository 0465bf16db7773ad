package desk

import (
	"net/http"

	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
)

// ProveMoney is Prove for an act on money of the visit's entity, which says what factor it asks for (entities[].money_factor).
// A passkey signs the act itself; a code that was used in the last five minutes is enough where codes are.
func (d *Desk) ProveMoney(r *http.Request, v *web.StaffVisit, act string) (Proof, error) {
	codes := v.Entity.MoneyFactor == org.FactorTOTP
	if !codes {
		return d.ProvePasskey(r, v, act)
	}
	return d.Prove(r, v, act, !codes || v.FactorKind == nil || *v.FactorKind != "totp")
}

// askForPasskey asks for a passkey and takes nothing else.
func (d *Desk) askForPasskey(r *http.Request, v *web.StaffVisit, act string) (p Proof, err error) {
	prompt, has, err := d.Staff.Prompt(r.Context(), v.Session, act)
	if has {
		p.Prompt = &prompt
	} else {
		p.Problems = []fault.Field{{Name: "factor", Phrase: "office.factor.passkey_needed"}}
	}
	return p, err
}

// MoneyFactorOf is FactorOf for an act on money. approving: whoever approves proves each act, however fresh the factor is.
func (d *Desk) MoneyFactorOf(r *http.Request, v web.StaffVisit, p Proof, approving bool) (f Factor, err error) {
	if approving {
		v.FactorIsFresh = false
	}
	if f, err = d.FactorOf(r, v, p); err != nil || v.Entity.MoneyFactor == org.FactorTOTP {
		return f, err
	}
	f.Code = nil
	f.Needed = f.Prompt != nil || !f.Passkey
	return f, nil
}

// ProvePasskey asks for a passkey that signs an act. It is for acts of which the database checks a code itself, as it does for
// approvals.
func (d *Desk) ProvePasskey(r *http.Request, v *web.StaffVisit, act string) (Proof, error) {
	if r.PostForm.Get("assertion") == "" {
		return d.askForPasskey(r, v, act)
	}
	return d.Prove(r, v, act, true)
}
