package letters

import (
	"cmp"
	"errors"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
	"konbit/internal/web/portal/signedlink"
)

// emailChoice is a donor's choice about one kind of email, as the link of such an email opens it.
type emailChoice struct {
	donor uuid.UUID
	kind  string
	page  accesspage.EmailChoicePage
}

// LimitSubject returns what the limits of such a link count: the donor's choice about the kind.
func (c emailChoice) LimitSubject() string { return "emails of " + c.donor.String() + " " + c.kind }

// emailChoice returns the choice that the link opens; fault.NotFound if the link is not ours or the donor was erased.
func (a *Area) emailChoice(r *http.Request) (c emailChoice, err error) {
	token := chi.URLParam(r, "token")
	var valid bool
	if c.donor, c.kind, valid = signedlink.ReadEmailChoiceToken(a.Keys, token); !valid {
		return c, web.NotFound()
	}
	known, err := donor.ByIDs(r.Context(), a.DB, []uuid.UUID{c.donor})
	if err != nil {
		return c, err
	}
	if len(known) == 0 || known[0].IsErased() {
		return c, web.NotFound()
	}
	catalog, err := a.Catalog.Current(r.Context())
	if err != nil {
		return c, err
	}
	entity, err := catalog.EntityByID(known[0].EntityID)
	if err != nil {
		return c, err
	}
	lang := phrase.Match(a.Languages, cmp.Or(r.URL.Query().Get("lang"), known[0].Language), "")
	c.page = accesspage.EmailChoicePage{
		Frame: view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, a.Languages)}, Kind: c.kind, Donee: entity.LegalName,
		Action: signedlink.EmailChoicePath(token, lang),
	}
	if c.kind != donor.KindNews { // it needs the donor's consent, and the link may be in other hands
		c.page.Undo = signedlink.EmailAgainPath(token, lang)
	}
	return c, nil
}

// emailChoiceGet asks whether to stop emails of a kind, or says that they are stopped. It changes nothing, because
// programs open links in emails before people do.
func (a *Area) emailChoiceGet(w http.ResponseWriter, r *http.Request, c emailChoice) error {
	preferences, err := donor.EmailPreferences(r.Context(), a.DB, c.donor)
	if err != nil {
		return err
	}
	c.page.Stopped = !preferences[c.kind]
	return a.writeEmailChoice(w, c)
}

func (a *Area) writeEmailChoice(w http.ResponseWriter, c emailChoice) error {
	return web.WritePage(w, http.StatusOK, func(b io.Writer) error { return c.page.Write(b, a.View) })
}

// emailStopPost stops emails of a kind. The page's button and mail providers post here. Providers send no cookie, may
// send multipart (RFC 8058, 3.2) and do not follow redirects, so the response is not a redirect.
func (a *Area) emailStopPost(w http.ResponseWriter, r *http.Request, c emailChoice) error {
	if err := r.ParseMultipartForm(web.MaxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return web.Malformed(err)
	}
	if r.PostFormValue("List-Unsubscribe") != "One-Click" {
		return fault.New(fault.Invalid, "problem.400.text", nil)
	}
	if err := a.setEmailChoice(r, c, false); err != nil {
		return err
	}
	c.page.Stopped = true
	return a.writeEmailChoice(w, c)
}

// emailResumePost allows emails of a kind again, unless the kind needs consent.
func (a *Area) emailResumePost(w http.ResponseWriter, r *http.Request, c emailChoice) error {
	if c.page.Undo == "" {
		securitylog.Record(r.Context(), securitylog.AccessRefused)
		return web.NotFound()
	}
	if err := a.setEmailChoice(r, c, true); err != nil {
		return err
	}
	http.Redirect(w, r, c.page.Action, http.StatusSeeOther)
	return nil
}

func (a *Area) setEmailChoice(r *http.Request, c emailChoice, wanted bool) error {
	return pg.InTx(r.Context(), a.DB, func(tx *sqlx.Tx) error {
		return donor.SetEmailPreferenceTx(r.Context(), tx, c.donor, c.kind, wanted, "letter", a.Now())
	})
}
