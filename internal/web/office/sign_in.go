package office

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"konbit/internal/people/staff"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// promptCookie binds the prompt for a passkey to the browser that got it, for as long as its challenge is valid.
const (
	promptCookie = "prompt"
	promptLife   = 5 * time.Minute
)

// SignInPage asks for a passkey, or for email, password and code.
type SignInPage struct {
	desk.Page
	Action   string // may name the page's language
	Next     string // address that is shown after signing in; may be empty
	Email    string
	Required bool // the requested page needs a session
	Lost     bool // a form was sent after the session had ended, and changed nothing
	Typed    string
	Wait     int  // minutes until another try is possible; 0: now
	Passkeys bool // passkeys work at this address
	Prompt   *staff.Prompt
}

func (a *Area) showSignIn(w http.ResponseWriter, r *http.Request, status int, p SignInPage) error {
	lang := a.StaffLanguage(r, "")
	done := p.Done
	p.Page = desk.Page{Frame: a.Frame(r, lang), Problems: p.Problems, Done: done}
	p.Action, p.Passkeys = signInPath, a.Staff.PasskeysWork()
	if r.URL.Query().Has("lang") {
		p.Action += "?lang=" + string(lang)
	}
	f := p.Form(a.View)
	return a.Write(w, status, "sign_in", lang, struct {
		SignInPage
		Errors []view.FormError
		Fields []view.Field
	}{p, desk.ErrorsOf(f, lang, a.View), []view.Field{
		desk.Field(f, a.View, "email", p.Email, view.Field{Type: "email", Autocomplete: "username", Required: true}),
		desk.Field(f, a.View, "password", "", view.Field{Type: "password", Autocomplete: "current-password", HideOptional: true}),
		desk.Field(f, a.View, "code", "", view.Field{Autocomplete: "one-time-code", HideOptional: true, Class: "digits"}),
	}})
}

// askToSignIn shows the sign-in page in place of a page that needs a session.
func (a *Area) askToSignIn(w http.ResponseWriter, r *http.Request) error {
	next := ""
	if r.Method == http.MethodGet {
		next = safeNext(r.URL.RequestURI())
	} else if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host { // the page whose form was sent
		next = safeNext(from.RequestURI())
	}
	typed := web.TypedText(r, a.View, a.StaffLanguage(r, ""))
	return a.showSignIn(w, r, http.StatusUnauthorized, SignInPage{Required: true, Next: next, Lost: r.Method == http.MethodPost, Typed: typed})
}

// safeNext returns an address of the office; empty if it is another.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || len(next) > 500 || strings.Contains(u.Path, "..") ||
		u.Path != homePath && !strings.HasPrefix(u.Path, homePath+"/") {
		return ""
	}
	return next
}

func (a *Area) signInGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	if secret := a.Cookie(r, web.StaffCookie); secret != "" {
		_, err := a.Staff.Open(r.Context(), secret)
		if err == nil {
			return desk.Redirect(w, r, homePath)
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	p := SignInPage{}
	if r.URL.Query().Get("said") == "signed_out" {
		p.Done = "signed_out"
	}
	return a.showSignIn(w, r, http.StatusOK, p)
}

// signInPost signs in. The field do says how: passkey asks for one; an assertion is its answer; else email, password and code.
func (a *Area) signInPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	form := r.PostForm
	p := SignInPage{Email: form.Get("email"), Next: safeNext(form.Get("next"))}
	var secret string
	var err error
	switch {
	case form.Get("do") == "passkey" && a.Staff.PasskeysWork():
		var prompt staff.Prompt
		var cookie string
		if prompt, cookie, err = a.Staff.PromptSignIn(r.Context(), web.StaffClient(r)); err == nil {
			a.SetStrictCookie(w, promptCookie, cookie, promptLife)
			p.Prompt = &prompt
			return a.showSignIn(w, r, http.StatusOK, p)
		}
	case form.Get("assertion") != "":
		_, secret, err = a.Staff.SignInByPasskey(r.Context(), form.Get("assertion"), a.Cookie(r, promptCookie), web.StaffClient(r))
	default:
		_, secret, err = a.Staff.SignIn(r.Context(), staff.Attempt{
			Email: p.Email, Password: form.Get("password"), Code: form.Get("code"), From: web.StaffClient(r),
		})
	}
	var limited staff.Limited
	var known *fault.Error
	switch {
	case errors.As(err, &limited):
		p.Wait = int((limited.Wait + time.Minute - 1) / time.Minute)
		w.Header().Set("Retry-After", strconv.Itoa(int(limited.Wait.Seconds())))
		return a.showSignIn(w, r, http.StatusTooManyRequests, p)
	case fault.Is(err, fault.Invalid) && errors.As(err, &known):
		p.Problems = []fault.Field{{Name: "email", Phrase: known.Phrase}}
		return a.showSignIn(w, r, http.StatusUnprocessableEntity, p)
	case err != nil:
		return err
	}
	return a.begin(w, r, secret, p.Next)
}

// begin keeps a new session in this browser. It ends the one that the browser had before.
func (a *Area) begin(w http.ResponseWriter, r *http.Request, secret, next string) error {
	if before := a.Cookie(r, web.StaffCookie); before != "" {
		old, err := a.Staff.OpenAny(r.Context(), before)
		if err == nil {
			err = a.Staff.SignOut(r.Context(), old)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	a.SetStrictCookie(w, web.StaffCookie, secret, staff.Lifetime)
	if a.Cookie(r, promptCookie) != "" {
		a.DeleteCookie(w, promptCookie)
	}
	if next == "" {
		next = homePath
	}
	return desk.Redirect(w, r, next)
}

func (a *Area) signOutPost(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	if err := a.Staff.SignOut(r.Context(), v.Session); err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	securitylog.Record(r.Context(), securitylog.SignedOut)
	a.DeleteCookie(w, web.StaffCookie)
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	return desk.Redirect(w, r, signInPath+"?said=signed_out")
}

// InvitationPage takes the secret of an invitation's link.
type InvitationPage struct {
	desk.Page
	Field view.Field
}

func (a *Area) showInvitation(w http.ResponseWriter, r *http.Request, status int, problems []fault.Field) error {
	lang := a.StaffLanguage(r, "")
	p := InvitationPage{Page: desk.Page{Frame: a.Frame(r, lang), Problems: problems}}
	f := p.Form(a.View)
	p.Field = desk.Field(f, a.View, "secret", "", view.Field{Required: true, PostName: "link", Autocomplete: "off"})
	return a.Write(w, status, "invitation", lang, struct {
		InvitationPage
		Errors []view.FormError
	}{p, desk.ErrorsOf(f, lang, a.View)})
}

func (a *Area) invitationGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	return a.showInvitation(w, r, http.StatusOK, nil)
}

func (a *Area) invitationPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	token := strings.TrimSpace(r.PostForm.Get("link"))
	if at := strings.LastIndex(token, "#"); at >= 0 {
		token = token[at+1:]
	}
	kind, secret, err := a.Staff.UseInvitation(r.Context(), token, web.StaffClient(r))
	if fault.Is(err, fault.NotFound) {
		return a.showInvitation(w, r, http.StatusUnprocessableEntity, []fault.Field{{Name: "secret", Phrase: "office.invitation.wrong"}})
	}
	if err != nil {
		return err
	}
	next := setupPath
	if kind == "break-glass" {
		next = homePath
	}
	return a.begin(w, r, secret, next)
}
