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
	"konbit/internal/phrase"
	"konbit/internal/view"
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
	request, err := form.Check(offer)
	var bad *fault.Error
	if errors.As(err, &bad) && bad.Kind == fault.Invalid {
		return s.giveForm(w, r, http.StatusUnprocessableEntity, offer, lang, form.FormID, entryOf(form), bad.Fields)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), pageDeadline)
	defer cancel()
	gift, err := s.Starter.Start(ctx, offer, request)
	if err != nil {
		return err
	}
	s.remember(w, gift.PublicRef)
	if gift.Status.Paid() {
		http.Redirect(w, r, thanksPath(offer.Organisation.Slug, gift.PublicRef, lang), http.StatusSeeOther)
		return nil
	}
	w.Header().Set("Cache-Control", "no-store")
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

func (s *Server) readForm(r *http.Request, lang phrase.Language) donation.Form {
	value := r.PostForm.Get
	form := donation.Form{
		Language: lang, Amount: value("amount"), AmountOther: value("amount_other"), Frequency: value("frequency"),
		Occurrences: value("occurrences"), Fund: value("fund"), CoverFees: ticked(value("cover_fees")),
		Contact: donation.Contact{
			FirstName: value("first_name"), LastName: value("last_name"), Email: value("email"), Phone: value("phone"),
			AddressLine1: value("address_line1"), AddressLine2: value("address_line2"), City: value("city"),
			Region: value("region"), PostalCode: value("postal_code"), Country: value("country"), Note: value("note"),
		},
		Anonymous: ticked(value("anonymous")), News: ticked(value("news")),
	}
	var err error
	if form.FormID, err = uuid.Parse(value("form")); err != nil {
		form.FormID = s.NewID() // posted by a script, without a form shown
	}
	for name, values := range r.PostForm {
		if slug, ok := strings.CutPrefix(name, "split["); ok && strings.HasSuffix(slug, "]") {
			if form.Split == nil {
				form.Split = map[string]string{}
			}
			form.Split[strings.TrimSuffix(slug, "]")] = values[0]
		}
	}
	return form
}

// ticked reads a check box as browsers and scripts send it.
func ticked(value string) bool {
	switch strings.ToLower(value) {
	case "", "0", "false", "off", "no":
		return false
	}
	return true
}

// entryOf shows a form as it was typed.
func entryOf(f donation.Form) view.Entry {
	entry := view.Entry{
		Amount: f.Amount, AmountOther: f.AmountOther, Fund: f.Fund, Frequency: f.Frequency, Occurrences: f.Occurrences,
		Anonymous: f.Anonymous, News: f.News,
	}
	fill(&entry, f.Contact)
	return entry
}

func idsOf(gifts ...donation.Donation) []uuid.UUID {
	ids := make([]uuid.UUID, len(gifts))
	for i, g := range gifts {
		ids[i] = g.ID
	}
	return ids
}
