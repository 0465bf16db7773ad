package recurring

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/platform/pg"
)

// LookJob is the job of reading a plan's subscription.
type SyncJob struct {
	PlanID uuid.UUID `json:"plan_id"`
}

// Kind names the job.
func (SyncJob) Kind() string { return "plan_look" }

// Look reads a plan's subscription at Stripe, if something happened to it since it was last read, and has the plan stand as it does.
func (ps Plans) SyncPlan(ctx context.Context, id uuid.UUID) error {
	p, err := ByID(ctx, ps.DB, id)
	if err != nil || p.SyncDue == nil {
		return err
	}
	if p.SubscriptionID == nil {
		return errNotReady
	}
	e, err := org.EntityByID(ctx, ps.DB, p.EntityID)
	if err != nil {
		return err
	}
	due := *p.SyncDue
	read := *p.SubscriptionID
	standing, err := ps.Billing.ReadSubscription(ctx, e.Slug, read)
	if err == nil && p.isBehind(standing) {
		standing.paidInvoices, err = ps.Billing.PaidInvoices(ctx, e.Slug, read)
	}
	if err != nil {
		return err
	}
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.SyncDue == nil || !p.SyncDue.Equal(due) || *p.SubscriptionID != read {
			return ps.repeatSyncTx(ctx, tx, p) // something happened meanwhile
		}
		p.SyncDue = nil
		if err := ps.applyRemoteTx(ctx, tx, p, standing); err != nil {
			return err
		}
		return savePlanTx(ctx, tx, p)
	})
}

func (ps Plans) repeatSyncTx(ctx context.Context, tx *sqlx.Tx, p *Plan) error {
	if p.SyncDue == nil {
		return nil // another worker looked
	}
	return ps.Queue.EnqueueTx(ctx, tx, SyncJob{p.ID})
}

// followTx has a plan stand as its subscription does. An ended plan stays ended: a subscription that goes on then is ended once more.
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
	now := ps.Now()
	missed, err := unsettledInvoicesTx(ctx, tx, p, s)
	if err != nil {
		return err
	}
	switch s.Status {
	case "canceled", "incomplete_expired":
		if len(missed) > 0 {
			return nil // payments are on their way here
		}
		if moving, err := isMigratingTx(ctx, tx, p.ID); moving || err != nil {
			return err // it goes on elsewhere
		}
		return ps.applyEndTx(ctx, tx, p, s, now)
	case "incomplete":
		return nil
	}
	p.NextAt = &s.PeriodEnd
	switch {
	case p.Status == Started:
	case s.Paused:
		p.Status, p.PausedUntil = Paused, s.PausedUntil
		if s.PausedUntil != nil {
			next := p.chargeAfterPause(s.PeriodEnd, *s.PausedUntil)
			p.NextAt = &next
		} else {
			p.NextAt = nil
		}
	default:
		p.Status, p.PausedUntil = Active, nil
	}
	if err := ps.recordLatestInvoiceTx(ctx, tx, p, s, now); err != nil {
		return err
	}
	if err := ps.endIfCompleteTx(ctx, tx, p, len(missed)); err != nil {
		return err
	}
	return ps.extendScheduleTx(ctx, tx, p, s, missed)
}

// billTx notes whether the latest bill fails, and tells the donor once.
func (ps Plans) recordLatestInvoiceTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s RemoteSubscription, now time.Time) error {
	b := s.LatestInvoice
	if b != nil && b.AmountMinor == 0 {
		return nil // a bill over nothing tells nothing
	}
	if b == nil || b.InFlight || b.Status != "open" && b.Status != "uncollectible" || b.Attempts == 0 {
		if b != nil && (b.Status == "paid" || b.Status == "void") {
			p.FailingSince, p.FailingCode, p.FailingInvoice = nil, nil, nil
		}
		return nil
	}
	if p.FailingSince == nil {
		p.FailingSince = &now
	}
	p.FailingCode, p.FailingInvoice = &b.Code, &b.ID
	if IsPermanentDecline(b.Code) && b.WillRetry {
		if err := ps.requestTx(ctx, tx, p, request{Kind: kindStopCollection, Subject: b.ID, RequestedBy: "konbit"}); err != nil {
			return err
		}
	}
	if p.Status == Started {
		return nil // its donor is at the payment page
	}
	return ps.notifyTx(ctx, tx, p, eventPaymentFailed, b.ID, Detail{Code: b.Code, Invoice: b.ID})
}

// extendTx has the schedule made longer where a period was not paid, so that N payments are N payments.
func (ps Plans) extendScheduleTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s RemoteSubscription, missed []string) error {
	if p.Total == nil || p.PhaseStart == nil {
		return nil
	}
	pending := s.LatestInvoice.isPending()
	if s.LatestInvoice != nil && s.LatestInvoice.Status == "paid" {
		settled, err := SettledInvoices(ctx, tx, p.EntityID, []string{s.LatestInvoice.ID})
		if err != nil {
			return err
		}
		pending = !settled[s.LatestInvoice.ID] && !slices.Contains(missed, s.LatestInvoice.ID) // its charge is on its way here
	}
	counted := *p
	counted.Paid += len(missed)
	if wants := counted.scheduleLength(*p.PhaseStart, s.PeriodEnd, pending); wants > p.Iterations {
		return ps.requestTx(ctx, tx, p, request{Kind: kindSchedule, Subject: strconv.Itoa(wants), RequestedBy: "konbit"})
	}
	return nil
}

// endedTx ends a plan that is over at Stripe. One whose last payment is on its way here is finished by that.
func (ps Plans) applyEndTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s RemoteSubscription, now time.Time) error {
	if s.LatestInvoice != nil && s.LatestInvoice.Status == "paid" {
		settled, err := SettledInvoices(ctx, tx, p.EntityID, []string{s.LatestInvoice.ID})
		if err != nil || !settled[s.LatestInvoice.ID] {
			return err
		}
	}
	begun := p.Status != Started
	p.EndedAt, p.NextAt, p.PausedUntil = &now, nil, nil
	if s.GivenUp || p.FailingSince != nil || !begun {
		p.Status = Failed
		if !begun {
			return nil
		}
		code := ""
		if p.FailingCode != nil {
			code = *p.FailingCode
		}
		return ps.notifyTx(ctx, tx, p, eventGivenUp, "", Detail{Code: code})
	}
	p.Status = Cancelled
	return ps.notifyTx(ctx, tx, p, eventCancelled, "stripe", Detail{})
}
