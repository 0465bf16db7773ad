package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
)

// applyRemoteEndTx ends a plan whose subscription has ended, or is unpaid: an account's settings say which of the two
// follows the last failed retry. It does nothing in these cases:
//
//   - paid invoices are not counted yet (unsettled): their charges will arrive, and may finish the plan
//   - the plan is being migrated: it continues under another subscription
//
// If the donor's request to end the plan waits, the plan ended as they asked: Stripe may have got the call although its
// answer was lost.
func (ps Plans) applyRemoteEndTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription, unsettled int) error {
	if unsettled > 0 {
		return nil
	}
	if migrating, err := isWaiting(ctx, tx, p.ID, plan.KindMigrate); migrating || err != nil {
		return err
	}
	if latest := s.LatestInvoice; latest.AwaitsCharge() {
		settled, err := instalment.Settled(ctx, tx, p.EntityID, []string{latest.ID})
		if err != nil || !settled[latest.ID] {
			return err
		}
	}
	if p.Total != nil && s.PaidElsewhere > 0 && p.Paid+s.PaidElsewhere >= *p.Total {
		return ps.finishTx(ctx, tx, p)
	}
	if asked, err := waitingCancelTx(ctx, tx, p); err != nil || asked != nil {
		if err != nil {
			return err
		}
		return ps.endAskedTx(ctx, tx, p, *asked)
	}
	kind, d := p.EndAtStripe(s, ps.Now())
	if s.Status == "unpaid" { // by the account's settings Stripe collects nothing more, and does not end it either
		if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindEnd, Subject: "unpaid", RequestedBy: plan.ByKonbit}); err != nil {
			return err
		}
	}
	if kind == "" {
		return nil
	}
	return ps.notifyTx(ctx, tx, p, kind, "", d)
}
