package stripebalance

import (
	"context"
	"time"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/processor/dispute"
	"konbit/internal/processor/payout"
	"konbit/internal/processor/settlement"
)

// Source is what the import needs from a payment processor's adapter; package stripepay implements it for Stripe.
// A second processor implements it too: it translates its movements of money into settlement.Transaction, whose
// Type and Category are those of Stripe's list (see settlement.Transaction).
type Source interface {
	// HasAccount reports whether the entity has an account at the processor.
	HasAccount(entity org.LegalEntity) bool
	// Now returns the time by the processor's clock, from which balance transactions have their times.
	Now(ctx context.Context, entity org.LegalEntity) (time.Time, error)
	// Transactions lists the balance transactions created at or after since and, unless until is zero, before until.
	// It calls page with each page: at most 100 transactions, newest first.
	Transactions(ctx context.Context, entity org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error
	// Transaction returns one balance transaction, as Transactions lists it.
	Transaction(ctx context.Context, entity org.LegalEntity, id string) (settlement.Transaction, error)
	// Members lists the balance transactions that an automatic payout pays out, without the payout's own.
	Members(ctx context.Context, entity org.LegalEntity, payoutID string) ([]Member, error)
	// Payout returns a payout; nil if the processor does not know it any more.
	Payout(ctx context.Context, entity org.LegalEntity, id string) (*payout.Payout, error)
	// Balance returns what the processor holds for the entity, available and pending, in minor units by currency.
	Balance(ctx context.Context, entity org.LegalEntity) (map[money.Currency]int64, error)
	// Invoice returns the invoice that a charge paid.
	Invoice(ctx context.Context, entity org.LegalEntity, id string) (donation.Invoice, error)
	// Dispute returns a dispute as the processor shows it, and what the bank decided against us; nil if it is open or was
	// won. Their times are zero: Stripe does not list when a dispute ended, so the import takes the time at which it asked.
	Dispute(ctx context.Context, entity org.LegalEntity, ref string) (*dispute.Told, *settlement.LostDispute, error)
}

// Member is a balance transaction that a payout pays out.
type Member struct {
	ID        string
	CreatedAt time.Time
}
