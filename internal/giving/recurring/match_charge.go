package recurring

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// invoiceMap holds invoices by invoiceKey.
type invoiceMap map[string]*instalment.Invoice

func invoiceKey(entity uuid.UUID, invoiceID string) string { return entity.String() + invoiceID }

// MatchChargesTx implements donation.ChargeMatcher. It locks all plans of the charges in the order of their ids.
func (ps Plans) MatchChargesTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []donation.IncomingPayment) ([]donation.Match, error) {
	var set LockSet
	for _, c := range charges {
		set.AddPlan(c.Invoice.PlanID)
		set.AddRemote(c.EntityID, c.Invoice.SubscriptionID)
		set.AddInvoice(c.EntityID, c.Invoice.ID)
	}
	if err := ps.LockTx(ctx, tx, set); err != nil {
		return nil, err
	}
	invoices, plans, err := ps.loadInvoicesTx(ctx, tx, catalog.Entities(), charges)
	if err != nil {
		return nil, err
	}
	matches := make([]donation.Match, len(charges))
	for i, c := range charges {
		in := invoices[invoiceKey(c.EntityID, c.Invoice.ID)]
		switch {
		case in == nil:
			matches[i].AwaitsInvoice = !c.Invoice.Known
		case plans[in.PlanID] == nil:
			matches[i].AwaitsInvoice = true // another worker inserted the invoice after the plans were locked: the charge is tried again
		default:
			if matches[i], err = ps.matchChargeTx(ctx, tx, catalog, plans[in.PlanID], in, c); err != nil {
				return nil, fmt.Errorf("charge %s of plan %s: %w", c.ChargeRef, in.PlanID, err)
			}
		}
	}
	return matches, nil
}

// loadInvoicesTx records the invoices of charges and returns them with their plans, which it locks. It reads the
// invoices again after the lock, because another worker may have matched some of the charges in the meantime.
func (ps Plans) loadInvoicesTx(
	ctx context.Context, tx *sqlx.Tx, entities []org.LegalEntity, charges []donation.IncomingPayment,
) (invoiceMap, map[uuid.UUID]*plan.Plan, error) {
	invoices := invoiceMap{}
	for _, e := range entities {
		if err := ps.loadEntityInvoicesTx(ctx, tx, e.ID, charges, invoices); err != nil {
			return nil, nil, err
		}
	}
	ids := make([]uuid.UUID, 0, len(invoices))
	for _, in := range invoices {
		ids = append(ids, in.PlanID)
	}
	plans, err := lockPlansTx(ctx, tx, ids)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entities {
		if err := ps.loadEntityInvoicesTx(ctx, tx, e.ID, charges, invoices); err != nil {
			return nil, nil, err
		}
	}
	return invoices, plans, nil
}

// loadEntityInvoicesTx records what the charges of an entity say about their invoices, and adds the invoices to the
// map.
func (ps Plans) loadEntityInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charges []donation.IncomingPayment, invoices invoiceMap) error {
	var ids []string
	var known []donation.Invoice
	for _, c := range charges {
		if c.EntityID != entity {
			continue
		}
		ids = append(ids, c.Invoice.ID)
		if c.Invoice.Known && invoices[invoiceKey(entity, c.Invoice.ID)] == nil {
			known = append(known, *c.Invoice)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := ps.RecordInvoicesTx(ctx, tx, entity, known); err != nil {
		return err
	}
	rows, err := instalment.ByID(ctx, tx, entity, ids)
	for i := range rows {
		invoices[invoiceKey(entity, rows[i].InvoiceID)] = &rows[i]
	}
	return err
}

// matchChargeTx decides what a charge is for its plan:
//
//	its invoice was counted                    the same donation again
//	after N payments                           rejected: BeyondPlan
//	its invoice is younger than the plan's end  rejected: PlanEnded
//	anything else                              the plan's next payment
func (ps Plans) matchChargeTx(
	ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, p *plan.Plan, in *instalment.Invoice, c donation.IncomingPayment,
) (donation.Match, error) {
	switch {
	case in.DonationID != nil:
		return donation.Match{DonationID: *in.DonationID}, nil
	case in.Refused:
		return donation.Match{Rejected: donation.BeyondPlan}, nil
	case p.Total != nil && p.Paid >= *p.Total:
		return ps.rejectTx(ctx, tx, p, in, c, donation.BeyondPlan)
	case p.EndedAt != nil && in.CreatedAt.After(*p.EndedAt):
		return ps.rejectTx(ctx, tx, p, in, c, donation.PlanEnded)
	}
	entity, err := catalog.EntityByID(p.EntityID)
	if err != nil {
		return donation.Match{}, err
	}
	if err := ps.numberPaymentTx(ctx, tx, p, in, c); err != nil {
		return donation.Match{}, err
	}
	if err := ps.countPaymentTx(ctx, tx, p, in, c); err != nil {
		return donation.Match{}, err
	}
	return donation.Match{DonationID: *in.DonationID, Instalment: p.ReceiptInstalment(*in.N, c.ReceivedAt, entity)}, nil
}
