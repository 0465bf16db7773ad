package recurring

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/plancall"
	"konbit/internal/giving/plancard"
	"konbit/internal/giving/planterms"
	"konbit/internal/platform/pg"
)

// applyResult records the result of a request: the new state of the plan, its event, and the email that confirms it.
func (ps Plans) applyResult(ctx context.Context, r plan.Request, result plancall.Result) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, r.PlanID)
		if err != nil {
			return err
		}
		isFirst, err := markExecutedTx(ctx, tx, r.ID, ps.Now())
		if err != nil || !isFirst {
			return err
		}
		if err := ps.applyResultTx(ctx, tx, p, r, result); err != nil {
			return err
		}
		return savePlanTx(ctx, tx, p)
	})
}

func (ps Plans) applyResultTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request, result plancall.Result) error {
	switch r.Kind {
	case plan.KindSchedule:
		if s := result.Schedule; s != nil && result.Subscription == *p.SubscriptionID {
			p.ScheduleID, p.PhaseStart, p.Iterations = &s.ID, &s.PhaseStart, s.Iterations
		}
	case plan.KindCancel:
		if p.Status.IsEnded() {
			return nil
		}
		return ps.endAskedTx(ctx, tx, p, r)
	case plan.KindHold:
		return ps.applyHoldTx(ctx, tx, p, r)
	case plan.KindPause, plan.KindSkip:
		return ps.applyPauseTx(ctx, tx, p, r)
	case plan.KindResume:
		return ps.applyResumeTx(ctx, tx, p, r, result.Next)
	case plan.KindChange:
		return ps.applyChangeTx(ctx, tx, p, r)
	case plan.KindCard:
		return ps.paymentMethodUpdatedTx(ctx, tx, p, r, result.PaymentMethod)
	case plan.KindMigrate:
		if result.Migration != nil {
			return ps.applyMigrationTx(ctx, tx, p, r, result.Migration)
		}
		return ps.paymentMethodUpdatedTx(ctx, tx, p, r, result.PaymentMethod)
	case plan.KindRetryPayment:
		if r.Detail.Customer != "" && !result.Paid {
			return ps.collectionFailedTx(ctx, tx, p, r, result.Code)
		}
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	return nil
}

// endAskedTx ends a plan as its donor requested.
func (ps Plans) endAskedTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request) error {
	p.End(plan.Cancelled, plan.Asked, ps.Now())
	return ps.notifyTx(ctx, tx, p, plan.EventCancelled, r.ID.String(), r.Detail)
}

func (ps Plans) applyPauseTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request) error {
	if p.Status.IsEnded() {
		return nil
	}
	if p.DisputedSince != nil { // since the call: the sync holds the plan again
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	p.Status, p.PausedUntil = plan.Paused, r.Detail.Until
	if p.NextAt != nil {
		p.SetNext(p.ChargeAfterPause(*p.NextAt, *r.Detail.Until))
	}
	kind := plan.EventPaused
	if r.Kind == plan.KindSkip {
		kind = plan.EventSkipped
	}
	if err := ps.notifyTx(ctx, tx, p, kind, r.ID.String(), r.Detail); err != nil {
		return err
	}
	return ps.scheduleSyncTx(ctx, tx, p) // an unpaid invoice is left out too
}

func (ps Plans) applyResumeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request, next time.Time) error {
	if p.Status == plan.Paused && p.DisputedSince == nil { // if disputed since the call, the sync holds the plan again
		p.Status, p.PausedUntil = plan.Active, nil
		p.SetNext(next)
		if err := ps.notifyTx(ctx, tx, p, plan.EventResumed, r.ID.String(), plan.Detail{}); err != nil {
			return err
		}
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// applyChangeTx makes the requested terms the plan's current terms.
func (ps Plans) applyChangeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request) error {
	if p.Status.IsEnded() {
		return nil
	}
	if r.Detail.Next != nil && p.Status == plan.Active {
		p.SetNext(*r.Detail.Next)
	}
	if err := planterms.ChangeTx(ctx, tx, p, r.Detail, ps.Now()); err != nil {
		return err
	}
	p.DiscountedTo = nil // the sync reads what a discount makes of the new amount
	if err := ps.notifyTx(ctx, tx, p, plan.EventChanged, r.ID.String(), r.Detail); err != nil {
		return err
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// paymentMethodUpdatedTx records the card that is charged from now on, and requests a new attempt for every unpaid
// invoice, unless the donor's bank disputes a payment. It does nothing if there is no card.
func (ps Plans) paymentMethodUpdatedTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request, c *billing.PaymentMethod) error {
	if c == nil {
		return nil
	}
	p.SetPaymentMethod(*c)
	if err := plancard.UpdatedTx(ctx, tx, *p, ps.Now()); err != nil {
		return err
	}
	if p.DisputedSince != nil {
		return ps.notifyTx(ctx, tx, p, plan.EventCardUpdated, c.ID, plan.Detail{})
	}
	outstanding, err := ps.requestCollectionTx(ctx, tx, p, c.ID, r.RequestedBy)
	if err != nil {
		return err
	}
	if p.FailingInvoice != nil && !slices.Contains(outstanding, *p.FailingInvoice) {
		retry := plan.Request{
			Kind: plan.KindRetryPayment, Subject: *p.FailingInvoice + " " + c.ID, Detail: plan.Detail{Invoice: *p.FailingInvoice}, RequestedBy: r.RequestedBy,
		}
		if err := ps.requestTx(ctx, tx, p, retry); err != nil {
			return err
		}
	}
	return ps.notifyTx(ctx, tx, p, plan.EventCardUpdated, c.ID, plan.Detail{})
}
