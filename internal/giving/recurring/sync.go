package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// SyncJob is the job that syncs a plan with its subscription.
type SyncJob struct {
	PlanID uuid.UUID `json:"plan_id"`
}

// Kind returns the job's kind in river_job.
func (SyncJob) Kind() string { return "plan_look" }

// Queue returns the queue in which the job waits.
func (SyncJob) Queue() jobs.QueueName { return jobs.Syncs }

// scheduleSyncTx saves a plan and schedules its sync. It enqueues no job if one waits already.
func (ps Plans) scheduleSyncTx(ctx context.Context, tx *sqlx.Tx, p *Plan) error {
	isScheduled := p.SyncDue != nil
	now := ps.Now()
	p.SyncDue = &now
	if err := savePlanTx(ctx, tx, p); err != nil || isScheduled {
		return err
	}
	return ps.Queue.EnqueueTx(ctx, tx, SyncJob{p.ID})
}

// scheduleSync is scheduleSyncTx in a transaction of its own.
func (ps Plans) scheduleSync(ctx context.Context, id uuid.UUID) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, id)
		if err != nil {
			return err
		}
		return ps.scheduleSyncTx(ctx, tx, p)
	})
}

// SyncPlan reads a plan's subscription at Stripe and updates the plan. It does nothing if no sync is scheduled. If
// something happened to the plan during the call, it discards what it read and enqueues the job again.
func (ps Plans) SyncPlan(ctx context.Context, id uuid.UUID) error {
	before, err := ByID(ctx, ps.DB, id)
	if err != nil || before.SyncDue == nil {
		return err
	}
	if before.SubscriptionID == nil {
		return errNotReady
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
			return ps.Queue.EnqueueTx(ctx, tx, SyncJob{p.ID})
		}
		p.SyncDue = nil
		if err := ps.applyRemoteTx(ctx, tx, p, remote); err != nil {
			return err
		}
		return savePlanTx(ctx, tx, p)
	})
}

// readRemote reads a plan's subscription, and its paid invoices if the plan is behind.
func (ps Plans) readRemote(ctx context.Context, p Plan) (RemoteSubscription, error) {
	e, err := org.EntityByID(ctx, ps.DB, p.EntityID)
	if err != nil {
		return RemoteSubscription{}, err
	}
	s, err := ps.Billing.ReadSubscription(ctx, e.Slug, *p.SubscriptionID)
	if err == nil && p.isBehind(s) {
		s.paidInvoices, err = ps.Billing.PaidInvoices(ctx, e.Slug, *p.SubscriptionID)
	}
	return s, err
}

// applyRemoteTx updates a plan from its subscription. An ended plan stays ended.
func (ps Plans) applyRemoteTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s RemoteSubscription) error {
	if s.PaymentMethod != nil {
		p.setPaymentMethod(*s.PaymentMethod)
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
	case "canceled", "incomplete_expired":
		return ps.applyRemoteEndTx(ctx, tx, p, s, len(unsettled))
	case "incomplete":
		return nil
	}
	p.followDates(s)
	if err := ps.recordLatestInvoiceTx(ctx, tx, p, s.LatestInvoice, ps.Now()); err != nil {
		return err
	}
	if err := ps.endIfCompleteTx(ctx, tx, p, len(unsettled)); err != nil {
		return err
	}
	return ps.extendScheduleTx(ctx, tx, p, s, unsettled)
}

// followDates takes over from the subscription when the plan is charged next and whether it is paused.
func (p *Plan) followDates(s RemoteSubscription) {
	p.NextAt = &s.PeriodEnd
	switch {
	case p.Status == Started:
	case s.Paused:
		p.Status, p.PausedUntil, p.NextAt = Paused, s.PausedUntil, nil
		if s.PausedUntil != nil {
			next := p.chargeAfterPause(s.PeriodEnd, *s.PausedUntil)
			p.NextAt = &next
		}
	default:
		p.Status, p.PausedUntil = Active, nil
	}
}

// recordLatestInvoiceTx records whether the latest invoice failed, and notifies the donor once for each invoice. An
// invoice of zero says nothing about the payment method.
func (ps Plans) recordLatestInvoiceTx(ctx context.Context, tx *sqlx.Tx, p *Plan, latest *Invoice, now time.Time) error {
	if latest == nil || latest.AmountMinor == 0 {
		return nil
	}
	if !latest.hasFailed() {
		if latest.isSettled() {
			p.paymentSucceeded()
		}
		return nil
	}
	p.paymentFailed(latest.ID, latest.Code, now)
	if IsPermanentDecline(latest.Code) && latest.WillRetry {
		if err := ps.requestTx(ctx, tx, p, request{Kind: kindStopCollection, Subject: latest.ID, RequestedBy: byKonbit}); err != nil {
			return err
		}
	}
	if p.Status == Started {
		return nil // the donor sees it on the payment page
	}
	return ps.notifyTx(ctx, tx, p, eventPaymentFailed, latest.ID, Detail{Code: latest.Code, Invoice: latest.ID})
}
