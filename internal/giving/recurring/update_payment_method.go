package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// MendCard answers the address of Stripe's page where a donor gives a new card for all the plans that go on, and how many these are.
// The page is of one of the donor's customers, that of a plan whose payments fail if there is one; NewCardTx moves the others to it.
// Who calls it has shown that the donor's mailbox is theirs. fault.NotFound: there is no plan.
func (ps Plans) UpdatePaymentMethod(ctx context.Context, donor uuid.UUID, language, back string) (address string, plans int, err error) {
	all, err := OfDonor(ctx, ps.DB, donor)
	if err != nil {
		return "", 0, err
	}
	var first *Plan
	for i := range all {
		p := &all[i]
		if !p.Status.IsRunning() || p.CustomerID == nil {
			continue
		}
		plans++
		if first == nil || first.FailingSince == nil && p.FailingSince != nil {
			first = p // the one that most needs it
		}
	}
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
	// The card is told of by Stripe alone; whose wish it was stands here.
	return address, plans, pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		_, err := ps.recordEventTx(ctx, tx, first, eventCardPageOpened, ps.NewID().String(), Detail{Customer: *first.CustomerID})
		return err
	})
}
