package office

import (
	"net/http"
	"time"

	"github.com/google/uuid"

	"konbit/internal/people/staff"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// AccountPage shows a person's ways to sign in and their open sessions.
type AccountPage struct {
	desk.Page
	Email    string
	Factors  staff.Factors
	Devices  []Device
	Roles    []string // in words
	Factor   desk.Factor
	Act      string // what is confirmed by a factor, as it was posted; empty: nothing
	Passkey  string // the id of the passkey that it is about; may be empty
	Changing bool   // ways to sign in may be changed now: a factor is fresh, or a recovery code was just used
	Passkeys bool   // passkeys work at this address
}

// Device is an open session of the person.
type Device struct {
	ID              string
	Opened, Seen    time.Time
	Device, Network string
	Here            bool
}

func (a *Area) accountGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showAccount(w, r, v, AccountPage{}, desk.Proof{})
}

func (a *Area) showAccount(w http.ResponseWriter, r *http.Request, v web.StaffVisit, p AccountPage, asked desk.Proof) (err error) {
	problems := append(p.Problems, asked.Problems...)
	p.Page = a.PageOf(r, v, "account")
	p.Problems, p.Email, p.Passkeys = problems, v.Email, a.Staff.PasskeysWork()
	if p.Factors, err = staff.FactorsOf(r.Context(), a.StaffDB, v.StaffID); err != nil {
		return err
	}
	open, err := staff.Devices(r.Context(), a.StaffDB, v.StaffID)
	if err != nil {
		return err
	}
	zone := desk.ZoneOf(v)
	for _, d := range open {
		p.Devices = append(p.Devices, Device{d.ID.String(), a.Moment(d.OpenedAt, zone), a.Moment(d.SeenAt, zone), d.Device, d.Network, d.ID == v.ID})
	}
	for i := range p.Factors.Passkeys {
		p.Factors.Passkeys[i].MadeAt = a.Moment(p.Factors.Passkeys[i].MadeAt, zone)
	}
	for _, s := range desk.ScopesOf(v) {
		p.Roles = append(p.Roles, a.RolesIn(v, s)+": "+s.Name)
	}
	p.Changing = v.FactorIsFresh || v.UsedRecovery() && v.FactorAt != nil
	if p.Factor, err = a.FactorOf(r, v, asked); err != nil {
		return err
	}
	if p.Changing && asked.Prompt == nil && asked.Problems == nil {
		p.Factor = desk.Factor{}
	}
	f := p.Form(a.View)
	return a.Write(w, desk.StatusOf(problems), "account", v.Language, struct {
		AccountPage
		Errors []view.FormError
	}{p, desk.ErrorsOf(f, v.Language, a.View)})
}

// accountPost does what the field do says: confirm proves a factor, for what follows; the others change something.
func (a *Area) accountPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) (err error) {
	form, ctx := r.PostForm, r.Context()
	done := ""
	switch form.Get("do") {
	case "confirm":
		asked, err := a.Prove(r, &v, staff.ActFresh, false)
		if err != nil {
			return err
		}
		if !asked.OK {
			return a.showAccount(w, r, v, AccountPage{}, asked)
		}
		return desk.Redirect(w, r, accountPath+"#factors")
	case "end-session":
		id, bad := uuid.Parse(form.Get("device"))
		if bad != nil || id == v.ID {
			return web.NotFound()
		}
		done, err = "session_ended", a.Staff.EndOwn(ctx, v.Session, id)
	case "remove-passkey":
		id, bad := uuid.Parse(form.Get("passkey"))
		if bad != nil {
			return web.NotFound()
		}
		done, err = "passkey_removed", a.Staff.EndPasskey(ctx, v.Session, id)
	case "remove-code":
		done, err = "code_removed", a.Staff.EndCode(ctx, v.Session)
	default:
		return web.NotFound()
	}
	if problems := desk.Refusal(err); problems != nil {
		return a.showAccount(w, r, v, AccountPage{Page: desk.Page{Problems: problems}}, desk.Proof{})
	}
	if err != nil {
		return err
	}
	return desk.Redirect(w, r, accountPath+"?said="+done)
}
