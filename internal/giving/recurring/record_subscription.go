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
	PlanID         uuid.UUID
	SubscriptionID string // empty: not known yet
	CustomerID     string
	Migrated       bool // a migration created it
}

// RecordSubscriptionsTx records subscriptions of plans and schedules a sync for each plan. Events arrive in any order,
// so a subscription that differs from the plan's own is one of these:
//
//	created by a migration    the plan ended during the migration, or the call was repeated: it is ended
//	any other                 nothing is done; if it charges, the payment becomes a task
func (ps Plans) RecordSubscriptionsTx(ctx context.Context, tx *sqlx.Tx, seen []SubscriptionSeen) error {
	ids := make([]uuid.UUID, len(seen))
	for i, s := range seen {
		ids[i] = s.PlanID
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
			if err := ps.requestTx(ctx, tx, p, request{Kind: kindSchedule, RequestedBy: byKonbit}); err != nil {
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

// endOtherSubscriptionTx requests the end of a subscription, unless it is the plan's own when the request is executed.
func (ps Plans) endOtherSubscriptionTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, subscription string) error {
	return ps.requestTx(ctx, tx, p, request{
		Kind: kindEnd, Subject: subscription, Detail: plan.Detail{Subscription: subscription}, RequestedBy: byKonbit,
	})
}
