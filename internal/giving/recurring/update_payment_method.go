package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// UpdatePaymentMethod returns the address of Stripe's page where a donor gives a new card, and how many running plans
// they have; Plan.NewCardUse says what the card is for each. The page belongs to one of the donor's customers,
// preferably one whose payments fail; UsePaymentMethodTx migrates other plans to that customer. The caller has verified
// that the donor's email address belongs to the visitor. fault.NotFound if there is no plan.
func (ps Plans) UpdatePaymentMethod(ctx context.Context, donor uuid.UUID, language, back string) (address string, plans int, err error) {
	all, err := OfDonor(ctx, ps.DB, donor)
	if err != nil {
		return "", 0, err
	}
	first, plans := plan.ForNewCard(all)
	if first == nil {
		return "", 0, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	e, err := org.EntityByID(ctx, ps.DB, first.EntityID)
	if err != nil {
		return "", 0, err
	}
	if address, err = ps.Billing.PaymentMethodPage(ctx, e.Slug, *first.CustomerID, language, back); err != nil {
		return "", 0, err
	}
	// Stripe's event about the new card does not say who asked for it. This event does.
	return address, plans, pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		detail := plan.Detail{Customer: *first.CustomerID, Donor: donor.String()}
		_, err := ps.recordEventTx(ctx, tx, first, plan.EventCardPageOpened, ps.NewID().String(), detail)
		return err
	})
}
