package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
)

// SubscriptionSeen says that a plan's subscription exists at Stripe.
type SubscriptionSeen struct {
	EntityID       uuid.UUID
	PlanID         uuid.UUID // uuid.Nil: it has no mark of ours; then the subscription's id decides
	SubscriptionID string    // empty: not known yet
	CustomerID     string
	Migrated       bool // a migration created it
}

// RecordSubscriptionsTx records subscriptions of plans and schedules a sync for each plan. It fills in the ids of plans
// that it finds by their subscriptions. Events arrive in any order, so a subscription that differs from the plan's own
// is one of these:
//
//	created by a migration    the plan ended during the migration, or the call was repeated: it is ended
//	any other                 nothing is done; if it charges, the payment becomes a task
func (ps Plans) RecordSubscriptionsTx(ctx context.Context, tx *sqlx.Tx, seen []SubscriptionSeen) error {
	ids := make([]uuid.UUID, len(seen))
	for i := range seen {
		if err := nameAfterSubscriptionTx(ctx, tx, seen[i].EntityID, seen[i].SubscriptionID, &seen[i].PlanID); err != nil {
			return err
		}
		ids[i] = seen[i].PlanID
	}
	plans, err := lockPlansTx(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, s := range seen {
		p := plans[s.PlanID]
		if p == nil || p.EntityID != s.EntityID {
			continue // not a plan of ours
		}
		if err := ps.recordSubscriptionTx(ctx, tx, p, s); err != nil {
			return err
		}
	}
	return nil
}

func (ps Plans) recordSubscriptionTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s SubscriptionSeen) error {
	if p.SubscriptionID == nil && s.SubscriptionID != "" {
		p.SubscriptionID = &s.SubscriptionID
		if p.Total != nil {
			if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindSchedule, RequestedBy: plan.ByKonbit}); err != nil {
				return err
			}
		}
	}
	if p.CustomerID == nil && s.CustomerID != "" {
		p.CustomerID = &s.CustomerID
	}
	if s.Migrated && s.SubscriptionID != *p.SubscriptionID {
		if err := ps.endOtherSubscriptionTx(ctx, tx, p, s.SubscriptionID); err != nil {
			return err
		}
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// nameAfterSubscriptionTx sets a plan's id that is uuid.Nil to that of the plan whose subscription this is, if there is
// one.
func nameAfterSubscriptionTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, subscription string, id *uuid.UUID) error {
	const query = `/* recurring.nameAfterSubscriptionTx */ SELECT id FROM plan WHERE entity_id = $1 AND subscription_id = $2`
	if *id != uuid.Nil || subscription == "" {
		return nil
	}
	var found []uuid.UUID
	err := tx.SelectContext(ctx, &found, query, entity, subscription)
	if len(found) > 0 {
		*id = found[0]
	}
	return err
}

// endOtherSubscriptionTx requests the end of a subscription, unless it is the plan's own when the request is executed.
func (ps Plans) endOtherSubscriptionTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, subscription string) error {
	return ps.requestTx(ctx, tx, p, plan.Request{
		Kind: plan.KindEnd, Subject: subscription, Detail: plan.Detail{Subscription: subscription}, RequestedBy: plan.ByKonbit,
	})
}
