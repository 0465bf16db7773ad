package stripepay

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
)

// lockPlansTx locks the plans that the round is going to change, before it locks any gift.
func (r *round) lockPlansTx(ctx context.Context, tx *sqlx.Tx) error {
	var of recurring.Concerned
	for i, n := range r.told {
		entity := r.events[i].EntityID
		if n.seen != nil {
			of.Plan(n.seen.PlanID)
		}
		if n.bill != nil {
			of.Plan(n.bill.PlanID)
			of.Bill(entity, n.bill.ID)
		}
		if n.charge != nil && n.charge.Invoice != nil {
			of.Plan(n.charge.Invoice.PlanID)
			of.Bill(entity, n.charge.Invoice.ID)
		}
	}
	return r.Plans.LockTx(ctx, tx, of)
}

// plansTx notes what events tell of plans: subscriptions, bills and new cards.
func (r *round) plansTx(ctx context.Context, tx *sqlx.Tx) error {
	var seen []recurring.Seen
	bills := map[uuid.UUID][]donation.Invoice{}
	for i, n := range r.told {
		switch {
		case n.seen != nil:
			seen = append(seen, *n.seen)
		case n.bill != nil && n.bill.Read:
			entity := r.events[i].EntityID
			bills[entity] = append(bills[entity], *n.bill)
		}
	}
	if len(seen) > 0 {
		if err := r.Plans.SeeTx(ctx, tx, seen); err != nil {
			return err
		}
	}
	for _, entity := range r.setup.Entities() {
		if err := r.Plans.NoteTx(ctx, tx, entity.ID, bills[entity.ID]); err != nil {
			return err
		}
	}
	for _, n := range r.told {
		if n.card == nil {
			continue
		}
		if err := r.Plans.NewCardTx(ctx, tx, *n.card); err != nil {
			return err
		}
	}
	return nil
}

// unpaidBillsTx tells which of the bills that a payment is expected of has none here yet. Of a bill that is not known, its charge
// tells whose it is.
func (r *round) unpaidBillsTx(ctx context.Context, tx *sqlx.Tx) (map[string]bool, error) {
	open, of := map[string]bool{}, map[uuid.UUID][]string{}
	for i, n := range r.told {
		if n.expect != nil && n.expect.invoice != "" {
			of[r.events[i].EntityID] = append(of[r.events[i].EntityID], n.expect.invoice)
		}
	}
	for entity, ids := range of {
		settled, err := recurring.SettledBills(ctx, tx, entity, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			open[id] = !settled[id]
		}
	}
	return open, nil
}
