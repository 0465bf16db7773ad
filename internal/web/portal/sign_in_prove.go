package portal

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
)

// codeGet asks for the code of a sign-in email, in any browser. The browser that requested the email sees the address
// again.
func (a *Area) codeGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	email := ""
	if browser := a.Cookie(r, challengeCookie); browser != "" {
		var err error
		if email, err = a.Access.PendingEmail(r.Context(), browser); err != nil {
			return err
		}
	}
	return a.showCode(w, r, http.StatusOK, email, nil)
}

// codePost opens a session by a code.
func (a *Area) codePost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	typed, code := r.PostForm.Get("email"), r.PostForm.Get("code")
	problems := web.CheckEmail(typed)
	if strings.TrimSpace(code) == "" {
		problems = append(problems, fault.Field{Name: "code", Phrase: "sign_in.error.code"})
	}
	if len(problems) > 0 {
		return a.showCode(w, r, http.StatusUnprocessableEntity, typed, problems)
	}
	opened, secret, err := a.Access.SignInByCode(r.Context(), donoraccess.CodeAttempt{
		Email: web.StoredEmail(typed), Code: code, From: web.ClientAddress(r), Browser: a.Cookie(r, challengeCookie), Known: a.Cookie(r, knownCookie),
		Session: a.Cookie(r, web.SessionCookie),
	})
	switch {
	case errors.Is(err, donoraccess.ErrSignedIn):
		http.Redirect(w, r, a.takeNext(w, r, homePath), http.StatusSeeOther)
		return nil
	case errors.Is(err, donoraccess.ErrUsed):
		http.Redirect(w, r, usedPath, http.StatusSeeOther)
		return nil
	case errors.Is(err, donoraccess.ErrTooMany):
		return a.showCode(w, r, http.StatusTooManyRequests, typed, nil)
	case fault.Is(err, fault.NotFound):
		return a.showCode(w, r, http.StatusUnprocessableEntity, typed, []fault.Field{{Name: "code", Phrase: "sign_in.error.code_wrong"}})
	case err != nil:
		return err
	}
	return a.startSession(w, r, opened, secret)
}

func (a *Area) showCode(w http.ResponseWriter, r *http.Request, status int, email string, problems []fault.Field) error {
	page := accesspage.SignInCode{Frame: a.signInFrame(w, r), Email: email, Problems: problems, RateLimited: status == http.StatusTooManyRequests}
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// linkGet shows the button that the link of a sign-in email leads to. It does not use the link up, because programs
// open links before people do.
func (a *Area) linkGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	return a.showLink(w, r, http.StatusOK)
}

// linkPost opens a session by the button, in the browser that requested the email.
func (a *Area) linkPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	opened, secret, err := a.Access.SignInByLink(r.Context(), donoraccess.LinkAttempt{
		Token: r.PostForm.Get("link"), From: web.ClientAddress(r), Browsers: []string{a.Cookie(r, challengeCookie), a.Cookie(r, proofCookie)},
	})
	if fault.Is(err, fault.NotFound) {
		return a.showLink(w, r, http.StatusUnprocessableEntity)
	}
	if err != nil {
		return err
	}
	return a.startSession(w, r, opened, secret)
}

func (a *Area) showLink(w http.ResponseWriter, r *http.Request, status int) error {
	page := accesspage.SignInLink{
		Frame: a.signInFrame(w, r), SameBrowser: a.Cookie(r, challengeCookie)+a.Cookie(r, proofCookie) != "", Failed: status != http.StatusOK,
	}
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}
