package donors

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
)

// planIn returns the plan that the address names, with its donor; fault.NotFound if the visit's person may not see it, or is not
// finance of its organisation.
func (a *Area) planIn(r *http.Request, v web.StaffVisit) (d donor.Record, p plan.Plan, err error) {
	id, err := idIn(r, "plan")
	if err != nil {
		return d, p, err
	}
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		if d, _, err = a.recordIn(r, v, tx); err != nil {
			return err
		}
		p, err = recurring.ByID(r.Context(), tx, id)
		return err
	})
	if err == nil && (p.DonorID != d.ID || p.BegunAt == nil || v.Organisation != nil && p.OrganisationID != v.Organisation.ID ||
		!v.Has(a.scopeOfPlan(v, p), staff.Finance)) {
		err = web.NotFound()
	}
	return d, p, err
}

// scopeOfPlan returns the scope of who may change a plan.
func (a *Area) scopeOfPlan(v web.StaffVisit, p plan.Plan) staff.Scope {
	return staff.Scope{EntityID: v.Entity.ID, OrganisationID: uuid.NullUUID{UUID: p.OrganisationID, Valid: true}}
}

// planGet shows the forms that pause, resume or stop a recurring gift.
func (a *Area) planGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, p, err := a.planIn(r, v)
	if err != nil {
		return err
	}
	return a.showPlan(w, r, v, d, p, nil)
}

func (a *Area) showPlan(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, p plan.Plan, problems []fault.Field) error {
	b, zone, pairs := a.formsOf(r, v, problems), v.Entity.Location(), a.aboutPlan(v, p)
	if !p.Status.IsRunning() {
		return a.showAct(w, r, b, d, a.say(v, "office.donors.plan_heading"), pairs, a.say(v, "office.donors.plan_over"))
	}
	var all []ActForm
	if lengths := p.PauseLengths(a.Now()); len(lengths) > 0 {
		f := b.new("pause", a.say(v, "office.donors.form.pause_text"), a.emailTo(v, d))
		for _, n := range lengths {
			option := Option{Value: strconv.Itoa(n), Selected: b.is("pause") && b.typed.Get("months") == strconv.Itoa(n)}
			_, next, err := p.PauseFor(n, a.Now())
			if err != nil {
				continue
			}
			option.Label = a.View.PhraseN(v.Language, "office.donors.months", n, "day", phrase.Date(v.Language, next.In(zone)))
			f.Months = append(f.Months, option)
		}
		all = append(all, f)
	}
	if _, err := p.ResumeDetail(); err == nil {
		all = append(all, b.new("resume", a.say(v, "office.donors.form.resume_text"), a.emailTo(v, d)))
	}
	cancel := b.new("cancel", a.say(v, "office.donors.form.cancel_text"), a.emailTo(v, d))
	cancel.Quiet = len(all) > 0
	all = append(all, cancel)
	return a.showAct(w, r, b, d, a.say(v, "office.donors.plan_heading"), pairs, "", all...)
}

// aboutPlan returns what pages say about a recurring gift.
func (a *Area) aboutPlan(v web.StaffVisit, p plan.Plan) []Pair {
	pairs := []Pair{
		{a.say(v, "office.donors.column.plan"), []string{a.planName(v, p)}}, {a.say(v, "office.donors.column.state"), []string{a.planState(v, p).Text}},
	}
	if p.NextAt != nil && p.Status.IsRunning() {
		pairs = append(pairs, Pair{a.say(v, "office.donors.column.next"), []string{phrase.Date(v.Language, p.NextAt.In(v.Entity.Location()))}})
	}
	return pairs
}

// checkPlan shows what a pause or a stop does, before it is done.
func (a *Area) checkPlan(w http.ResponseWriter, r *http.Request, v web.StaffVisit, d donor.Record, p plan.Plan, f form) error {
	text := a.say(v, "office.donors.form.cancel_text")
	if f.Do == "pause" {
		months, _ := strconv.Atoi(r.PostForm.Get("months")) // 0 is refused
		_, next, err := p.PauseFor(months, a.Now())
		if problems := fieldsOf(explained(err)); problems != nil {
			return a.showPlan(w, r, v, d, p, problems)
		}
		if err != nil {
			return err
		}
		text = a.say(v, "office.donors.check.pause", "day", phrase.Date(v.Language, next.In(v.Entity.Location())))
	}
	b := a.formsOf(r, v, nil)
	return a.showAct(w, r, b, d, a.say(v, "office.donors.check."+f.Do+"_heading"), a.aboutPlan(v, p), "",
		b.check(f.Do, []string{"months"}, text, a.emailTo(v, d)))
}

