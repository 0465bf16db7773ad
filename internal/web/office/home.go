package office

import (
	"net/http"
	"strings"

	"konbit/internal/people/staff"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// HomePage is the choice of a scope.
type HomePage struct {
	desk.Page
	Scopes []desk.ScopeChoice
}

// homeGet leads to the only scope of the person, or shows all.
func (a *Area) homeGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	scopes := desk.ScopesOf(v)
	if v.UsedRecovery() {
		return desk.Redirect(w, r, accountPath)
	}
	if len(scopes) == 1 && !r.URL.Query().Has("lang") {
		return desk.Redirect(w, r, scopes[0].URL)
	}
	for i := range scopes {
		scopes[i].What = a.RolesIn(v, scopes[i])
	}
	return a.Write(w, http.StatusOK, "home", v.Language, HomePage{a.PageOf(r, v, "home"), scopes})
}

// ScopePage is the first page of a scope.
type ScopePage struct {
	desk.Page
	What string // the person's roles, in words
}

func (a *Area) scopeGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var names []string
	for _, name := range staff.RoleNames {
		if v.Has(v.Scope, name) {
			names = append(names, a.View.Phrase(v.Language, "office.role."+string(name)))
		}
	}
	return a.Write(w, http.StatusOK, "scope", v.Language, ScopePage{a.PageOf(r, v, "scope"), strings.Join(names, ", ")})
}
