package recurring

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// applyResult records the result of a request: the new state of the plan, its event, and the email that confirms it.
func (ps Plans) applyResult(ctx context.Context, r request, result callResult) error {
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

func (ps Plans) applyResultTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request, result callResult) error {
	switch r.Kind {
	case kindSchedule:
		if s := result.schedule; s != nil && result.subscription == *p.SubscriptionID {
			p.ScheduleID, p.PhaseStart, p.Iterations = &s.ID, &s.PhaseStart, s.Iterations
		}
	case kindCancel:
		if p.Status.IsEnded() {
			return nil
		}
		p.End(plan.Cancelled, ps.Now())
		return ps.notifyTx(ctx, tx, p, eventCancelled, r.ID.String(), r.Detail)
	case kindPause, kindSkip:
		return ps.applyPauseTx(ctx, tx, p, r)
	case kindResume:
		return ps.applyResumeTx(ctx, tx, p, r, result.next)
	case kindChange:
		return ps.applyChangeTx(ctx, tx, p, r)
	case kindCard:
		return ps.paymentMethodUpdatedTx(ctx, tx, p, r, result.paymentMethod)
	case kindMigrate:
		if result.migration != nil {
			return ps.applyMigrationTx(ctx, tx, p, r, result.migration)
		}
		return ps.paymentMethodUpdatedTx(ctx, tx, p, r, result.paymentMethod)
	case kindRetryPayment:
		if r.Detail.Customer != "" && !result.paid {
			return ps.collectionFailedTx(ctx, tx, p, r, result.code)
		}
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	return nil
}

func (ps Plans) applyPauseTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.Status, p.PausedUntil = plan.Paused, r.Detail.Until
	if p.NextAt != nil {
		next := p.ChargeAfterPause(*p.NextAt, *r.Detail.Until)
		p.NextAt = &next
	}
	kind := eventPaused
	if r.Kind == kindSkip {
		kind = eventSkipped
	}
	return ps.notifyTx(ctx, tx, p, kind, r.ID.String(), r.Detail)
}

func (ps Plans) applyResumeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request, next time.Time) error {
	if p.Status == plan.Paused {
		p.Status, p.PausedUntil, p.NextAt = plan.Active, nil, &next
		if err := ps.notifyTx(ctx, tx, p, eventResumed, r.ID.String(), plan.Detail{}); err != nil {
			return err
		}
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// applyChangeTx makes the requested terms the plan's current terms.
func (ps Plans) applyChangeTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.AmountMinor, p.CoveredMinor, p.Frequency, p.Terms = r.Detail.Amount, r.Detail.Covered, org.Frequency(r.Detail.Frequency), p.Terms+1
	if r.Detail.Next != nil {
		p.NextAt = r.Detail.Next
	}
	if r.Detail.DatesChanged {
		p.ForgetSchedule()
	}
	parts := make([]donation.Designation, len(r.Detail.Parts))
	for i, part := range r.Detail.Parts {
		c := money.Currency(p.Currency)
		parts[i] = donation.Designation{FundID: part.FundID, Amount: money.New(part.Amount, c), Covered: money.New(part.Covered, c)}
	}
	if err := addTermsTx(ctx, tx, p, parts, ps.Now()); err != nil {
		return err
	}
	if err := ps.notifyTx(ctx, tx, p, eventChanged, r.ID.String(), r.Detail); err != nil {
		return err
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// paymentMethodUpdatedTx records the card that is charged from now on, and requests a new attempt for every unpaid
// invoice. It does nothing if there is no card.
func (ps Plans) paymentMethodUpdatedTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request, c *billing.PaymentMethod) error {
	if c == nil {
		return nil
	}
	p.SetPaymentMethod(*c)
	outstanding, err := ps.requestCollectionTx(ctx, tx, p, c.ID, r.RequestedBy)
	if err != nil {
		return err
	}
	if p.FailingInvoice != nil && !slices.Contains(outstanding, *p.FailingInvoice) {
		retry := request{
			Kind: kindRetryPayment, Subject: *p.FailingInvoice + " " + c.ID, Detail: plan.Detail{Invoice: *p.FailingInvoice}, RequestedBy: r.RequestedBy,
		}
		if err := ps.requestTx(ctx, tx, p, retry); err != nil {
			return err
		}
	}
	return ps.notifyTx(ctx, tx, p, eventCardUpdated, c.ID, plan.Detail{})
}
