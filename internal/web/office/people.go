package office

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// PeoplePage lists who holds which role in a scope, since when and granted by whom, and changes it.
type PeoplePage struct {
	desk.Page
	People  []Person
	Admin   bool // the reader may change roles
	Form    PeopleForm
	Factor  desk.Factor
	Choices []ScopeOption // where a role can be granted here
	Check   *Check        // what a form does, before it is done; nil: no form was sent, or it is wrong
}

// Person is a member of the staff with the roles in the scope.
type Person struct {
	ID, Name, Email string
	CanSignIn, Self bool
	SameName        bool // another person has the same name
	Roles           []HeldRole
	Same            []SamePerson
}

// SamePerson is another account of a person.
type SamePerson struct {
	Name, Email string
	Since       time.Time
	By          string // empty: the operator
}

// Check says what a form does before it is done, and to whom.
type Check struct {
	Pairs []CheckPair
	Will  string // what will happen
}

// CheckPair is a line of a Check.
type CheckPair struct{ Label, Text string }

// HeldRole is a role of a person.
type HeldRole struct {
	Role, Scope string
	ScopeValue  string // for the form; see ScopeOption
	Since       time.Time
	GrantedBy   string // empty: the operator
}

// ScopeOption is a scope in a form: the slug of an organisation, or empty for the whole entity.
type ScopeOption struct{ Value, Name string }

// PeopleForm is what was typed.
type PeopleForm struct {
	Do, Email, Name, Language, Role, Organisation, Person, Same string
	Step                                                        string // stepChecked: the page has shown both accounts
}

func (a *Area) peopleGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	return a.showPeople(w, r, v, PeopleForm{}, nil, desk.Proof{})
}

func (a *Area) showPeople(w http.ResponseWriter, r *http.Request, v web.StaffVisit, form PeopleForm, problems []fault.Field, asked desk.Proof) (err error) {
	p := PeoplePage{Page: a.PageOf(r, v, "people"), Form: form, Admin: v.Has(v.Scope, staff.Admin)}
	p.Problems = append(problems, asked.Problems...)
	if p.People, err = a.peopleIn(r, v); err != nil {
		return err
	}
	if p.Admin {
		if len(problems) == 0 { // what is wrong comes first, then the code
			if p.Factor, err = a.FactorOf(r, v, asked); err != nil {
				return err
			}
		}
		if form.Do != "" && len(problems) == 0 && (p.Factor.Needed || isUnchecked(form)) {
			p.Check = a.checkOf(v, form, p.People)
		}
		if v.Organisation == nil {
			p.Choices = append(p.Choices, ScopeOption{"", v.Entity.LegalName})
		}
		for _, o := range v.Catalog.Organisations() {
			if o.EntityID == v.Entity.ID && (v.Organisation == nil || o.ID == v.Organisation.ID) {
				p.Choices = append(p.Choices, ScopeOption{o.Slug, o.Name.In(v.Language)})
			}
		}
	}
	f := p.Page.Form(a.View)
	name := desk.Field(f, a.View, "name", form.Name, view.Field{Autocomplete: "off", HideOptional: true})
	name.Hint = a.View.Phrase(v.Language, "office.people.name_hint")
	return a.Write(w, desk.StatusOf(p.Problems), "people", v.Language, struct {
		PeoplePage
		Errors      []view.FormError
		Email, Name view.Field
		Roles       []staff.RoleName
		Action      string
	}{
		p, desk.ErrorsOf(f, v.Language, a.View),
		desk.Field(f, a.View, "email", form.Email, view.Field{Type: "email", Autocomplete: "off", Required: true}),
		name, staff.RoleNames, v.Path("people"),
	})
}

