package give

import (
	"context"
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
	if same, err := a.hasEmail(r.Context(), gift.ID, request); err != nil || !same {
		return request.FormID, err
	}
	begun, err := checkout.ByDonation(r.Context(), a.DB, gift.ID)
	return begun.FormID, err
}

// hasEmail reports whether a gift was made with the request's email address.
func (a *Area) hasEmail(ctx context.Context, gift uuid.UUID, request donation.Request) (bool, error) {
	contact, err := donation.ContactOf(ctx, a.DB, gift)
	return contact != nil && strings.EqualFold(contact.Email, request.Contact.Email), err
}

// askAsWell returns what to ask a donor who went back from a paid gift, changed its form and pressed again: another gift may
// be meant, or the paid one was to be changed. It returns nil if nothing is to be asked: the form as it is now is the form of
// a gift that is paid or begun, or the donor has answered the question about the gift that was paid last.
func (a *Area) askAsWell(r *http.Request, o offer, request donation.Request) (*AsWell, error) {
	ref := a.giftCookieRef(r)
	if ref == "" || ref == r.PostForm.Get("as_well") {
		return nil, nil
	}
	gift, err := a.Starter.PaidBefore(r.Context(), request)
	if err != nil || gift == nil || gift.PublicRef != ref || gift.OrganisationID != o.Organisation.ID {
		return nil, err
	}
	if same, err := a.hasEmail(r.Context(), gift.ID, request); err != nil || !same {
		return nil, err
	}
	return &AsWell{Ref: ref, Paid: gift.Amount(), More: request.Amount, ThanksURL: thanksPath(o.Organisation.Slug, ref, o.lang)}, nil
}
