package portal

import (
	"io"
	"net/http"
	"time"

	"konbit/internal/people/donoraccess"
	"konbit/internal/people/session"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/securitylog"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
)

// challengeCookie marks the browser that requested sign-in emails, for as long as their links and codes are valid.
const (
	challengeCookie = "asked"
	challengeLife   = 10 * time.Minute
)

const knownCookie = web.KnownCookie

// usedPath is where the second post of a code's form leads. A browser that kept the session of the first is signed in.
const usedPath = signInPath + "?said=used"

// markKnown marks this browser as known for an address that was proved in it.
func (a *Area) markKnown(w http.ResponseWriter, r *http.Request, address string) {
	a.SetCookie(w, knownCookie, a.Access.MarkBrowser(a.Cookie(r, knownCookie), address), donoraccess.KnownBrowserLife)
}

// signInGet asks for the address to which the sign-in email is sent. A signed-in donor is redirected to the summary.
func (a *Area) signInGet(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	if secret := a.Cookie(r, web.SessionCookie); secret != "" {
		_, err := a.Access.Sessions().Find(r.Context(), secret)
		if err == nil {
			http.Redirect(w, r, homePath, http.StatusSeeOther)
			return nil
		}
		if !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return a.showSignIn(w, r, http.StatusOK, "", nil)
}

// signInPost requests the sign-in email. The response and the work done for it are the same for every address, so that
// they do not reveal whether an address is known: the email is composed later.
func (a *Area) signInPost(w http.ResponseWriter, r *http.Request, _ web.Anyone) error {
	typed := r.PostForm.Get("email")
	if problem := web.CheckEmail(typed); problem != nil {
		return a.showSignIn(w, r, http.StatusUnprocessableEntity, typed, problem)
	}
	browser, wait, answered, err := a.requestEmail(w, r, donoraccess.EmailChallenge{
		Email: web.StoredEmail(typed), Language: string(a.VisitorLanguage(w, r, "")),
	}, signInPath)
	if err != nil || answered {
		return err
	}
	if wait > 0 {
		return a.writeSignIn(w, http.StatusTooManyRequests, accesspage.SignIn{Frame: a.signInFrame(w, r), Email: typed, RateLimited: true, Wait: wait})
	}
	a.SetCookie(w, challengeCookie, donoraccess.AddBrowser(a.Cookie(r, challengeCookie), browser), challengeLife)
	http.Redirect(w, r, codePath, http.StatusSeeOther)
	return nil
}

// showSignIn shows the sign-in page. The status says why:
//
//	200  the donor opened the page, has just signed out, or posted a code twice
//	401  the requested page needs a session
//	422  the address is wrong
func (a *Area) showSignIn(w http.ResponseWriter, r *http.Request, status int, typed string, problems []fault.Field) error {
	page := accesspage.SignIn{
		Frame: a.signInFrame(w, r), Email: typed, Problems: problems,
		SignInRequired: status == http.StatusUnauthorized,
	}
	if said := r.URL.Query().Get("said"); status == http.StatusOK {
		page.SignedOut, page.CodeUsed = said == "out", said == "used"
	}
	return a.writeSignIn(w, status, page)
}

func (a *Area) writeSignIn(w http.ResponseWriter, status int, page accesspage.SignIn) error {
	return web.WritePage(w, status, func(b io.Writer) error { return page.Write(b, a.View) })
}

// signInFrame returns the frame of the sign-in pages.
func (a *Area) signInFrame(w http.ResponseWriter, r *http.Request) view.Frame {
	lang := a.VisitorLanguage(w, r, "")
	return view.Frame{Language: lang, Switch: view.Switch(r.URL, lang, a.Languages)}
}

// startSession keeps a new session in this browser. It ends the session that the browser had before, whether it was the
// donor's own or planted by another person (session fixation).
func (a *Area) startSession(w http.ResponseWriter, r *http.Request, opened session.Session, secret string) error {
	if before := a.Cookie(r, web.SessionCookie); before != "" {
		if err := a.Access.Sessions().End(r.Context(), before); err != nil {
			return err
		}
	}
	a.SetCookie(w, web.SessionCookie, secret, session.Donor().Limits().MaxLifetime)
	a.DeleteCookie(w, challengeCookie)
	if a.Cookie(r, proofCookie) != "" {
		a.DeleteCookie(w, proofCookie)
	}
	a.markKnown(w, r, opened.Email)
	http.Redirect(w, r, a.takeNext(w, r, homePath), http.StatusSeeOther)
	return nil
}

// signOutPost ends the session of this browser.
func (a *Area) signOutPost(w http.ResponseWriter, r *http.Request, _ web.DonorVisit) error {
	if err := a.Access.Sessions().End(r.Context(), a.Cookie(r, web.SessionCookie)); err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.SignedOut)
	return a.signedOut(w, r)
}

// signOutEverywherePost ends all of the visitor's sessions, and the links of emails to their recurring gifts.
func (a *Area) signOutEverywherePost(w http.ResponseWriter, r *http.Request, v web.DonorVisit) error {
	if err := a.Access.SignOutEverywhere(r.Context(), v.PersonID); err != nil {
		return err
	}
	securitylog.Record(r.Context(), securitylog.SessionsEnded)
	return a.signedOut(w, r)
}

// signedOut answers a request whose session has ended.
func (a *Area) signedOut(w http.ResponseWriter, r *http.Request) error {
	a.DeleteCookie(w, web.SessionCookie)
	// What the browser still holds of the donor's pages is deleted (OWASP ASVS 5.0.0 V14.3.1). The other cookies stay:
	// the language, and that this browser is known.
	w.Header().Set("Clear-Site-Data", `"cache", "storage"`)
	http.Redirect(w, r, signInPath+"?said=out", http.StatusSeeOther)
	return nil
}
