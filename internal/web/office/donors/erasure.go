package donors

import (
	"cmp"
	"net/http"
	"strings"
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
		return a.showWithdraw(w, r, v, b, d, *person.Pending, asked)
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

// showWithdraw shows the form that withdraws a request of this office, and who made it. Whoever made it withdraws it with a reason; a
// colleague uses a factor too, because they undo what somebody else did.
func (a *Area) showWithdraw(w http.ResponseWriter, r *http.Request, v web.StaffVisit, b *forms, d donor.Record, e privacy.Erasure, asked desk.Proof) error {
	zone := v.Entity.Location()
	on := phrase.Date(v.Language, a.Moment(e.RequestedAt, zone))
	by, text := a.say(v, "office.donors.form.withdraw_own", "day", on), []string{a.say(v, "office.donors.form.withdraw_text")}
	if !isOwn(v, e) {
		name, err := a.requesterOf(r, v, e)
		if err != nil {
			return err
		}
		by = a.say(v, "office.donors.form.withdraw_by", "day", on, "name", name)
		text = append(text, a.say(v, "office.donors.form.withdraw_of", "name", name))
	}
	f := b.new("withdraw", text...)
	if !isOwn(v, e) {
		var err error
		if f.Factor, err = a.FactorOf(r, v, asked); err != nil {
			return err
		}
	}
	b.problems = append(b.problems, asked.Problems...)
	due := a.say(v, "office.donors.erasure_due_here", "day", phrase.Date(v.Language, e.DueAt.In(zone)), "entity", v.Entity.LegalName)
	return a.showAct(w, r, b, d, a.say(v, "office.donors.form.withdraw"), []Pair{{a.say(v, "office.donors.column.state"), []string{by, due}}}, "", f)
}

// isOwn reports whether the visit's person requested an erasure.
func isOwn(v web.StaffVisit, e privacy.Erasure) bool { return e.RequestedBy == v.Actor() }

// requesterOf returns who of the staff requested an erasure, in words.
func (a *Area) requesterOf(r *http.Request, v web.StaffVisit, e privacy.Erasure) (name string, err error) {
	name = a.say(v, "office.donors.by.staff")
	id, _ := uuid.Parse(strings.TrimPrefix(e.RequestedBy, "staff ")) // Nil, which has no name, if the operator did
	err = a.Read(r, v, func(tx *sqlx.Tx) error {
		names, err := staff.NamesOf(r.Context(), tx, id)
		name = cmp.Or(names[id], name)
		return err
	})
	return name, err
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

// withdrawErasure withdraws a request that waits, after a fresh factor if a colleague made it. One that the donor made by signing in covers
// every legal entity here, and the donor alone withdraws it.
func (a *Area) withdrawErasure(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, f form) error {
	person, err := a.Privacy.PersonIn(r.Context(), d.ID, v.Entity.ID)
	if err != nil {
		return err
	}
	if e := person.Pending; e != nil && e.EntityID.Valid && !isOwn(v, *e) {
		asked, err := a.Prove(r, &v, staff.ActFresh, false)
		if err != nil {
			return err
		}
		if !asked.OK {
			return a.showErasure(w, r, v, d, nil, asked)
		}
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
