package give

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
)

// sameSubmission returns the id of the form that a request belongs to. A donor who comes back from the payment page
// with the browser's back button may be shown a new form; as long as the payment page is unpaid, submitting it
// continues the same gift, so that the donor is not charged twice. The gift is the same if all of these hold:
//
//   - it was started in this browser, for this organisation, and is not paid
//   - the email address is the same: on a tablet that is passed on, the next person makes another gift
//
// Otherwise the id is that of the request's own form.
func (a *Area) sameSubmission(r *http.Request, o offer, request donation.Request) (uuid.UUID, error) {
	ref := a.giftCookieRef(r)
	if ref == "" {
		return request.FormID, nil
	}
	gift, err := donation.ByRef(r.Context(), a.DB, ref)
	switch {
	case fault.Is(err, fault.NotFound):
		return request.FormID, nil
	case err != nil:
		return uuid.Nil, err
	case gift.OrganisationID != o.Organisation.ID || gift.Status != donation.Started:
		return request.FormID, nil
	}
	contact, err := donation.ContactOf(r.Context(), a.DB, gift.ID)
	if err != nil {
		return uuid.Nil, err
	}
	if contact == nil || !strings.EqualFold(contact.Email, request.Contact.Email) {
		return request.FormID, nil
	}
	begun, err := checkout.ByDonation(r.Context(), a.DB, gift.ID)
	return begun.FormID, err
}

// askAsWell returns what to ask a donor who went back from a paid gift, changed its form and pressed again: a second
// gift may be meant, or the first one was to be changed. It returns nil if nothing is to be asked. The same form
// pressed again is the same gift.
func (a *Area) askAsWell(r *http.Request, o offer, request donation.Request) (*AsWell, error) {
	ref := a.giftCookieRef(r)
	if ref == "" {
		return nil, nil
	}
	gift, err := donation.ByRef(r.Context(), a.DB, ref)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	if err != nil || gift.OrganisationID != o.Organisation.ID || !gift.Status.Paid() {
		return nil, err
	}
	begun, err := checkout.ByDonation(r.Context(), a.DB, gift.ID)
	if err != nil || begun.FormID != request.FormID || bytes.Equal(begun.FormHash, request.Hash[:]) {
		return nil, err
	}
	contact, err := donation.ContactOf(r.Context(), a.DB, gift.ID)
	if err != nil || contact == nil || !strings.EqualFold(contact.Email, request.Contact.Email) {
		return nil, err
	}
	return &AsWell{Paid: gift.Amount(), More: request.Amount, ThanksURL: thanksPath(o.Organisation.Slug, ref, o.lang)}, nil
}
