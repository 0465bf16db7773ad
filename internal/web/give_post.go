package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/donation"
	"konbit/internal/fault"
)

// problemField is a bad field of a form.
type problemField = fault.Field

// pageDeadline bounds all calls to Stripe of one page together.
const pageDeadline = 8 * time.Second

// givePost takes the form and leads to the payment page, or shows the form again with every bad field marked.
func (s *Server) givePost(w http.ResponseWriter, r *http.Request) error {
	offer, lang, _, err := s.offer(r)
	if err != nil {
		return err
	}
	if err := r.ParseForm(); err != nil {
		return malformed(err)
	}
	form := s.readForm(r, lang)
	request, err := s.check(form, offer)
	var bad *fault.Error
	if errors.As(err, &bad) && bad.Kind == fault.Invalid {
		return s.giveForm(w, r, http.StatusUnprocessableEntity, offer, lang, form.FormID, entryOf(form), bad.Fields)
	}
	if err != nil {
		return err
	}
	if request.FormID, err = s.samePress(r, offer, request); err != nil {
		return err
	}
	admitted, err := s.admit(w, r, offer, lang, form, request)
	if err != nil || !admitted.passed {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	gift, err := s.Starter.Start(ctx, offer, request)
	if fault.Is(err, fault.Unavailable) {
		s.judge(r, err)
		w.Header().Set("Retry-After", "5")
		return s.giveForm(w, r, http.StatusServiceUnavailable, offer, lang, request.FormID, entryOf(form), nil)
	}
	if err != nil {
		return err
	}
	if !admitted.event { // a tablet that donors share remembers none of them
		s.remember(w, gift.PublicRef)
	}
	if gift.Status.Paid() {
		http.Redirect(w, r, thanksPath(offer.Organisation.Slug, gift.PublicRef, lang), http.StatusSeeOther)
		return nil
	}
	http.Redirect(w, r, *gift.SessionURL, http.StatusSeeOther)
	return nil
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
