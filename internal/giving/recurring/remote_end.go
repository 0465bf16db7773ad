package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
)

// applyRemoteEndTx ends a plan whose subscription has ended. It does nothing in these cases:
//
//   - paid invoices are not counted yet (unsettled): their charges will arrive, and may finish the plan
//   - the plan is being migrated: it continues under another subscription
func (ps Plans) applyRemoteEndTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription, unsettled int) error {
	if unsettled > 0 {
		return nil
	}
	if migrating, err := isMigratingTx(ctx, tx, p.ID); migrating || err != nil {
		return err
	}
	if latest := s.LatestInvoice; latest != nil && latest.Status == "paid" {
		settled, err := SettledInvoices(ctx, tx, p.EntityID, []string{latest.ID})
		if err != nil || !settled[latest.ID] {
			return err
		}
	}
	now := ps.Now()
	switch {
	case p.Status == plan.Started:
		p.End(plan.Failed, now)
		return nil
	case s.GivenUp || p.FailingSince != nil:
		p.End(plan.Failed, now)
		code := ""
		if p.FailingCode != nil {
			code = *p.FailingCode
		}
		return ps.notifyTx(ctx, tx, p, eventGivenUp, "", plan.Detail{Code: code})
	default:
		p.End(plan.Cancelled, now)
		return ps.notifyTx(ctx, tx, p, eventCancelled, "stripe", plan.Detail{})
	}
}
