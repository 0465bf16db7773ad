package letters

import (
	"io"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/donor"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
)

// moveGet shows the button that the link to a new address leads to. It changes nothing, because programs open links
// before people do.
func (a *Area) moveGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	return a.writeMove(w, r, http.StatusOK, accesspage.MovePage{})
}

// movePost moves the donor's gifts and emails to the new address. Without a script the donor pastes the whole link. It
// opens no session: the donor signs in by the new address.
func (a *Area) movePost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	token := strings.TrimSpace(r.PostForm.Get("link"))
	if _, secret, whole := strings.Cut(token, "#"); whole {
		token = secret
	}
	move, lost, err := a.orderedMove(r, token)
	if err != nil {
		return err
	}
	if lost == "" {
		securitylog.Record(r.Context(), securitylog.LinkRefused)
		return a.writeMove(w, r, http.StatusUnprocessableEntity, accesspage.MovePage{Failed: true})
	}
	if err := a.Access.MoveAddress(r.Context(), lost, move); err != nil {
		return err
	}
	return a.writeMove(w, r, http.StatusOK, accesspage.MovePage{Moved: move.To})
}

// orderedMove returns the order of a link with the address that is lost; "" if the link is not ours or has expired, or
// if the donor was erased.
func (a *Area) orderedMove(r *http.Request, token string) (m donoraccess.Move, lost string, err error) {
	m, valid := a.Access.ReadMoveToken(token)
	if !valid {
		return m, "", nil
	}
	donors, err := donor.ByIDs(r.Context(), a.DB, []uuid.UUID{m.DonorID})
	if err != nil || len(donors) == 0 || donors[0].IsErased() {
		return m, "", err
	}
	return m, donors[0].Email, nil
}

func (a *Area) writeMove(w http.ResponseWriter, r *http.Request, status int, page accesspage.MovePage) error {
	lang := phrase.Match(a.Languages, r.URL.Query().Get("lang"), a.Cookie(r, web.LanguageCookie))
	page.Frame = view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, a.Languages)}
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}
