package office

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/people/staff"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// stepChecked is the value of the field step of a form that was shown with what it does.
const stepChecked = "checked"

// isUnchecked reports whether a form joins two accounts and no page has shown both yet.
func isUnchecked(f PeopleForm) bool { return f.Do == "join" && f.Step != stepChecked }

// checkOf returns what a form does, and to whom.
func (a *Area) checkOf(v web.StaffVisit, form PeopleForm, people []Person) *Check {
	say := func(key string, args ...any) string { return a.View.Phrase(v.Language, key, args...) }
	c := &Check{}
	add := func(label, text string) { c.Pairs = append(c.Pairs, CheckPair{say(label), text}) }
	who := Person{Name: form.Name, Email: form.Email}
	known := func(id string) (p Person, ok bool) {
		at := slices.IndexFunc(people, func(p Person) bool { return p.ID == id })
		if at < 0 {
			return p, false
		}
		return people[at], true
	}
	if p, ok := known(form.Person); ok {
		who = p
	}
	add("office.people.check.who", who.Name+", "+who.Email)
	if form.Do == "invite" || form.Do == "end" {
		where := v.Entity.LegalName
		if o, err := v.Catalog.Organisation(form.Organisation); err == nil && form.Organisation != "" {
			where = o.Name.In(v.Language)
		}
		add("office.field.role", say("office.role."+form.Role))
		add("office.field.organisation", where)
	}
	will := "office.people.will." + form.Do
	if form.Do == "invite" && slices.ContainsFunc(people, func(p Person) bool { return p.Email == web.StoredEmail(form.Email) && p.CanSignIn }) {
		will = "office.people.will.grant"
	}
	if form.Do == "end" && form.Role == string(staff.Admin) {
		will = "office.people.will.end_admin"
	}
	if same, ok := known(form.Same); ok && form.Do == "join" {
		add("office.people.check.same", same.Name+", "+same.Email)
	}
	c.Will = say(will, "name", who.Name)
	return c
}

// addSame adds to each person their other accounts. names are those of all staff. An account without a role here has no name on the page.
func (a *Area) addSame(r *http.Request, v web.StaffVisit, people []Person, names map[uuid.UUID]string) error {
	var joined []staff.Joined
	err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		joined, err = staff.AllJoined(r.Context(), tx)
		return err
	})
	if err != nil {
		return err
	}
	of := map[string]staff.Joined{} // by account
	for _, j := range joined {
		of[j.StaffID.String()] = j
	}
	personOf := func(id string) string {
		if j, ok := of[id]; ok {
			return j.PersonID.String()
		}
		return id
	}
	for i, p := range people {
		for _, j := range joined {
			if personOf(p.ID) != j.PersonID.String() {
				continue
			}
			other := j.StaffID.String()
			if other == p.ID { // this row says it of the person itself
				other = j.PersonID.String()
			}
			same := SamePerson{Name: a.Somebody(v, "office.audit.elsewhere"), Since: a.Moment(j.At, desk.ZoneOf(v)), By: names[j.By.UUID]}
			if at := slices.IndexFunc(people, func(o Person) bool { return o.ID == other }); at >= 0 {
				same.Name, same.Email = people[at].Name, people[at].Email
			}
			same.Name = cmp.Or(same.Name, other)
			people[i].Same = append(people[i].Same, same)
		}
	}
	return nil
}
