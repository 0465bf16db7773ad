package donation

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/receipt"
)

// Match is the plan payment that a charge belongs to.
type Match struct {
	DonationID    uuid.UUID           // the donation it pays, whose row exists; uuid.Nil: none
	Instalment    *receipt.Instalment // for the receipt
	AwaitsInvoice bool                // its invoice is not known yet
	Rejected      RejectReason        // why it pays no donation
}

// RejectReason is why a plan does not accept a charge; empty if it accepts it.
type RejectReason string

// The program refunds a rejected charge by itself. It came
//   - BeyondPlan: after the last of the plan's N payments;
//   - PlanEnded: of an invoice made after the plan had ended.
const (
	BeyondPlan RejectReason = "beyond"
	PlanEnded  RejectReason = "ended"
	// awaitsInvoice marks a charge whose invoice is not known yet.
	awaitsInvoice RejectReason = "waits"
)

// ChargeMatcher finds the donations of charges that pay invoices. Package recurring implements it.
type ChargeMatcher interface {
	// MatchChargesTx returns a match for each charge of an invoice, in order, and writes the donation of each charge
	// that comes for the first time.
	MatchChargesTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []IncomingPayment) ([]Match, error)
	// UnknownInvoicesTx returns those of an entity's invoices that belong to no plan.
	UnknownInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, invoices []string) ([]string, error)
	// RefundsChargeTx reports whether the program refunds the charge because its plan rejected it.
	RefundsChargeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charge string) (bool, error)
	// PaymentsSuspendedTx is called with charges of plans that settled no donation.
	PaymentsSuspendedTx(ctx context.Context, tx *sqlx.Tx, charges []IncomingPayment) error
}

// matchTx fills in the donations of charges that pay invoices. Charges that are booked already are left as they are.
func (s Settler) matchTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, payments []IncomingPayment) ([]IncomingPayment, error) {
	var positions []int
	var invoiced []IncomingPayment
	for i, p := range payments {
		if p.Invoice != nil && p.DonationID == uuid.Nil {
			positions, invoiced = append(positions, i), append(invoiced, p)
		}
	}
	positions, invoiced, err := unbookedTx(ctx, tx, catalog, positions, invoiced)
	if err != nil || len(invoiced) == 0 {
		return payments, err
	}
	matches, err := s.Plans.MatchChargesTx(ctx, tx, catalog, invoiced)
	if err != nil {
		return nil, err
	}
	payments = slices.Clone(payments)
	for i, m := range matches {
		p := &payments[positions[i]]
		p.DonationID, p.instalment, p.rejected = m.DonationID, m.Instalment, m.Rejected
		if m.AwaitsInvoice {
			p.rejected = awaitsInvoice
		}
	}
	return payments, nil
}

// unbookedTx returns the payments that have no journal entry yet, with their positions.
func unbookedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, positions []int, payments []IncomingPayment) (
	remaining []int, unbooked []IncomingPayment, err error,
) {
	if len(payments) == 0 {
		return nil, nil, nil
	}
	booked, err := bookedTx(ctx, tx, catalog, payments)
	if err != nil {
		return nil, nil, err
	}
	for i, p := range payments {
		if !booked[i] {
			remaining, unbooked = append(remaining, positions[i]), append(unbooked, p)
		}
	}
	return remaining, unbooked, nil
}
