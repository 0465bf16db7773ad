package desk

import (
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

// ScopesOf returns the scopes in which the visit's person holds a role, without those that another of them covers. An
// emergency access has all entities.
func ScopesOf(v web.StaffVisit) (all []ScopeChoice) {
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

// enter returns a visit in the scope; false if the visit's catalog does not have it.
func (s ScopeChoice) enter(v web.StaffVisit) (web.StaffVisit, bool) {
	e, err := v.Catalog.EntityByID(s.EntityID)
	if err != nil {
		return v, false
	}
	v.Scope, v.Entity, v.Organisation = s.Scope, e, nil
	if s.OrganisationID.Valid {
		o, err := v.Catalog.OrganisationByID(s.OrganisationID.UUID)
		if err != nil {
			return v, false
		}
		v.Organisation = &o
	}
	return v, true
}

// RolesIn returns the person's roles in a scope, in words.
func (d *Desk) RolesIn(v web.StaffVisit, s ScopeChoice) string {
	var names []string
	for _, name := range staff.RoleNames {
		if slices.ContainsFunc(v.Roles, func(r staff.Role) bool { return r.Scope == s.Scope && r.Name == name }) {
			names = append(names, d.View.Phrase(v.Language, "office.role."+string(name)))
		}
	}
	return strings.Join(names, ", ")
}

// Somebody returns what pages call a person whom the visit's person does not see: of an organisation's staff, that is a
// colleague of the entity. key is what others are called.
func (d *Desk) Somebody(v web.StaffVisit, key string) string {
	if v.Organisation != nil {
		return d.View.Phrase(v.Language, "office.somebody_of", "entity", v.Entity.LegalName)
	}
	return d.View.Phrase(v.Language, key)
}

// ZoneOf returns the time zone of a visit: of its entity, or of the first in which the person holds a role.
func ZoneOf(v web.StaffVisit) *time.Location {
	if v.Entity.Slug != "" {
		return v.Entity.Location()
	}
	for _, s := range ScopesOf(v) {
		if e, err := v.Catalog.EntityByID(s.EntityID); err == nil {
			return e.Location()
		}
	}
	return time.UTC
}
