package give

import (
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
