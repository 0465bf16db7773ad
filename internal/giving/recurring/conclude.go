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
func (k Keeper) conclude(ctx context.Context, r request, out outcome) error {
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		p, err := lockOneTx(ctx, tx, r.PlanID)
		if err != nil {
			return err
		}
		fresh, err := carriedTx(ctx, tx, r.ID, k.Now())
		if err != nil || !fresh {
			return err
		}
		if err := k.concludeTx(ctx, tx, p, r, out); err != nil {
			return err
		}
		return saveTx(ctx, tx, p)
	})
}

func (k Keeper) concludeTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, out outcome) error {
	cause, now := r.ID.String(), k.Now()
	switch r.Kind {
	case kindSchedule:
		if s := out.schedule; s != nil && out.on == *p.SubscriptionID {
			p.ScheduleID, p.PhaseStart, p.Iterations = &s.ID, &s.PhaseStart, s.Iterations
		}
	case kindCancel:
		if p.Status.Over() {
			return nil
		}
		p.Status, p.EndedAt, p.NextAt, p.PausedUntil = Cancelled, &now, nil, nil
		return k.tellTx(ctx, tx, p, eventCancelled, cause, r.Detail)
	case kindPause, kindSkip:
		return k.pausedTx(ctx, tx, p, r)
	case kindResume:
		if p.Status == Paused {
			p.Status, p.PausedUntil, p.NextAt = Active, nil, &out.next
			if err := k.tellTx(ctx, tx, p, eventResumed, cause, Detail{}); err != nil {
				return err
			}
		}
		return k.lookSoonTx(ctx, tx, p)
	case kindChange:
		return k.changedTx(ctx, tx, p, r, now)
	case kindCard:
		return k.mendedTx(ctx, tx, p, r, out.card)
	case kindMove:
		if out.moved != nil {
			return k.movedTx(ctx, tx, p, r, out.moved)
		}
		return k.mendedTx(ctx, tx, p, r, out.card)
	case kindPay:
		if r.Detail.Customer != "" && !out.paid {
			return k.owingTx(ctx, tx, p, r, out.code)
		}
		return k.lookSoonTx(ctx, tx, p)
	}
	return nil
}

func (k Keeper) pausedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request) error {
	if p.Status.Over() {
		return nil
	}
	p.Status, p.PausedUntil = Paused, r.Detail.Until
	if p.NextAt != nil {
		next := p.resumed(*p.NextAt, *r.Detail.Until)
		p.NextAt = &next
	}
	kind := eventPaused
	if r.Kind == kindSkip {
		kind = eventSkipped
	}
	return k.tellTx(ctx, tx, p, kind, r.ID.String(), r.Detail)
}

// changedTx makes what was asked for the terms of what comes.
func (k Keeper) changedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, now time.Time) error {
	if p.Status.Over() {
		return nil
	}
	p.AmountMinor, p.CoveredMinor, p.Frequency, p.Terms = r.Detail.Amount, r.Detail.Covered, org.Frequency(r.Detail.Frequency), p.Terms+1
	if r.Detail.Next != nil {
		p.NextAt = r.Detail.Next
	}
	if r.Detail.Repaced {
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
	if err := k.tellTx(ctx, tx, p, eventChanged, r.ID.String(), r.Detail); err != nil {
		return err
	}
	return k.lookSoonTx(ctx, tx, p)
}

// mendedTx notes the card that is charged from now on, and has the bill tried again that the old one did not pay.
func (k Keeper) mendedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, c *Card) error {
	if c == nil {
		return nil
	}
	p.card(*c)
	owed, err := k.collectTx(ctx, tx, p, c.Method, r.By)
	if err != nil {
		return err
	}
	if p.FailingInvoice != nil && !slices.Contains(owed, *p.FailingInvoice) {
		again := request{Kind: kindPay, Subject: *p.FailingInvoice + " " + c.Method, Detail: Detail{Invoice: *p.FailingInvoice}, By: r.By}
		if err := k.askTx(ctx, tx, p, again); err != nil {
			return err
		}
	}
	return k.tellTx(ctx, tx, p, eventMended, c.Method, Detail{})
}

// card notes a card.
func (p *Plan) card(c Card) {
	if c.Last4 == "" {
		return
	}
	p.CardBrand, p.CardLast4, p.CardExpires = &c.Brand, &c.Last4, nil
	if c.Year > 0 {
		end := time.Date(c.Year, time.Month(c.Month)+1, 1, 0, 0, 0, 0, time.UTC)
		p.CardExpires = &end
	}
}
