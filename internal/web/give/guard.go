package give

import (
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/guard"
	"konbit/internal/view"
	"konbit/internal/web"
)

// guardResult is what the guard decided about a submitted form: whether the gift may start, and whether it is given on
// a device in event mode.
type guardResult struct{ passed, event bool }

// checkGuard lets the guard judge a correct form, before the gift's row is written and before any call to Stripe. A
// form that does not pass is answered here with status 429: with a challenge, or with the form again. Both keep all
// that was typed.
func (a *Area) checkGuard(w http.ResponseWriter, r *http.Request, o offer, form donation.Form, request donation.Request) (guardResult, error) {
	pass, err := a.eventPass(r, o)
	if err != nil {
		return guardResult{}, err
	}
	_, shown, err := a.Guard.ParseFormToken(r.PostForm.Get("form"))
	if err != nil {
		shown = time.Time{} // the form was posted without having been shown
	}
	verdict, challenge, err := a.Guard.Judge(r.Context(), guard.Attempt{
		Page: o.Organisation.Slug, Address: web.ClientAddress(r), Email: request.Contact.Email,
		Known: a.Access.KnownFor(a.Cookie(r, web.KnownCookie), request.Contact.Email), Form: form.FormID, InputHash: request.Hash, ShownAt: shown, Pass: pass,
		Challenge: r.PostForm.Get(web.StepField), Proof: r.PostForm.Get(web.ProofField),
	})
	switch {
	case err != nil:
		return guardResult{}, err
	case verdict == guard.Passed:
		return guardResult{passed: true, event: pass != uuid.Nil}, nil
	case verdict == guard.Challenged:
		return guardResult{}, a.showChallenge(w, r, o, form.FormID, challenge, pass)
	default:
		return guardResult{}, a.showForm(w, r, http.StatusTooManyRequests, o, form.FormID, entryOf(form), nil)
	}
}

// showChallenge shows the challenge, with all that was typed in hidden fields. Who has to wait may sign in instead, but not
// on a device in event mode, which people share.
func (a *Area) showChallenge(w http.ResponseWriter, r *http.Request, o offer, form uuid.UUID, challenge guard.Challenge, pass uuid.UUID) error {
	page := ChallengePage{
		Frame:        view.Frame{Language: o.lang, Accent: o.Organisation.Accent},
		Organisation: o.organisation(), SignIn: challenge.Rounds == 0 && pass == uuid.Nil,
		Step: web.NewStep(challenge, formPath(o.Organisation.Slug, o.lang), r.PostForm, view.FormValue{Name: "form", Value: a.formToken(r, form)}),
	}
	return web.WritePage(w, http.StatusTooManyRequests, func(b io.Writer) error { return page.Write(b, a.View) })
}

// formToken returns the signed one-time id of a form that is shown now. A form that is shown again keeps the time at
// which it was first shown, so that correcting a field does not look like a form filled in by a program within a
// second.
func (a *Area) formToken(r *http.Request, form uuid.UUID) string {
	token := r.PostForm.Get("form")
	if id, shown, err := a.Guard.ParseFormToken(token); err == nil && id == form && !shown.IsZero() {
		return token
	}
	return a.Guard.FormToken(form, a.Wall())
}
