package donors

import (
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/office/donorfile"
	"konbit/internal/office/privacy"
	"konbit/internal/people/audit"
	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/securitylog"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Area serves the pages about donors.
type Area struct {
	*desk.Desk
	Plans    recurring.Plans
	Resender mail.Resender
	Receipts receipt.Issuer
	Privacy  privacy.Eraser
}

// acts limits what a person does to donors (STAFF 28).
var acts = web.Limit{Name: "staff acts about donors", Words: "office.limit.donors", Limit: guard.Limit{Max: 60, Window: time.Hour}}

// Routes returns the area's routes.
func (a *Area) Routes() []web.Route {
	reads, finance := a.In(desk.Readers...), a.In(staff.Finance)
	whole := ofEntity(finance)
	const list = "/office/{entity}/donors"
	const one = list + "/{id}"
	return []web.Route{
		web.Get(list, web.Page, reads, a.listGet).Limited(desk.Pages),
		web.Get(one, web.Page, reads, a.donorGet).Limited(desk.Pages),
		web.Get(one+"/plans/{plan}", web.Page, finance, a.planGet).Limited(desk.Pages),
		web.Post(one+"/plans/{plan}", web.OwnDeadline, finance, a.planPost).Limited(acts),
		web.Get(one+"/receipts/{receipt}", web.Page, finance, a.receiptGet).Limited(desk.Pages),
		web.Post(one+"/receipts/{receipt}", web.OwnDeadline, finance, a.receiptPost).Limited(acts),
		web.Get(one+"/details", web.Page, whole, a.detailsGet).Limited(desk.Pages),
		web.Post(one+"/details", web.Page, whole, a.detailsPost).Limited(acts),
		web.Get(one+"/erasure", web.Page, whole, a.erasureGet).Limited(desk.Pages),
		web.Post(one+"/erasure", web.Page, whole, a.erasurePost).Limited(acts),
	}
}

// ofEntity narrows a permission of finance to those who hold it for the whole entity.
func ofEntity(p web.Permission[web.StaffVisit]) web.Permission[web.StaffVisit] {
	find := p.Find
	p.Name += " of the entity"
	p.Find = func(r *http.Request, v web.StaffVisit) (web.StaffVisit, error) {
		v, err := find(r, v)
		if err == nil && !isOfEntity(v) {
			securitylog.Record(r.Context(), securitylog.RoleRefused)
			err = web.NotFound()
		}
		return v, err
	}
	return p
}

// isOfEntity reports whether the visit's person is finance of the whole entity.
func isOfEntity(v web.StaffVisit) bool { return v.Has(entityOf(v), staff.Finance) }

func entityOf(v web.StaffVisit) staff.Scope { return staff.Scope{EntityID: v.Entity.ID} }

// scopeOf returns whose donors and gifts a visit shows.
func scopeOf(v web.StaffVisit) donorfile.Scope {
	return donorfile.Scope{EntityID: v.Scope.EntityID, OrganisationID: v.Scope.OrganisationID}
}

// idIn returns the id that the address has as a parameter; fault.NotFound if it is none.
func idIn(r *http.Request, name string) (uuid.UUID, error) {
	id, err := uuid.Parse(chi.URLParam(r, name))
	if err != nil {
		err = web.NotFound()
	}
	return id, err
}

// recordIn returns the donor that the address names, with the sums of their gifts in the visit's scope; fault.NotFound if there
// is none whom the visit's person may see there. tx is a transaction of Desk.Read.
func (a *Area) recordIn(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (d donor.Record, sums donorfile.Sums, err error) {
	id, err := idIn(r, "id")
	if err != nil {
		return d, sums, err
	}
	if d, err = donor.RecordOf(r.Context(), tx, id); err != nil {
		return d, sums, err
	}
	if d.EntityID != v.Entity.ID || d.FirstGiftAt == nil && d.Email == "" && nameOf(d) == "" && !d.IsErased() {
		return d, sums, web.NotFound() // of another entity, or never gave, and nothing is known any more
	}
	all, err := donorfile.SumsOf(r.Context(), tx, scopeOf(v), a.year(v), []uuid.UUID{id})
	if err != nil {
		return d, sums, err
	}
	sums, gave := all[id]
	if v.Organisation != nil && !gave {
		return d, sums, web.NotFound()
	}
	return d, sums, nil
}

// year returns the current year of the visit's entity.
func (a *Area) year(v web.StaffVisit) int { return a.Now().In(v.Entity.Location()).Year() }

// nameOf returns a donor's name; empty after an erasure.
func nameOf(d donor.Record) string {
	if d.OrganisationName != "" {
		return d.OrganisationName
	}
	return strings.TrimSpace(d.FirstName + " " + d.LastName)
}

// record adds an entry about a donor's object to the audit log. It has ids, never a name or an address.
func record(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, e audit.Act) error {
	e.EntityID = uuid.NullUUID{UUID: v.Entity.ID, Valid: true}
	return audit.RecordTx(r.Context(), tx, e)
}

// act does what a form asks for, with its entry in the audit log, in one transaction; nothing if the form was sent before.
func (a *Area) act(r *http.Request, v web.StaffVisit, f form, scope staff.Scope, do func(tx *sqlx.Tx) (audit.Act, error)) error {
	return staff.InTx(r.Context(), a.StaffDB, v.Session, func(tx *sqlx.Tx) error {
		repeated, err := staff.UseFormTx(r.Context(), tx, staff.Form{ID: f.Submission, Content: f.content(r), Scope: scope,
			Roles: []staff.RoleName{staff.Finance}})
		if err != nil || repeated {
			return err
		}
		done, err := do(tx)
		if err != nil {
			return err
		}
		done.Reason = f.Reason
		if done.OrganisationID == (uuid.NullUUID{}) {
			done.OrganisationID = scope.OrganisationID
		}
		return record(r, v, tx, done)
	})
}

// form is what all forms of the area have.
type form struct {
	Submission uuid.UUID // one-time id
	Reason     string
	Do         string
}

// maxReason is the longest reason, in characters.
const maxReason = 500

// formOf reads a form that was posted.
func formOf(r *http.Request) (f form, problems []fault.Field, err error) {
	f.Submission, err = uuid.Parse(r.PostForm.Get("submission"))
	if err != nil {
		return f, nil, fault.Wrap(fault.Invalid, "problem.400.text", err)
	}
	f.Do, f.Reason = r.PostForm.Get("do"), typedText(r.PostForm.Get("reason"))
	switch {
	case f.Reason == "":
		problems = append(problems, fault.Field{Name: "reason", Phrase: "office.donors.error.reason"})
	case len([]rune(f.Reason)) > maxReason:
		problems = append(problems, fault.Field{Name: "reason", Phrase: "office.donors.error.reason_long"})
	}
	return f, problems, nil
}

// content returns what a form says, without its session and proof.
func (f form) content(r *http.Request) string {
	typed := r.PostForm
	var b strings.Builder
	b.WriteString(r.URL.Path)
	for _, name := range []string{"do", "reason", "months", "email", "first_name", "last_name", "organisation_name", "language",
		"phone", "address_line1", "address_line2", "city", "region", "postal_code", "country", "version"} {
		b.WriteString("\n" + name + "=" + typed.Get(name))
	}
	return b.String()
}
