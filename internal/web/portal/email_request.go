package portal

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"konbit/internal/people/donoraccess"
	"konbit/internal/people/session"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/accesspage"
)

// requestEmail requests an email that proves an address, from a form that is posted to action, and returns the secret of
// the request. Beyond the limits it answers the request with the challenge (answered is true), whose page posts the form
// again. Beyond those too it returns after which time the form may be posted again.
func (a *Area) requestEmail(w http.ResponseWriter, r *http.Request, c donoraccess.EmailChallenge, action string) (
	browser string, wait time.Duration, answered bool, err error,
) {
	browser = session.NewSecret()
	c.From, c.Browser, c.Known = web.ClientAddress(r), browser, a.Cookie(r, knownCookie)
	c.Step, c.Proof = r.PostForm.Get(web.StepField), r.PostForm.Get(web.ProofField)
	err = a.Access.RequestChallenge(r.Context(), c)
	var step donoraccess.StepRequired
	var tooMany donoraccess.TooMany
	switch {
	case errors.As(err, &step):
		return "", 0, true, a.writeStep(w, accesspage.StepPage{
			Frame: view.Frame{Language: phrase.Language(c.Language)}, Step: web.NewStep(step.Challenge, action, r.PostForm),
			Lead: "sign_in.step.lead", Button: "sign_in.button", Hint: "sign_in.step.have_one",
		})
	case errors.As(err, &tooMany):
		w.Header().Set("Retry-After", strconv.Itoa(int(tooMany.Wait/time.Second)))
		return "", tooMany.Wait, false, nil
	}
	return browser, 0, false, err
}

// writeStep writes the page of a guard's challenge.
func (a *Area) writeStep(w http.ResponseWriter, page accesspage.StepPage) error {
	w.Header().Set("Retry-After", strconv.Itoa(page.Seconds()))
	return web.WritePage(w, http.StatusTooManyRequests, func(b io.Writer) error { return page.Write(b, a.View) })
}
