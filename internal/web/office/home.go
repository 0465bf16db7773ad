package office

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"konbit/internal/people/staff"
	"konbit/internal/web"
)

// ScopeChoice is a scope in which a person may work.
type ScopeChoice struct {
	staff.Scope
	Name string
	URL  string
	What string // the person's roles there, in words
}

// scopesOf returns the scopes in which the visit's person holds a role, without those that another of them covers. An
// emergency access has all entities.
func scopesOf(v web.StaffVisit) (all []ScopeChoice) {
	if v.BreakGlass {
		for _, e := range v.Catalog.Entities() {
			all = append(all, ScopeChoice{Scope: staff.Scope{EntityID: e.ID}, Name: e.LegalName, URL: "/office/" + e.Slug})
		}
		return all
	}
	for _, role := range v.Roles {
		if slices.ContainsFunc(all, func(c ScopeChoice) bool { return c.Scope == role.Scope }) {
			continue
		}
		e, err := v.Catalog.EntityByID(role.EntityID)
		if err != nil {
			continue // its catalog is older than the role
		}
		c := ScopeChoice{Scope: role.Scope, Name: e.LegalName, URL: "/office/" + e.Slug}
		if role.OrganisationID.Valid {
			o, err := v.Catalog.OrganisationByID(role.OrganisationID.UUID)
			if err != nil {
				continue
			}
			c.Name, c.URL = o.Name.In(v.Language), c.URL+"?org="+o.Slug
		}
		all = append(all, c)
	}
	return all
}

// rolesIn returns the person's roles in a scope, in words.
func (a *Area) rolesIn(v web.StaffVisit, s ScopeChoice) string {
	var names []string
	for _, name := range staff.RoleNames {
		if slices.ContainsFunc(v.Roles, func(r staff.Role) bool { return r.Scope == s.Scope && r.Name == name }) {
			names = append(names, a.View.Phrase(v.Language, "office.role."+string(name)))
		}
	}
	return strings.Join(names, ", ")
}

// zoneOf returns the time zone of a visit: of its entity, or of the first in which the person holds a role.
func zoneOf(v web.StaffVisit) *time.Location {
	if v.Entity.Slug != "" {
		return v.Entity.Location()
	}
	for _, s := range scopesOf(v) {
		if e, err := v.Catalog.EntityByID(s.EntityID); err == nil {
			return e.Location()
		}
	}
	return time.UTC
}

// HomePage is the choice of a scope.
type HomePage struct {
	Page
	Scopes []ScopeChoice
}

// homeGet leads to the only scope of the person, or shows all.
func (a *Area) homeGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	scopes := scopesOf(v)
	if v.UsedRecovery() {
		return redirect(w, r, accountPath)
	}
	if len(scopes) == 1 && !r.URL.Query().Has("lang") {
		return redirect(w, r, scopes[0].URL)
	}
	for i := range scopes {
		scopes[i].What = a.rolesIn(v, scopes[i])
	}
	return a.write(w, http.StatusOK, "home", v.Language, HomePage{a.pageOf(r, v, "home"), scopes})
}

// ScopePage is the first page of a scope.
type ScopePage struct {
	Page
	What string // the person's roles, in words
}

func (a *Area) scopeGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var names []string
	for _, name := range staff.RoleNames {
		if v.Has(v.Scope, name) {
			names = append(names, a.View.Phrase(v.Language, "office.role."+string(name)))
		}
	}
	return a.write(w, http.StatusOK, "scope", v.Language, ScopePage{a.pageOf(r, v, "scope"), strings.Join(names, ", ")})
}
