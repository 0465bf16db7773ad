package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// problemField is a bad field of a form.
type problemField = fault.Field

// pageDeadline bounds all calls to Stripe of one page together.
const pageDeadline = 8 * time.Second

// givePost takes the form and leads to the payment page, or shows the form again with every bad field marked.
func (s *Server) givePost(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	ctx, cancel := context.WithTimeout(r.Context(), pg.RequestTimeout/2) // beginning the gift has the other half
	defer cancel()
	soon := r.WithContext(ctx)
	offer, lang, _, err := s.offer(soon)
	if err != nil {
		return err
	}
	form := s.readForm(r, lang)
	request, err := s.check(form, offer)
	var bad *fault.Error
	if errors.As(err, &bad) && bad.Kind == fault.Invalid {
		return s.giveForm(w, soon, http.StatusUnprocessableEntity, offer, lang, form.FormID, entryOf(form), bad.Fields)
	}
	if err != nil {
		return err
	}
	var admitted guardResult
	if request.FormID, err = s.sameSubmission(soon, offer, request); err == nil {
		admitted, err = s.checkGuard(w, soon, offer, lang, form, request)
	}
	if err == nil && !admitted.passed {
		return nil
	}
	var gift donation.Donation
	if err == nil {
		gift, err = s.start(r, offer, request)
	}
	if kindOf(err) == fault.Unavailable {
		return s.showUnavailable(w, r, offer, lang, form, err)
	}
	if err != nil {
		return err
	}
	if !admitted.event { // a tablet that donors share remembers none of them
		s.setGiftCookie(w, gift.PublicRef)
	}
	if gift.Status.Paid() {
		http.Redirect(w, r, thanksPath(offer.Organisation.Slug, gift.PublicRef, lang), http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, *gift.SessionURL, http.StatusSeeOther)
	return nil
}

// start begins the gift and opens its payment page.
func (s *Server) start(r *http.Request, offer donation.Offer, request donation.Request) (donation.Donation, error) {
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	return s.Starter.Start(ctx, offer, request)
}

// comeAgain shows the form as it was typed and says that a part is away. Its one-time id stays, so that pressing the button again
// goes on with the same gift.
func (s *Server) showUnavailable(w http.ResponseWriter, r *http.Request, offer donation.Offer, lang phrase.Language, form donation.Form, why error) error {
	s.statusOf(r, why)
	w.Header().Set("Retry-After", retryAfter)
	ctx, cancel := context.WithTimeout(r.Context(), pg.RequestTimeout/5) // the donor has waited
	defer cancel()
	return s.giveForm(w, r.WithContext(ctx), http.StatusServiceUnavailable, offer, lang, form.FormID, entryOf(form), nil)
}

func malformed(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return fault.Wrap(fault.Invalid, "problem.400.text", err)
}

func idsOf(gifts ...donation.Donation) []uuid.UUID {
	ids := make([]uuid.UUID, len(gifts))
	for i, g := range gifts {
		ids[i] = g.ID
	}
	return ids
}

// check is the form's own check, and that a country given by its code is one. What is longer than a code is
// kept as it was written.
func (s *Server) check(form donation.Form, offer donation.Offer) (donation.Request, error) {
	request, err := form.Check(offer)
	code := strings.TrimSpace(form.Contact.Country)
	if len(code) != 2 || s.View.IsCountry(code) {
		return request, err
	}
	var bad []fault.Field
	var known *fault.Error
	if errors.As(err, &known) {
		bad = known.Fields
	}
	return donation.Request{}, fault.Fields(append(bad, fault.Field{Name: "country", Phrase: "give.error.country.choice"}))
}
