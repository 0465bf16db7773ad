package web

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5/middleware"

	"konbit/internal/people/donoraccess"
	"konbit/internal/people/session"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

const (
	signInPath = "/sign-in"
	codePath   = "/sign-in/code"
	linkPath   = "/sign-in/link"
	portalPath = "/portal"
)

// SignInLink answers where a letter's link leads. The secret stands behind the #, where browsers keep it to themselves: no log
// of a proxy and no Referer ever holds it.
func SignInLink(base *url.URL) func(token string, lang phrase.Language) string {
	return func(token string, lang phrase.Language) string {
		return strings.TrimSuffix(base.String(), "/") + linkPath + "?lang=" + url.QueryEscape(string(lang)) + "#" + url.PathEscape(token)
	}
}

// signInGet asks for the address that a letter goes to.
func (s *Server) signInGet(w http.ResponseWriter, r *http.Request) error {
	if secret := s.cookie(r, sessionCookie); secret != "" {
		_, err := s.Access.Sessions().Find(r.Context(), secret)
		if err == nil {
			http.Redirect(w, r, portalPath, http.StatusSeeOther)
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return s.signInPage(w, r, http.StatusOK, "", nil)
}

// signInPost orders the letter. Its answer is the same for every address, after the same work: the letter is written later.
func (s *Server) signInPost(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	typed := r.PostForm.Get("email")
	if problem := badAddress(typed); problem != nil {
		return s.signInPage(w, r, http.StatusUnprocessableEntity, typed, problem)
	}
	browser := session.NewSecret()
	err := s.Access.RequestChallenge(r.Context(), donoraccess.EmailChallenge{
		Email: addressOf(typed), From: middleware.GetClientIPAddr(r.Context()), Browser: browser, Language: string(s.visitorLanguage(w, r, "")),
	})
	if errors.Is(err, donoraccess.ErrTooMany) {
		return s.signInPage(w, r, http.StatusTooManyRequests, typed, nil)
	}
	if err != nil {
		return err
	}
	s.setCookie(w, challengeCookie, browser, challengeLife)
	http.Redirect(w, r, codePath, http.StatusSeeOther)
	return nil
}

// addressOf is an address as it is kept, of one that was typed.
func addressOf(typed string) string { return email.Normalize(email.Clean(typed)) }

// badAddress says what is wrong with an address as it was typed.
func badAddress(typed string) []problemField {
	switch typed = addressOf(typed); {
	case typed == "":
		return []problemField{{Name: "email", Phrase: "sign_in.error.email"}}
	case !email.IsValid(typed):
		return []problemField{{Name: "email", Phrase: "give.error.email.format"}}
	}
	return nil
}

func (s *Server) signInPage(w http.ResponseWriter, r *http.Request, status int, typed string, problems []problemField) error {
	page := view.SignInPage{
		Frame: s.signInFrame(w, r), Email: typed, Problems: problems, RateLimited: status == http.StatusTooManyRequests,
		SignInRequired: status == http.StatusUnauthorized, SignedOut: status == http.StatusOK && r.URL.Query().Get("said") == "out",
	}
	return write(w, status, func(b io.Writer) error { return s.View.SignIn(b, page) })
}

// signInFrame is what the pages of signing in have around them.
func (s *Server) signInFrame(w http.ResponseWriter, r *http.Request) view.Frame {
	lang := s.visitorLanguage(w, r, "")
	return view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, s.Languages)}
}

// enter opens a session on this device. What session the browser held before, its own or one slipped to it, is over.
func (s *Server) startSession(w http.ResponseWriter, r *http.Request, secret string) error {
	if before := s.cookie(r, sessionCookie); before != "" {
		if err := s.Access.Sessions().End(r.Context(), before); err != nil {
			return err
		}
	}
	s.setCookie(w, sessionCookie, secret, session.Donor().Limits().MaxLifetime)
	s.deleteCookie(w, challengeCookie)
	http.Redirect(w, r, portalPath, http.StatusSeeOther)
	return nil
}

// signOutPost ends the session on this device.
func (s *Server) signOutPost(w http.ResponseWriter, r *http.Request, _ donorVisit) error {
	if err := s.Access.Sessions().End(r.Context(), s.cookie(r, sessionCookie)); err != nil {
		return err
	}
	return s.signedOut(w, r)
}

// left takes leave of somebody whose session is over.
func (s *Server) signedOut(w http.ResponseWriter, r *http.Request) error {
	s.deleteCookie(w, sessionCookie)
	http.Redirect(w, r, signInPath+"?said=out", http.StatusSeeOther)
	return nil
}

// write writes a page whole or not at all.
func write(w http.ResponseWriter, status int, render func(io.Writer) error) error {
	var body bytes.Buffer
	if err := render(&body); err != nil {
		return err
	}
	html(w, status, body.Bytes())
	return nil
}
