package recurring

import (
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// conclude writes what came of a request: the plan as it is from now on, the event, and the letter that confirms it.
func (ps Plans) applyResult(ctx context.Context, r request, out callResult) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, r.PlanID)
		if err != nil {
			return err
		}
		fresh, err := markExecutedTx(ctx, tx, r.ID, ps.Now())
		if err != nil || !fresh {
			return err
		}
		if err := ps.applyResultTx(ctx, tx, p, r, out); err != nil {
			return err
		}
		return savePlanTx(ctx, tx, p)
	})
}

func (ps Plans) applyResultTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, out callResult) error {
	cause, now := r.ID.String(), ps.Now()
	switch r.Kind {
	case kindSchedule:
		if s := out.schedule; s != nil && out.subscription == *p.SubscriptionID {
			p.ScheduleID, p.PhaseStart, p.Iterations = &s.ID, &s.PhaseStart, s.Iterations
		}
	case kindCancel:
		if p.Status.IsEnded() {
			return nil
		}
		p.Status, p.EndedAt, p.NextAt, p.PausedUntil = Cancelled, &now, nil, nil
		return ps.notifyTx(ctx, tx, p, eventCancelled, cause, r.Detail)
	case kindPause, kindSkip:
		return ps.applyPauseTx(ctx, tx, p, r)
	case kindResume:
		if p.Status == Paused {
			p.Status, p.PausedUntil, p.NextAt = Active, nil, &out.next
			if err := ps.notifyTx(ctx, tx, p, eventResumed, cause, Detail{}); err != nil {
				return err
			}
		}
		return ps.scheduleSyncTx(ctx, tx, p)
	case kindChange:
		return ps.applyChangeTx(ctx, tx, p, r, now)
	case kindCard:
		return ps.paymentMethodUpdatedTx(ctx, tx, p, r, out.paymentMethod)
	case kindMigrate:
		if out.migration != nil {
			return ps.applyMigrationTx(ctx, tx, p, r, out.migration)
		}
		return ps.paymentMethodUpdatedTx(ctx, tx, p, r, out.paymentMethod)
	case kindRetryPayment:
		if r.Detail.Customer != "" && !out.paid {
			return ps.collectionFailedTx(ctx, tx, p, r, out.code)
		}
		return ps.scheduleSyncTx(ctx, tx, p)
	}
	return nil
}

func (ps Plans) applyPauseTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.Status, p.PausedUntil = Paused, r.Detail.Until
	if p.NextAt != nil {
		next := p.chargeAfterPause(*p.NextAt, *r.Detail.Until)
		p.NextAt = &next
	}
	kind := eventPaused
	if r.Kind == kindSkip {
		kind = eventSkipped
	}
	return ps.notifyTx(ctx, tx, p, kind, r.ID.String(), r.Detail)
}

// changedTx makes what was asked for the terms of what comes.
func (ps Plans) applyChangeTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, now time.Time) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.AmountMinor, p.CoveredMinor, p.Frequency, p.Terms = r.Detail.Amount, r.Detail.Covered, org.Frequency(r.Detail.Frequency), p.Terms+1
	if r.Detail.Next != nil {
		p.NextAt = r.Detail.Next
	}
	if r.Detail.DatesChanged {
		p.ScheduleID, p.PhaseStart, p.Iterations = nil, nil, 0 // made anew when the first payment at the new pace has come
	}
	parts := make([]donation.Designation, len(r.Detail.Parts))
	for i, part := range r.Detail.Parts {
		c := money.Currency(p.Currency)
		parts[i] = donation.Designation{FundID: part.FundID, Amount: money.New(part.Amount, c), Covered: money.New(part.Covered, c)}
	}
	if err := addTermsTx(ctx, tx, p, parts, now); err != nil {
		return err
	}
	if err := ps.notifyTx(ctx, tx, p, eventChanged, r.ID.String(), r.Detail); err != nil {
		return err
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// mendedTx notes the card that is charged from now on, and has the bill tried again that the old one did not pay.
func (ps Plans) paymentMethodUpdatedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, c *PaymentMethod) error {
	if c == nil {
		return nil
	}
	p.setPaymentMethod(*c)
	owed, err := ps.requestCollectionTx(ctx, tx, p, c.ID, r.RequestedBy)
	if err != nil {
		return err
	}
	if p.FailingInvoice != nil && !slices.Contains(owed, *p.FailingInvoice) {
		again := request{Kind: kindRetryPayment, Subject: *p.FailingInvoice + " " + c.ID, Detail: Detail{Invoice: *p.FailingInvoice}, RequestedBy: r.RequestedBy}
		if err := ps.requestTx(ctx, tx, p, again); err != nil {
			return err
		}
	}
	return ps.notifyTx(ctx, tx, p, eventCardUpdated, c.ID, Detail{})
}

// card notes a card.
func (p *Plan) setPaymentMethod(c PaymentMethod) {
	if c.Last4 == "" {
		return
	}
	p.CardBrand, p.CardLast4, p.CardExpires = &c.Brand, &c.Last4, nil
	if c.Year > 0 {
		end := time.Date(c.Year, time.Month(c.Month)+1, 1, 0, 0, 0, 0, time.UTC)
		p.CardExpires = &end
	}
}
