package today

import (
	"net/http"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/people/staff"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// Here is what the page says to a person who reads no money: what the role does, where to begin, and whom to ask for more.
type Here struct {
	Does  []string // what the person's roles do
	Links []Link
	More  string // who reads gifts and money
	Ask   string // who gives roles
}

// Link is a page with what it is for.
type Link struct{ URL, Label, Text string }

func (a *Area) here(r *http.Request, v web.StaffVisit, tx *sqlx.Tx) (*Here, error) {
	h := &Here{More: a.say(v, "office.today.more")}
	admin := v.Has(v.Scope, staff.Admin)
	if v.Has(v.Scope, staff.Entry) {
		h.Does = append(h.Does, a.say(v, "office.today.does.entry"))
	}
	if admin {
		h.Does, h.More = append(h.Does, a.say(v, "office.today.does.admin")), a.say(v, "office.today.more_admin")
		for _, page := range []string{"people", "approvals", "audit"} {
			h.Links = append(h.Links, Link{v.Path(page), a.say(v, "office.nav."+page), a.say(v, "office.today.for."+page)})
		}
	}
	admins, err := staff.OthersWith(r.Context(), tx, staff.Admin, v.Scope, v.StaffID)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(admins))
	for i, m := range admins {
		names[i] = m.Name
	}
	switch {
	case len(names) > 0 && admin:
		h.Ask = a.say(v, "office.today.ask_another", "names", strings.Join(names, ", "))
	case len(names) > 0:
		h.Ask = a.count(v, "office.today.ask", len(names), "names", strings.Join(names, ", "))
	case admin:
		h.Ask = a.say(v, "office.today.ask_operator")
	default: // the admins of the entity, whom staff of a project do not see
		h.Ask = a.say(v, "office.today.ask_inviter", "entity", v.Entity.LegalName)
	}
	return h, nil
}

// nothingWaits returns what the page says if nothing waits for its reader.
func nothingWaits(v web.StaffVisit) string {
	switch {
	case desk.IsReader(v):
		return "office.today.clear"
	case v.Has(v.Scope, staff.Admin):
		return "office.today.clear_admin"
	}
	return ""
}
