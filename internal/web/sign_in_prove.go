package web

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5/middleware"

	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
)

// codeGet asks for the code of a letter, in any browser. The one that asked is reminded of the address.
func (s *Server) codeGet(w http.ResponseWriter, r *http.Request) error {
	email := ""
	if browser := s.cookie(r, challengeCookie); browser != "" {
		var err error
		if email, err = s.Access.PendingEmail(r.Context(), browser); err != nil {
			return err
		}
	}
	return s.codePage(w, r, http.StatusOK, email, nil)
}

// codePost opens a session by a code.
func (s *Server) codePost(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	typed, code := r.PostForm.Get("email"), r.PostForm.Get("code")
	problems := badAddress(typed)
	if strings.TrimSpace(code) == "" {
		problems = append(problems, problemField{Name: "code", Phrase: "sign_in.error.code"})
	}
	if len(problems) > 0 {
		return s.codePage(w, r, http.StatusUnprocessableEntity, typed, problems)
	}
	_, secret, err := s.Access.SignInByCode(r.Context(), donoraccess.CodeAttempt{
		Email: addressOf(typed), Code: code, From: middleware.GetClientIPAddr(r.Context()), Browser: s.cookie(r, challengeCookie),
	})
	switch {
	case errors.Is(err, donoraccess.ErrTooMany):
		return s.codePage(w, r, http.StatusTooManyRequests, typed, nil)
	case fault.Is(err, fault.NotFound):
		return s.codePage(w, r, http.StatusUnprocessableEntity, typed, []problemField{{Name: "code", Phrase: "sign_in.error.code_wrong"}})
	case err != nil:
		return err
	}
	return s.startSession(w, r, secret)
}

func (s *Server) codePage(w http.ResponseWriter, r *http.Request, status int, email string, problems []problemField) error {
	page := view.SignInCodePage{Frame: s.signInFrame(w, r), Email: email, Problems: problems, RateLimited: status == http.StatusTooManyRequests}
	return write(w, status, func(b io.Writer) error { return s.View.SignInCode(b, page) })
}

// linkGet shows the button that a letter's link leads to. It uses nothing up, whoever looks.
func (s *Server) linkGet(w http.ResponseWriter, r *http.Request) error {
	return s.linkPage(w, r, http.StatusOK, s.cookie(r, challengeCookie) != "")
}

// linkPost opens a session by the button, in the browser that asked for the letter.
func (s *Server) linkPost(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	_, secret, err := s.Access.SignInByLink(r.Context(), r.PostForm.Get("link"), s.cookie(r, challengeCookie))
	if fault.Is(err, fault.NotFound) {
		return s.linkPage(w, r, http.StatusUnprocessableEntity, s.cookie(r, challengeCookie) != "")
	}
	if err != nil {
		return err
	}
	return s.startSession(w, r, secret)
}

func (s *Server) linkPage(w http.ResponseWriter, r *http.Request, status int, here bool) error {
	page := view.SignInLinkPage{Frame: s.signInFrame(w, r), SameBrowser: here, Failed: status != http.StatusOK}
	return write(w, status, func(b io.Writer) error { return s.View.SignInLink(b, page) })
}
