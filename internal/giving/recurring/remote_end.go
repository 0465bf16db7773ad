package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// applyRemoteEndTx ends a plan whose subscription has ended, for the reason that Stripe knows. A person or a program that
// ended it there, or deleted its customer, leaves no reason: the donor's email gives none. It does nothing in these cases:
//
//   - paid invoices are not counted yet (unsettled): their charges will arrive, and may finish the plan
//   - the plan is being migrated: it continues under another subscription
func (ps Plans) applyRemoteEndTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription, unsettled int) error {
	if unsettled > 0 {
		return nil
	}
	if migrating, err := waitsTx(ctx, tx, p.ID, plan.KindMigrate); migrating || err != nil {
		return err
	}
	if latest := s.LatestInvoice; latest != nil && latest.Status == "paid" {
		settled, err := instalment.Settled(ctx, tx, p.EntityID, []string{latest.ID})
		if err != nil || !settled[latest.ID] {
			return err
		}
	}
	code := ""
	if p.FailingCode != nil {
		code = *p.FailingCode
	}
	now := ps.Now()
	switch {
	case p.Status == plan.Started:
		p.End(plan.Failed, plan.Unpaid, now)
		return nil
	case s.EndReason == billing.EndedUnpaid, s.EndReason == "" && p.FailingSince != nil:
		p.End(plan.Failed, plan.Unpaid, now)
		return ps.notifyTx(ctx, tx, p, plan.EventGivenUp, "", plan.Detail{Code: code})
	case s.EndReason == billing.EndedDisputed:
		p.End(plan.Cancelled, plan.Disputed, now)
		return ps.notifyTx(ctx, tx, p, plan.EventStoppedByDispute, "", plan.Detail{})
	default:
		p.End(plan.Cancelled, plan.AtStripe, now)
		return ps.notifyTx(ctx, tx, p, plan.EventStoppedAtStripe, "", plan.Detail{})
	}
}