// peopleIn returns the persons who hold a role in the visit's scope, with their roles there.
func (a *Area) peopleIn(r *http.Request, v web.StaffVisit) (people []Person, err error) {
	roles, err := staff.RolesAt(r.Context(), a.StaffDB, v.Entity.ID)
	if err != nil {
		return nil, err
	}
	members, err := staff.All(r.Context(), a.StaffDB)
	if err != nil {
		return nil, err
	}
	names, called := map[uuid.UUID]string{}, map[string]int{}
	for _, m := range members {
		names[m.ID] = m.Name
	}
	for _, m := range members {
		p := Person{ID: m.ID.String(), Name: m.Name, Email: m.Email, CanSignIn: m.CanSignIn, Self: m.ID == v.StaffID}
		for _, role := range roles {
			if role.StaffID != m.ID || v.Organisation != nil && role.OrganisationID.Valid && role.OrganisationID != v.Scope.OrganisationID {
				continue
			}
			held := HeldRole{Role: string(role.Name), Scope: v.Entity.LegalName, Since: a.Moment(role.GrantedAt, desk.ZoneOf(v)),
				GrantedBy: names[role.GrantedBy.UUID]}
			if role.OrganisationID.Valid {
				o, err := v.Catalog.OrganisationByID(role.OrganisationID.UUID)
				if err != nil {
					continue
				}
				held.Scope, held.ScopeValue = o.Name.In(v.Language), o.Slug
			}
			p.Roles = append(p.Roles, held)
		}
		if len(p.Roles) > 0 {
			people = append(people, p)
			called[strings.ToLower(m.Name)]++
		}
	}
	for i := range people {
		people[i].SameName = called[strings.ToLower(people[i].Name)] > 1
	}
	return people, a.addSame(r, v, people, names)
}

// peoplePost does what the field do says, after a fresh factor.
func (a *Area) peoplePost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	f := r.PostForm
	form := PeopleForm{
		Do: f.Get("do"), Email: f.Get("email"), Name: f.Get("name"), Language: f.Get("language"), Role: f.Get("role"),
		Organisation: f.Get("organisation"), Person: f.Get("person"), Same: f.Get("same"),
		Step: f.Get("step"),
	}
	do, problems, err := a.peopleAct(r, v, &form)
	if err != nil {
		return err
	}
	if problems != nil {
		return a.showPeople(w, r, v, form, problems, desk.Proof{})
	}
	if !do.done && isUnchecked(form) {
		return a.showPeople(w, r, v, form, nil, desk.Proof{})
	}
	asked := desk.Proof{OK: do.done}
	if !do.done {
		if asked, err = a.Prove(r, &v, staff.ActFresh, false); err != nil {
			return err
		}
	}
	if !asked.OK {
		if !r.PostForm.Has("code") {
			asked.Problems = nil // the page asks for a code for the first time: nothing is wrong yet
		}
		return a.showPeople(w, r, v, form, nil, asked)
	}
	err = do.now()
	if staff.NeedsSecondAdmin(err) && do.request != nil {
		var request uuid.UUID
		if request, err = do.request(); err == nil {
			return desk.Redirect(w, r, v.Path("approvals/"+request.String()))
		}
	}
	if err == nil {
		path := v.Path("people")
		return desk.Redirect(w, r, path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"said="+doneOf[form.Do])
	}
	if problems := desk.Refusal(err); problems != nil {
		securitylog.Record(r.Context(), securitylog.RoleRefused)
		v.FactorIsFresh = true
		return a.showPeople(w, r, v, form, problems, desk.Proof{})
	}
	return err
}

// doneOf are the values of ?said= by what was done.
var doneOf = map[string]string{
	"invite": "invited", "end": "ended", "end-sessions": "sessions_ended", "reset": "reset", "invite-again": "invited_again", "join": "joined",
}

// act is what a form asks for.
type act struct {
	now     func() error
	request func() (uuid.UUID, error) // asks a second admin for it; nil: none approves it
	done    bool                      // it was done before, and needs no proof
}

