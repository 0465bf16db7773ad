package donors

import (
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/recurring"
	"konbit/internal/office/privacy"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// erasureGet explains what an erasure means, and shows the form that requests one for a donor who asked the office. It covers what this
// legal entity has of the person; whether another one has anything is neither shown nor changed.
func (a *Area) erasureGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, err := a.donorIn(r, v)
	if err != nil {
		return err
	}
	return a.showErasure(w, r, v, d, nil, desk.Proof{})
}

func (a *Area) showErasure(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, problems []fault.Field, asked desk.Proof) error {
	person, err := a.Privacy.PersonIn(r.Context(), d.ID, v.Entity.ID)
	if err != nil {
		return err
	}
	b := a.formsOf(r, v, problems)
	heading, instead := a.say(v, "office.donors.act.erasure"), ""
	if err := a.Privacy.CheckErasable(r.Context(), person.Donors); err != nil {
		if instead = privacy.Obstacle(err); instead == "" {
			return err
		}
		instead = a.say(v, "office.donors.obstacle."+instead)
	}
	if person.Pending != nil {
		due := person.Pending.DueAt.In(v.Entity.Location())
		instead = a.say(v, "office.donors.erasure_due", "day", phrase.Date(v.Language, due))
	}
	if person.Pending != nil && person.Pending.EntityID.Valid {
		f := b.new("withdraw", a.say(v, "office.donors.form.withdraw_text"))
		return a.showAct(w, r, b, d, heading, []Pair{{a.say(v, "office.donors.column.state"), []string{instead}}}, "", f)
	}
	if instead != "" {
		first, err := a.plansToStop(r, v, d, person.Donors)
		if err != nil {
			return err
		}
		return a.showInstead(w, r, b, d, heading, nil, instead, first)
	}
	due := phrase.Date(v.Language, a.Now().Add(privacy.DefaultDelay).In(v.Entity.Location()))
	f := b.new("erasure", a.say(v, "office.donors.form.erasure_text", "entity", v.Entity.LegalName), a.say(v, "office.donors.form.erasure_stays"),
		a.say(v, "office.donors.form.erasure_due", "day", due), a.emailTo(v, d))
	if f.Factor, err = a.FactorOf(r, v, asked); err != nil {
		return err
	}
	b.problems = append(b.problems, asked.Problems...)
	return a.showAct(w, r, b, d, heading, nil, "", f)
}

// plansToStop returns links to the recurring gifts of a donor that still run and that the visit's person may stop.
func (a *Area) plansToStop(r *http.Request, v web.StaffVisit, d donor.Record, donors []uuid.UUID) (links []Link, err error) {
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		plans, err := recurring.OfDonor(r.Context(), tx, donors...)
		for _, p := range plans {
			if p.DonorID == d.ID && p.Status.IsRunning() && v.Has(a.scopeOfPlan(v, p), staff.Finance) {
				links = append(links, Link{a.planName(v, p), a.actPath(v, d.ID, "plans/"+p.ID.String())})
			}
		}
		return err
	})
	return links, err
}

// erasurePost requests the erasure, after a fresh factor: it cannot be undone once it is done.
func (a *Area) erasurePost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, err := a.donorIn(r, v)
	if err != nil {
		return err
	}
	f, problems, err := formOf(r)
	if err != nil {
		return err
	}
	if problems != nil {
		return a.showErasure(w, r, v, d, problems, desk.Proof{})
	}
	if f.Do == "withdraw" {
		return a.withdrawErasure(w, r, v, d, f)
	}
	asked, err := a.Prove(r, &v, staff.ActFresh, false)
	if err != nil {
		return err
	}
	if !asked.OK {
		return a.showErasure(w, r, v, d, nil, asked)
	}
	person, err := a.Privacy.PersonIn(r.Context(), d.ID, v.Entity.ID)
	if err == nil && person.Pending == nil {
		err = a.Privacy.CheckErasable(r.Context(), person.Donors)
	}
	if privacy.Obstacle(err) != "" {
		return a.showErasure(w, r, v, d, nil, desk.Proof{})
	}
	if err != nil {
		return err
	}
	err = a.act(r, v, f, entityOf(v), func(tx *sqlx.Tx) (audit.Act, error) {
		e, pending, err := a.Privacy.RequestTx(r.Context(), tx, privacy.ErasureRequest{
			EntityID: uuid.NullUUID{UUID: v.Entity.ID, Valid: true}, Donors: person.Donors, Addresses: person.Addresses, Recipient: d.Email,
			Language: d.Language, RequestedBy: v.Actor(), Delay: privacy.DefaultDelay,
		})
		return audit.Act{Name: "erasure.requested", ObjectKind: "erasure", ObjectID: e.ID.String(),
			After: map[string]any{"donor": d.ID, "due": e.DueAt.UTC().Format(time.DateOnly), "pending_before": pending}}, err
	})
	if problems = fieldsOf(err); problems != nil {
		return a.showErasure(w, r, v, d, problems, desk.Proof{})
	}
	if err != nil {
		return err
	}
	return a.done(w, r, v, d.ID, "erasure_requested")
}

// withdrawErasure withdraws a request that waits. One that the donor made by signing in covers every legal entity here, and the donor
// alone withdraws it.
func (a *Area) withdrawErasure(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, f form) error {
	person, err := a.Privacy.PersonIn(r.Context(), d.ID, v.Entity.ID)
	if err != nil {
		return err
	}
	err = a.act(r, v, f, entityOf(v), func(tx *sqlx.Tx) (audit.Act, error) {
		e, err := a.Privacy.WithdrawInTx(r.Context(), tx, person.Donors, v.Entity.ID)
		return audit.Act{Name: "erasure.withdrawn", ObjectKind: "erasure", ObjectID: e.ID.String(), After: map[string]any{"donor": d.ID}}, err
	})
	if problems := fieldsOf(err); problems != nil {
		return a.showErasure(w, r, v, d, problems, desk.Proof{})
	}
	if err != nil {
		return err
	}
	return a.done(w, r, v, d.ID, "erasure_withdrawn")
}
