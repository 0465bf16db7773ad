package event

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/recurring"
)

// lockPlansTx locks the plans that the batch is going to change, before it locks any donation.
func (b *batch) lockPlansTx(ctx context.Context, tx *sqlx.Tx) error {
	var set recurring.LockSet
	for _, e := range b.events {
		if s := e.Fact.Subscription; s != nil {
			set.AddPlan(s.PlanID)
			set.AddRemote(e.EntityID, s.SubscriptionID)
		}
		if c := e.Fact.CardChange; c != nil {
			set.AddRemote(e.EntityID, c.CustomerID)
		}
		if c := e.Fact.PaymentMethod; c != nil {
			set.AddPaymentMethod(*c)
		}
		if in := e.Fact.Invoice; in != nil {
			set.AddPlan(in.PlanID)
			set.AddRemote(e.EntityID, in.SubscriptionID)
			set.AddInvoice(e.EntityID, in.ID)
		}
		if c := e.Fact.Charge; c != nil && c.Invoice != nil {
			set.AddPlan(c.Invoice.PlanID)
			set.AddRemote(e.EntityID, c.Invoice.SubscriptionID)
			set.AddInvoice(e.EntityID, c.Invoice.ID)
		}
	}
	return b.Plans.LockTx(ctx, tx, set)
}

// updatePlansTx records what events say about plans: subscriptions, invoices and payment methods, in this order.
func (b *batch) updatePlansTx(ctx context.Context, tx *sqlx.Tx) error {
	var seen []recurring.SubscriptionSeen
	invoices := map[uuid.UUID][]donation.Invoice{} // by entity
	for _, e := range b.events {
		switch {
		case e.Fact.Subscription != nil:
			seen = append(seen, *e.Fact.Subscription)
		case e.Fact.Invoice != nil && e.Fact.Invoice.Known:
			invoices[e.EntityID] = append(invoices[e.EntityID], *e.Fact.Invoice)
		}
	}
	if len(seen) > 0 {
		if err := b.Plans.RecordSubscriptionsTx(ctx, tx, seen); err != nil {
			return err
		}
	}
	for _, entity := range b.catalog.Entities() {
		if err := b.Plans.RecordInvoicesTx(ctx, tx, entity.ID, invoices[entity.ID]); err != nil {
			return err
		}
	}
	for _, e := range b.events {
		if e.Fact.CardChange != nil {
			if err := b.Plans.CardChangedTx(ctx, tx, *e.Fact.CardChange); err != nil {
				return err
			}
		}
		if e.Fact.PaymentMethod == nil {
			continue
		}
		if err := b.Plans.UsePaymentMethodTx(ctx, tx, *e.Fact.PaymentMethod); err != nil {
			return err
		}
	}
	return nil
}

// unpaidInvoicesTx returns which of the invoices that events expect a charge for have no payment here yet. An invoice
// that is unknown here counts as unpaid: its charge names the plan.
func (b *batch) unpaidInvoicesTx(ctx context.Context, tx *sqlx.Tx) (map[string]bool, error) {
	unpaid, expected := map[string]bool{}, map[uuid.UUID][]string{}
	for _, e := range b.events {
		if x := e.Fact.Expected; x != nil && x.InvoiceRef != "" {
			expected[e.EntityID] = append(expected[e.EntityID], x.InvoiceRef)
		}
	}
	for entity, ids := range expected {
		settled, err := instalment.Settled(ctx, tx, entity, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			unpaid[id] = !settled[id]
		}
	}
	return unpaid, nil
}