// emailTo says which email a donor gets about an act.
func (a *Area) emailTo(v web.StaffVisit, d donor.Record) string {
	if d.Email == "" {
		return a.say(v, "office.donors.email_none")
	}
	return a.say(v, "office.donors.email_to", "email", d.Email)
}

// planPost pauses, resumes or stops a recurring gift as its donor asked, once for each form. If Stripe does not answer at once, it is done
// later; the donor's email confirms it.
func (a *Area) planPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	d, p, err := a.planIn(r, v)
	if err != nil {
		return err
	}
	f, problems, err := formOf(r)
	if err != nil {
		return err
	}
	if !slices.Contains([]string{"pause", "resume", "cancel"}, f.Do) {
		return web.NotFound()
	}
	if problems != nil || !p.Status.IsRunning() && !isConfirmed(r) {
		return a.showPlan(w, r, v, d, p, problems)
	}
	if f.Do != "resume" && !isConfirmed(r) {
		return a.checkPlan(w, r, v, d, p, f)
	}
	id, err := a.requestPlanChange(r, v, f, p)
	if problems = fieldsOf(explained(err)); problems != nil {
		return a.showPlan(w, r, v, d, p, problems)
	}
	if err != nil {
		return err
	}
	said := map[string]string{"pause": "plan_paused", "resume": "plan_resumed", "cancel": "plan_cancelled"}[f.Do]
	bounded, cancel := context.WithTimeout(r.Context(), 4*time.Second)
	defer cancel()
	executed, err := a.Plans.WaitForRequest(bounded, id)
	if fault.Is(err, fault.Conflict) {
		return a.showPlan(w, r, v, d, p, fieldsOf(explained(err)))
	}
	if err != nil {
		a.Log.WarnContext(r.Context(), "cannot wait for a plan's request", "request", id, "error", err)
	}
	if !executed {
		said = "plan_soon"
	}
	return a.done(w, r, v, d.ID, said+"&plan="+p.ID.String())
}

// saidOfPlan returns what a page says of a change of a recurring gift that its address names: if it is another state now, that one.
// An old form that is sent again, and an old address, name a change that others may have followed.
func saidOfPlan(said, id string, plans []plan.Plan) string {
	wanted, ok := map[string]plan.Status{"plan_paused": plan.Paused, "plan_resumed": plan.Active, "plan_cancelled": plan.Cancelled}[said]
	if !ok {
		return said
	}
	var about *plan.Plan
	for i, p := range plans {
		if p.Status == wanted && (id == "" || p.ID.String() == id) {
			return said
		}
		if p.ID.String() == id || id == "" && len(plans) == 1 {
			about = &plans[i]
		}
	}
	switch {
	case about == nil:
		return ""
	case about.Status == plan.Active:
		return "plan_is_active"
	case about.Status == plan.Paused:
		return "plan_is_paused"
	}
	return "plan_is_over"
}

// requestPlanChange requests the change that a form asks for, and returns the id of the request.
func (a *Area) requestPlanChange(r *http.Request, v web.StaffVisit, f form, p plan.Plan) (id uuid.UUID, err error) {
	request := recurring.DonorRequest{PlanID: p.ID, SubmissionID: f.Submission.String(), Channel: planlink.ByOffice, By: v.Actor()}
	months, _ := strconv.Atoi(r.PostForm.Get("months")) // 0 is refused
	err = a.act(r, v, f, a.scopeOfPlan(v, p), func(tx *sqlx.Tx) (done audit.Act, err error) {
		done = audit.Act{ObjectKind: "plan", ObjectID: p.ID.String(), Before: map[string]any{"status": p.Status}}
		switch f.Do {
		case "pause":
			id, _, err = a.Plans.PauseTx(r.Context(), tx, request, months)
			done.Name, done.After = "plan.paused", map[string]any{"status": plan.Paused, "months": months, "request": id}
		case "resume":
			id, _, err = a.Plans.ResumeTx(r.Context(), tx, request)
			done.Name, done.After = "plan.resumed", map[string]any{"status": plan.Active, "request": id}
		default:
			id, _, err = a.Plans.CancelTx(r.Context(), tx, request, "") // the reason is the office's, in the audit log
			done.Name, done.After = "plan.cancelled", map[string]any{"status": plan.Cancelled, "request": id}
		}
		return done, err
	})
	if err == nil && id == uuid.Nil { // the form was sent before
		id, _, err = a.Plans.FindRequest(r.Context(), p.ID, f.Submission.String())
	}
	return id, err
}
