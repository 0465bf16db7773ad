package web

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
)

// samePress answers the id of the form a request came from. A donor who comes back from the payment page by the
// browser's own button is shown a new form, but as long as that page is unpaid it is the same gift: pressing
// again leads to the same payment, or replaces it. It is theirs if it was typed in this browser with the same
// e-mail address; on a tablet that is handed on, the next person's gift is another.
func (s *Server) sameSubmission(r *http.Request, offer donation.Offer, request donation.Request) (uuid.UUID, error) {
	ref := s.giftCookieRef(r)
	if ref == "" {
		return request.FormID, nil
	}
	gift, err := donation.ByRef(r.Context(), s.DB, ref)
	switch {
	case fault.Is(err, fault.NotFound):
		return request.FormID, nil
	case err != nil:
		return uuid.Nil, err
	case gift.OrganisationID != offer.Organisation.ID || gift.Status != donation.Started:
		return request.FormID, nil
	}
	contact, err := donation.ContactOf(r.Context(), s.DB, gift.ID)
	if err != nil {
		return uuid.Nil, err
	}
	if contact == nil || !strings.EqualFold(contact.Email, request.Contact.Email) {
		return request.FormID, nil
	}
	return gift.FormID, nil
}
