package web

import (
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
	"konbit/internal/view"
)

// letterChoice is a donor's choice about a kind of letters, as the link of one of them opens it.
type emailChoice struct {
	of    uuid.UUID
	kind  string
	page  view.EmailChoicePage
	token string
}

// letterChoice finds it; fault.NotFound for a link that is none, or of somebody who was forgotten.
func (s *Server) emailChoice(r *http.Request) (c emailChoice, err error) {
	c.token = chi.URLParam(r, "token")
	var good bool
	if c.of, c.kind, good = readStopToken(s.Secret, c.token); !good {
		return c, errNotFound()
	}
	known, err := donor.ByIDs(r.Context(), s.DB, []uuid.UUID{c.of})
	if err != nil {
		return c, err
	}
	if len(known) == 0 || known[0].IsErased() {
		return c, errNotFound()
	}
	catalog, err := s.Catalog.Current(r.Context())
	if err != nil {
		return c, err
	}
	entity, err := catalog.EntityByID(known[0].EntityID)
	if err != nil {
		return c, err
	}
	wish := r.URL.Query().Get("lang")
	if wish == "" {
		wish = known[0].Language
	}
	lang := phrase.Match(s.Languages, wish, "")
	c.page = view.EmailChoicePage{
		Frame: view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, s.Languages)}, Kind: c.kind, Donee: entity.LegalName,
		Action: emailChoicePath(c.token, lang), Undo: emailChoicePath(c.token+"/again", lang),
	}
	return c, nil
}

// lettersGet asks whether to stop letters of a kind, or says that they have stopped. It changes nothing: mail is opened by machines
// before it is by people.
func (s *Server) emailChoiceGet(w http.ResponseWriter, r *http.Request) error {
	c, err := s.emailChoice(r)
	if err != nil {
		return err
	}
	wishes, err := donor.EmailPreferences(r.Context(), s.DB, c.of)
	if err != nil {
		return err
	}
	c.page.Stopped = !wishes[c.kind]
	return s.writeEmailChoice(w, c)
}

func (s *Server) writeEmailChoice(w http.ResponseWriter, c emailChoice) error {
	return write(w, http.StatusOK, func(b io.Writer) error { return s.View.EmailChoice(b, c.page) })
}

// lettersPost stops letters of a kind, for the page's button and for mail providers, whose one click brings no cookie and may come as
// multipart (RFC 8058, 3.2). It is not answered by a redirect, which they do not follow.
func (s *Server) emailStopPost(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseMultipartForm(maxForm); err != nil && !errors.Is(err, http.ErrNotMultipart) {
		return malformed(err)
	}
	if r.PostFormValue("List-Unsubscribe") != "One-Click" {
		return fault.New(fault.Invalid, "problem.400.text", nil)
	}
	c, err := s.emailChoice(r)
	if err != nil {
		return err
	}
	if err := s.setEmailChoice(r, c, false); err != nil {
		return err
	}
	c.page.Stopped = true
	return s.writeEmailChoice(w, c)
}

// lettersAgainPost takes it back.
func (s *Server) emailResumePost(w http.ResponseWriter, r *http.Request) error {
	c, err := s.emailChoice(r)
	if err != nil {
		return err
	}
	if err := s.setEmailChoice(r, c, true); err != nil {
		return err
	}
	http.Redirect(w, r, c.page.Action, http.StatusSeeOther)
	return nil
}

func (s *Server) setEmailChoice(r *http.Request, c emailChoice, wished bool) error {
	return pg.InTx(r.Context(), s.DB, func(tx *sqlx.Tx) error {
		return donor.SetEmailPreferenceTx(r.Context(), tx, c.of, c.kind, wished, "letter", s.Now())
	})
}
