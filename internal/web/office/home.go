package office

import (
	"net/http"

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
