package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/plancall"
	"konbit/internal/platform/pg"
)

// scheduleSyncTx saves a plan and schedules its sync. It enqueues no job if one waits already.
func (ps Plans) scheduleSyncTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan) error {
	isScheduled := p.SyncDue != nil
	now := ps.Now()
	p.SyncDue = &now
	if err := savePlanTx(ctx, tx, p); err != nil || isScheduled {
		return err
	}
	return ps.Queue.EnqueueTx(ctx, tx, plan.SyncJob{PlanID: p.ID})
}

// scheduleSync is scheduleSyncTx in a transaction of its own.
func (ps Plans) scheduleSync(ctx context.Context, id uuid.UUID) error {
	return ps.withPlan(ctx, id, func(tx *sqlx.Tx, p *plan.Plan) error { return ps.scheduleSyncTx(ctx, tx, p) })
}

// SyncPlan reads a plan's subscription at Stripe and updates the plan. It does nothing if no sync is scheduled. If
// something happened to the plan during the call, it discards what it read and enqueues the job again.
func (ps Plans) SyncPlan(ctx context.Context, id uuid.UUID) error {
	before, err := ByID(ctx, ps.DB, id)
	if err != nil || before.SyncDue == nil {
		return err
	}
	if before.SubscriptionID == nil {
		return plancall.ErrNotReady
	}
	remote, err := ps.readRemote(ctx, before)
	if err != nil {
		return err
	}
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case p.SyncDue == nil: // another worker synced it
			return nil
		case !p.SyncDue.Equal(*before.SyncDue) || *p.SubscriptionID != *before.SubscriptionID:
			return ps.Queue.EnqueueTx(ctx, tx, plan.SyncJob{PlanID: p.ID})
		}
		p.SyncDue = nil
		if err := ps.applyRemoteTx(ctx, tx, p, remote); err != nil {
			return err
		}
		return savePlanTx(ctx, tx, p)
	})
}

// readRemote reads a plan's subscription, and its paid invoices if the plan is behind.
func (ps Plans) readRemote(ctx context.Context, p plan.Plan) (billing.RemoteSubscription, error) {
	e, err := org.EntityByID(ctx, ps.DB, p.EntityID)
	if err != nil {
		return billing.RemoteSubscription{}, err
	}
	s, err := ps.Billing.ReadSubscription(ctx, e.Slug, *p.SubscriptionID)
	if err == nil && p.IsBehind(s) {
		s.PaidInvoices, s.PaidElsewhere, err = ps.Billing.PaidInvoices(ctx, e.Slug, *p.SubscriptionID)
	}
	return s, err
}

// applyRemoteTx updates a plan from its subscription. An ended plan stays ended.
func (ps Plans) applyRemoteTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, s billing.RemoteSubscription) error {
	if s.PaymentMethod != nil {
		p.SetPaymentMethod(*s.PaymentMethod)
	}
	if p.CustomerID == nil && s.CustomerID != "" {
		p.CustomerID = &s.CustomerID
	}
	if p.Status.IsEnded() {
		return nil
	}
	if s.AnchorDay > 0 {
		p.AnchorDay = s.AnchorDay
	}
	unsettled, err := unsettledInvoicesTx(ctx, tx, p, s)
	if err != nil {
		return err
	}
	switch s.Status {
	case "canceled", "incomplete_expired", "unpaid":
		return ps.applyRemoteEndTx(ctx, tx, p, s, len(unsettled))
	case "incomplete":
		return nil
	}
	if err := ps.followStripeTx(ctx, tx, p, s); err != nil {
		return err
	}
	if err := ps.recordLatestInvoiceTx(ctx, tx, p, s.LatestInvoice, ps.Now()); err != nil || p.Status.IsEnded() {
		return err
	}
	if err := ps.endIfCompleteTx(ctx, tx, p, s, len(unsettled)); err != nil || p.Status.IsEnded() {
		return err
	}
	return ps.extendScheduleTx(ctx, tx, p, s, unsettled)
}

// recordLatestInvoiceTx records whether the latest invoice failed, and notifies the donor once for each invoice. An
// invoice of zero says nothing about the payment method.
func (ps Plans) recordLatestInvoiceTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, latest *billing.Invoice, now time.Time) error {
	if latest == nil || latest.AmountMinor == 0 {
		return nil
	}
	if !latest.HasFailed() {
		if latest.IsSettled() {
			p.PaymentSucceeded()
		}
		return nil
	}
	p.PaymentFailed(latest.ID, latest.Code, now)
	if billing.IsPermanentDecline(latest.Code) && latest.WillRetry {
		if err := ps.requestTx(ctx, tx, p, plan.Request{Kind: plan.KindStopCollection, Subject: latest.ID, RequestedBy: plan.ByKonbit}); err != nil {
			return err
		}
	}
	switch {
	case p.Status == plan.Started:
		return ps.firstPaymentFailedTx(ctx, tx, p, latest)
	case p.DisputedSince != nil:
		return nil // nothing is collected
	}
	return ps.notifyTx(ctx, tx, p, plan.EventPaymentFailed, latest.ID, plan.Detail{Code: latest.Code, Invoice: latest.ID})
}
