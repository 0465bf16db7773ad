package portal

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"konbit/internal/giving/owner"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/fault"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
	"konbit/internal/web/portal/giftpage"
)

// A donor who came by a link asks for more than a link may do: we send a code to the plan's address, and the code
// opens a session, in which the change is shown again as it was typed. The pages do not show the address, because the
// link may be in other hands.
const (
	// proofCookie marks the browser that requested the code. It is not challengeCookie, whose browser may see the
	// address.
	proofCookie = "proof"
	// nextCookie holds the address below /portal/plans/ that is shown after signing in.
	nextCookie = "next"
)

// proofEmailPost sends the sign-in email to the plan's address and asks for its code.
func (a *Area) proofEmailPost(w http.ResponseWriter, r *http.Request, p planView) error {
	address, err := a.addressOf(r, p)
	if err != nil {
		return err
	}
	action := subPath(p.path, "/email")
	browser, wait, answered, err := a.requestEmail(w, r, donoraccess.EmailChallenge{Email: address, Language: string(p.lang), ForPlan: true}, action)
	if err != nil || answered {
		return err
	}
	if wait > 0 {
		return a.showProof(w, p, http.StatusTooManyRequests, accesspage.PlanProof{Held: "sign_in.held", Wait: wait})
	}
	next := giftpage.OwnPlanPath(p.plan.PublicRef, p.lang)
	if r.PostForm.Get("do") == "card" {
		next = subPath(next, "/card")
	} else {
		for _, v := range changeValues(r.PostForm) {
			next += "&" + url.QueryEscape(v.Name) + "=" + url.QueryEscape(v.Value)
		}
	}
	a.SetCookie(w, proofCookie, donoraccess.AddBrowser(a.Cookie(r, proofCookie), browser), challengeLife)
	if len(next) < 2000 {
		a.SetCookie(w, nextCookie, accesspage.NextValue(next), challengeLife)
	}
	http.Redirect(w, r, subPath(p.path, "/code"), http.StatusSeeOther)
	return nil
}

// addressOf returns the plan's address; fault.NotFound if there is none.
func (a *Area) addressOf(r *http.Request, p planView) (string, error) {
	to, err := owner.Addressee(r.Context(), a.DB, p.plan.ID)
	if err != nil {
		return "", err
	}
	if to == nil || to.Email == "" {
		return "", web.NotFound()
	}
	return donoraccess.Destination(r.Context(), a.DB, to.Email)
}

// proofCodeGet asks for the code.
func (a *Area) proofCodeGet(w http.ResponseWriter, _ *http.Request, p planView) error {
	return a.showProof(w, p, http.StatusOK, accesspage.PlanProof{})
}

// proofCodePost opens a session by the code.
func (a *Area) proofCodePost(w http.ResponseWriter, r *http.Request, p planView) error {
	code := r.PostForm.Get("code")
	if strings.TrimSpace(code) == "" {
		return a.showProof(w, p, http.StatusUnprocessableEntity, codeProblem("sign_in.error.code"))
	}
	address, err := a.addressOf(r, p)
	if err != nil {
		return err
	}
	opened, secret, err := a.Access.SignInByCode(r.Context(), donoraccess.CodeAttempt{
		Email: address, Code: code, From: web.ClientAddress(r), Browser: a.Cookie(r, proofCookie), Known: a.Cookie(r, knownCookie),
		Session: a.Cookie(r, web.SessionCookie),
	})
	switch {
	case errors.Is(err, donoraccess.ErrSignedIn):
		http.Redirect(w, r, a.takeNext(w, r, giftpage.OwnPlanPath(p.plan.PublicRef, p.lang)), http.StatusSeeOther)
		return nil
	case errors.Is(err, donoraccess.ErrUsed):
		http.Redirect(w, r, usedPath, http.StatusSeeOther)
		return nil
	case errors.Is(err, donoraccess.ErrTooMany):
		w.Header().Set("Retry-After", "3600")
		return a.showProof(w, p, http.StatusTooManyRequests, accesspage.PlanProof{Held: "sign_in.code_held"})
	case fault.Is(err, fault.NotFound):
		return a.showProof(w, p, http.StatusUnprocessableEntity, codeProblem("sign_in.error.code_wrong"))
	case err != nil:
		return err
	}
	return a.startSession(w, r, opened, secret)
}

// codeProblem returns the page with a problem of the code.
func codeProblem(phrase string) accesspage.PlanProof {
	return accesspage.PlanProof{Problems: []fault.Field{{Name: "code", Phrase: phrase}}}
}

// showProof shows the page that asks for the code. page says what is wrong.
func (a *Area) showProof(w http.ResponseWriter, p planView, status int, page accesspage.PlanProof) error {
	path := subPath(p.path, "/code")
	address, err := url.Parse(path)
	if err != nil {
		return err
	}
	page.Frame = view.Frame{Language: p.lang, Switch: view.Switch(address, p.lang, a.LanguagesOf(p.offer.Organisation)), Accent: p.offer.Organisation.Accent}
	page.Action, page.Token, page.Back = path, p.token, p.path
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// takeNext returns the address that is shown after signing in, and forgets it. It is otherwise unless this
// browser asked for a change of a plan.
func (a *Area) takeNext(w http.ResponseWriter, r *http.Request, otherwise string) string {
	kept := a.Cookie(r, nextCookie)
	if kept == "" {
		return otherwise
	}
	a.DeleteCookie(w, nextCookie)
	if next := accesspage.ReadNext(kept); next != "" {
		return next
	}
	return otherwise
}
