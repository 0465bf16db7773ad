package web

import (
	"bytes"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5/middleware"
	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// clientAddress finds whom a request comes from: the peer of the connection, or, where that is one of our own
// proxies, the last address in X-Forwarded-For that is none of them. Whatever else a client says of its address
// counts for nothing.
func (s *Server) clientAddress() func(http.Handler) http.Handler {
	if len(s.TrustedProxies) == 0 {
		return middleware.ClientIPFromRemoteAddr
	}
	trusted := make([]string, len(s.TrustedProxies))
	for i, p := range s.TrustedProxies {
		trusted[i] = p.String()
	}
	return middleware.ClientIPFromXFF(trusted...)
}

// admission is what the guard said of a gift: let by or not, and whether it is given at an event.
type guardResult struct{ passed, event bool }

// admit lets the guard judge a good form, before the gift's row and before any call to Stripe. What it does not
// let by is answered here: with the step, or with the form again. Both say 429 and keep all that was typed.
func (s *Server) checkGuard(w http.ResponseWriter, r *http.Request, offer donation.Offer, lang phrase.Language, form donation.Form, request donation.Request) (guardResult, error) {
	pass, err := s.eventPass(r, offer)
	if err != nil {
		return guardResult{}, err
	}
	_, shown, err := s.Guard.ParseFormToken(r.PostForm.Get("form"))
	if err != nil {
		shown = time.Time{} // no form shown
	}
	verdict, step, err := s.Guard.Judge(r.Context(), guard.Attempt{
		Page: offer.Organisation.Slug, Address: middleware.GetClientIPAddr(r.Context()), Email: request.Contact.Email,
		Form: form.FormID, InputHash: request.Hash, ShownAt: shown, Pass: pass,
		Challenge: r.PostForm.Get("step"), Proof: r.PostForm.Get("proof"),
	})
	switch {
	case err != nil:
		return guardResult{}, err
	case verdict == guard.Passed:
		return guardResult{passed: true, event: pass != uuid.Nil}, nil
	case verdict == guard.Challenged:
		return guardResult{}, s.challengeForm(w, r, offer, lang, form.FormID, step)
	default:
		w.Header().Set("Retry-After", "600") // the same for every refusal: it tells no limit
		return guardResult{}, s.giveForm(w, r, http.StatusTooManyRequests, offer, lang, form.FormID, entryOf(form), nil)
	}
}

// stepForm shows the step, with all that was typed in it.
func (s *Server) challengeForm(w http.ResponseWriter, r *http.Request, offer donation.Offer, lang phrase.Language, form uuid.UUID, step guard.Challenge) error {
	page := view.ChallengePage{
		Frame:        view.Frame{Language: lang, Accent: offer.Organisation.Accent},
		Organisation: organisationView(offer, lang), Action: givePath(offer.Organisation.Slug, lang),
		Token: step.Token, Seed: step.Seed, Rounds: step.Rounds, Difficulty: step.Difficulty, Wait: step.Wait,
		Values: []view.FormValue{{Name: "form", Value: s.formToken(r, form)}},
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		if name == "form" || name == "step" || name == "proof" {
			continue
		}
		for _, value := range r.PostForm[name] {
			page.Values = append(page.Values, view.FormValue{Name: name, Value: value})
		}
	}
	var body bytes.Buffer
	if err := s.View.Challenge(&body, page); err != nil {
		return err
	}
	html(w, http.StatusTooManyRequests, body.Bytes())
	return nil
}

// formToken is the one-time id of a form as it is shown now. A form shown again keeps the time it was first
// shown, so that mending a field is not taken for haste.
func (s *Server) formToken(r *http.Request, form uuid.UUID) string {
	token := r.PostForm.Get("form")
	if id, shown, err := s.Guard.ParseFormToken(token); err == nil && id == form && !shown.IsZero() {
		return token
	}
	return s.Guard.FormToken(form, s.Wall())
}