// peopleAct returns what a form asks for, or what is wrong with it. Nothing is done yet. The name of an invitation is completed with that of
// somebody who is here already.
func (a *Area) peopleAct(r *http.Request, v web.StaffVisit, form *PeopleForm) (do act, problems []fault.Field, err error) {
	ctx := r.Context()
	scope, err := a.scopeOf(v, form.Organisation)
	if err != nil {
		return do, nil, err
	}
	role := staff.RoleName(form.Role)
	if (form.Do == "invite" || form.Do == "end") && !slices.Contains(staff.RoleNames, role) {
		return do, nil, web.NotFound()
	}
	people, err := a.peopleIn(r, v)
	if err != nil {
		return do, nil, err
	}
	if form.Do == "invite" {
		if at := slices.IndexFunc(people, func(p Person) bool { return p.Email == web.StoredEmail(form.Email) }); at >= 0 {
			form.Name = people[at].Name
		}
		i := staff.Invitation{Email: form.Email, Name: form.Name, Language: languageOf(form.Language), Role: role, Scope: scope}
		return act{
			now:     func() error { _, err := a.Staff.Invite(ctx, v.Session, i); return err },
			request: func() (uuid.UUID, error) { return a.Staff.RequestInvite(ctx, v.Session, i) },
		}, i.Check(), nil
	}
	find := func(id string) (uuid.UUID, bool) {
		at := slices.IndexFunc(people, func(p Person) bool { return p.ID == id })
		if at < 0 {
			return uuid.Nil, false
		}
		return uuid.MustParse(people[at].ID), true
	}
	person, ok := find(form.Person)
	if form.Do == "end" {
		return a.endOf(r, v, *form, staff.RoleChange{StaffID: person, Role: role, Scope: scope}, people)
	}
	if !ok {
		return do, nil, web.NotFound()
	}
	switch form.Do {
	case "end-sessions":
		return act{now: func() error {
			err := a.Staff.EndSessions(ctx, v.Session, person)
			if fault.Is(err, fault.NotFound) {
				err = nil // there is none
			}
			return err
		}}, nil, nil
	case "reset":
		return act{now: func() error { return a.Staff.Reset(ctx, v.Session, person) }}, nil, nil
	case "invite-again":
		return act{now: func() error { return a.Staff.InviteAgain(ctx, v.Session, person) }}, nil, nil
	case "join":
		if form.Same == "" {
			return do, []fault.Field{{Name: "same-" + form.Person, Phrase: "office.people.error.same"}}, nil
		}
		same, ok := find(form.Same)
		if !ok || same == person {
			return do, nil, web.NotFound()
		}
		return act{now: func() error { return a.Staff.Join(ctx, v.Session, person, same) }}, nil, nil
	}
	return do, nil, web.NotFound()
}

// endOf returns the act that ends a role. One that ended before is ended; one that the person never had is refused: a request for it
// could never be executed.
func (a *Area) endOf(r *http.Request, v web.StaffVisit, form PeopleForm, change staff.RoleChange, people []Person) (do act, problems []fault.Field, err error) {
	ctx := r.Context()
	id, bad := uuid.Parse(form.Person)
	if bad != nil {
		return do, nil, web.NotFound()
	}
	change.StaffID = id
	var had, ended bool
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		had, ended, err = staff.HadRole(ctx, tx, change)
		return err
	})
	switch {
	case err != nil:
		return do, nil, err
	case had && ended && v.Has(change.Scope, staff.Admin):
		return act{now: func() error { return nil }, done: true}, nil, nil
	case !slices.ContainsFunc(people, func(p Person) bool { return p.ID == id.String() }):
		return do, nil, web.NotFound()
	case !had || ended:
		return do, []fault.Field{{Name: "submit", Phrase: "office.people.problem.no_role"}}, nil
	}
	return act{
		now:     func() error { return a.Staff.EndRole(ctx, v.Session, change) },
		request: func() (uuid.UUID, error) { return a.Staff.RequestEnd(ctx, v.Session, change) },
	}, nil, nil
}

// scopeOf returns the scope that a form names within the visit's; fault.NotFound if it is not there.
func (a *Area) scopeOf(v web.StaffVisit, organisation string) (staff.Scope, error) {
	scope := staff.Scope{EntityID: v.Entity.ID}
	if organisation == "" {
		return scope, nil // the database refuses whoever is admin of an organisation only
	}
	o, err := v.Catalog.Organisation(organisation)
	if err != nil || o.EntityID != v.Entity.ID || v.Organisation != nil && v.Organisation.ID != o.ID {
		return scope, web.NotFound()
	}
	scope.OrganisationID = uuid.NullUUID{UUID: o.ID, Valid: true}
	return scope, nil
}

// languageOf returns a language of staff.
func languageOf(typed string) string {
	if typed == "es" {
		return "es"
	}
	return "en"
}
