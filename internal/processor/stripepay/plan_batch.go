package stripepay

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
)

// lockPlansTx locks the plans that the round is going to change, before it locks any gift.
func (r *eventBatch) lockPlansTx(ctx context.Context, tx *sqlx.Tx) error {
	var of recurring.LockSet
	for i, n := range r.effects {
		entity := r.events[i].EntityID
		if n.subscription != nil {
			of.AddPlan(n.subscription.PlanID)
		}
		if n.invoice != nil {
			of.AddPlan(n.invoice.PlanID)
			of.AddInvoice(entity, n.invoice.ID)
		}
		if n.charge != nil && n.charge.Invoice != nil {
			of.AddPlan(n.charge.Invoice.PlanID)
			of.AddInvoice(entity, n.charge.Invoice.ID)
		}
	}
	return r.Plans.LockTx(ctx, tx, of)
}

// plansTx notes what events tell of plans: subscriptions, bills and new cards.
func (r *eventBatch) updatePlansTx(ctx context.Context, tx *sqlx.Tx) error {
	var seen []recurring.SubscriptionSeen
	bills := map[uuid.UUID][]donation.Invoice{}
	for i, n := range r.effects {
		switch {
		case n.subscription != nil:
			seen = append(seen, *n.subscription)
		case n.invoice != nil && n.invoice.Known:
			entity := r.events[i].EntityID
			bills[entity] = append(bills[entity], *n.invoice)
		}
	}
	if len(seen) > 0 {
		if err := r.Plans.RecordSubscriptionsTx(ctx, tx, seen); err != nil {
			return err
		}
	}
	for _, entity := range r.catalog.Entities() {
		if err := r.Plans.RecordInvoicesTx(ctx, tx, entity.ID, bills[entity.ID]); err != nil {
			return err
		}
	}
	for _, n := range r.effects {
		if n.paymentMethod == nil {
			continue
		}
		if err := r.Plans.UsePaymentMethodTx(ctx, tx, *n.paymentMethod); err != nil {
			return err
		}
	}
	return nil
}

// unpaidBillsTx tells which of the bills that a payment is expected of has none here yet. Of a bill that is not known, its charge
// tells whose it is.
func (r *eventBatch) unpaidInvoicesTx(ctx context.Context, tx *sqlx.Tx) (map[string]bool, error) {
	open, of := map[string]bool{}, map[uuid.UUID][]string{}
	for i, n := range r.effects {
		if n.expected != nil && n.expected.invoiceID != "" {
			of[r.events[i].EntityID] = append(of[r.events[i].EntityID], n.expected.invoiceID)
		}
	}
	for entity, ids := range of {
		settled, err := recurring.SettledInvoices(ctx, tx, entity, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			open[id] = !settled[id]
		}
	}
	return open, nil
}
