package web

import (
	"net/http"
	"slices"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donor"
	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
)

// visit is a request of somebody who is signed in.
type donorVisit struct {
	session.Session
	donors  []donor.Donor // who they are to each legal entity, by every address they proved
	catalog *fund.Catalog
	lang    phrase.Language
}

// owns tells whether a donor is the visitor.
func (v donorVisit) owns(id uuid.UUID) bool { return slices.Contains(v.ids(), id) }

// ids are the visitor's, as a donor.
func (v donorVisit) ids() []uuid.UUID {
	ids := make([]uuid.UUID, len(v.donors))
	for i, d := range v.donors {
		ids[i] = d.ID
	}
	return ids
}

type donorHandler func(w http.ResponseWriter, r *http.Request, v donorVisit) error

// signedIn answers who is signed in; anybody else is shown the way in, as 401.
func (s *Server) requireSession(h donorHandler) http.HandlerFunc {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.donorVisit(w, r)
		if fault.Is(err, fault.NotFound) {
			return s.signInPage(w, r, http.StatusUnauthorized, "", nil)
		}
		if err != nil {
			return err
		}
		return h(w, r, v)
	})
}

// owned answers who is signed in; to anybody else there is nothing at the address, as if there were nothing.
func (s *Server) requireOwner(h donorHandler) http.HandlerFunc {
	return s.page(func(w http.ResponseWriter, r *http.Request) error {
		v, err := s.donorVisit(w, r)
		if err != nil {
			return err
		}
		return h(w, r, v)
	})
}

// visit finds out who it is; fault.NotFound: nobody. What changes anything must come from a page that was shown to the same
// session, whatever the browser says of where it comes from.
func (s *Server) donorVisit(w http.ResponseWriter, r *http.Request) (donorVisit, error) {
	secret := s.cookie(r, sessionCookie)
	if secret == "" {
		return donorVisit{}, errNotFound()
	}
	session, err := s.Access.Sessions().Find(r.Context(), secret)
	if err != nil {
		return donorVisit{}, err
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		if err := r.ParseForm(); err != nil {
			return donorVisit{}, malformed(err)
		}
		if !s.Access.Sessions().IsFormToken(session, r.PostForm.Get("session")) {
			return donorVisit{}, fault.New(fault.Forbidden, "problem.403.text", nil)
		}
	}
	v := donorVisit{Session: session}
	if v.donors, err = s.donorsOf(r, session); err != nil {
		return v, err
	}
	wish := ""
	if len(v.donors) > 0 {
		wish = v.donors[0].Language
	}
	v.lang = s.visitorLanguage(w, r, wish)
	v.catalog, err = s.Catalog.Current(r.Context())
	return v, err
}

func (s *Server) donorsOf(r *http.Request, session session.Session) ([]donor.Donor, error) {
	mailboxes, err := s.Access.Mailboxes(r.Context(), session.PersonID)
	if err != nil {
		return nil, err
	}
	emails := make([]string, len(mailboxes))
	for i, m := range mailboxes {
		emails[i] = m.Email
	}
	return donor.ByEmails(r.Context(), s.DB, emails)
}

// reader is the reader's language on pages that belong to no organisation: the one just chosen, which this browser keeps,
// the one chosen before, the one they give in, or the browser's.
func (s *Server) visitorLanguage(w http.ResponseWriter, r *http.Request, wish string) phrase.Language {
	asked := r.URL.Query().Get("lang")
	for _, known := range s.Languages {
		if string(known) == asked {
			s.setCookie(w, languageCookie, asked, 0)
			return known
		}
	}
	if before := s.cookie(r, languageCookie); before != "" {
		wish = before
	}
	return phrase.Match(s.Languages, wish, r.Header.Get("Accept-Language"))
}
