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
type LookJob struct {
	PlanID uuid.UUID `json:"plan_id"`
}

// Kind names the job.
func (LookJob) Kind() string { return "plan_look" }

// Look reads a plan's subscription at Stripe, if something happened to it since it was last read, and has the plan stand as it does.
func (k Keeper) Look(ctx context.Context, id uuid.UUID) error {
	p, err := ByID(ctx, k.DB, id)
	if err != nil || p.LookDue == nil {
		return err
	}
	if p.SubscriptionID == nil {
		return errTooEarly
	}
	e, err := org.EntityByID(ctx, k.DB, p.EntityID)
	if err != nil {
		return err
	}
	due := *p.LookDue
	read := *p.SubscriptionID
	standing, err := k.Billing.Read(ctx, e.Slug, read)
	if err == nil && p.behind(standing) {
		standing.paid, err = k.Billing.PaidBills(ctx, e.Slug, read)
	}
	if err != nil {
		return err
	}
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		p, err := lockOneTx(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.LookDue == nil || !p.LookDue.Equal(due) || *p.SubscriptionID != read {
			return k.lookAgainTx(ctx, tx, p) // something happened meanwhile
		}
		p.LookDue = nil
		if err := k.followTx(ctx, tx, p, standing); err != nil {
			return err
		}
		return saveTx(ctx, tx, p)
	})
}

func (k Keeper) lookAgainTx(ctx context.Context, tx *sqlx.Tx, p *Plan) error {
	if p.LookDue == nil {
		return nil // another worker looked
	}
	return k.Queue.EnqueueTx(ctx, tx, LookJob{p.ID})
}

// followTx has a plan stand as its subscription does. An ended plan stays ended: a subscription that goes on then is ended once more.
func (k Keeper) followTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s Standing) error {
	if s.Card != nil {
		p.card(*s.Card)
	}
	if p.CustomerID == nil && s.CustomerID != "" {
		p.CustomerID = &s.CustomerID
	}
	if p.Status.Over() {
		return nil
	}
	if s.AnchorDay > 0 {
		p.AnchorDay = s.AnchorDay
	}
	now := k.Now()
	missed, err := missedTx(ctx, tx, p, s)
	if err != nil {
		return err
	}
	switch s.Status {
	case "canceled", "incomplete_expired":
		if len(missed) > 0 {
			return nil // payments are on their way here
		}
		if moving, err := movingTx(ctx, tx, p.ID); moving || err != nil {
			return err // it goes on elsewhere
		}
		return k.endedTx(ctx, tx, p, s, now)
	case "incomplete":
		return nil
	}
	p.NextAt = &s.PeriodEnd
	switch {
	case p.Status == Started:
	case s.Paused:
		p.Status, p.PausedUntil = Paused, s.PausedUntil
		if s.PausedUntil != nil {
			next := p.resumed(s.PeriodEnd, *s.PausedUntil)
			p.NextAt = &next
		} else {
			p.NextAt = nil
		}
	default:
		p.Status, p.PausedUntil = Active, nil
	}
	if err := k.billTx(ctx, tx, p, s, now); err != nil {
		return err
	}
	if err := k.enoughTx(ctx, tx, p, len(missed)); err != nil {
		return err
	}
	return k.extendTx(ctx, tx, p, s, missed)
}

// billTx notes whether the latest bill fails, and tells the donor once.
func (k Keeper) billTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s Standing, now time.Time) error {
	b := s.Bill
	if b != nil && b.Minor == 0 {
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
	if Hopeless(b.Code) && b.NextTry {
		if err := k.askTx(ctx, tx, p, request{Kind: kindRest, Subject: b.ID, By: "konbit"}); err != nil {
			return err
		}
	}
	if p.Status == Started {
		return nil // its donor is at the payment page
	}
	return k.tellTx(ctx, tx, p, eventFailing, b.ID, Detail{Code: b.Code, Invoice: b.ID})
}

// extendTx has the schedule made longer where a period was not paid, so that N payments are N payments.
func (k Keeper) extendTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s Standing, missed []string) error {
	if p.Total == nil || p.PhaseStart == nil {
		return nil
	}
	pending := s.Bill.pending()
	if s.Bill != nil && s.Bill.Status == "paid" {
		settled, err := SettledBills(ctx, tx, p.EntityID, []string{s.Bill.ID})
		if err != nil {
			return err
		}
		pending = !settled[s.Bill.ID] && !slices.Contains(missed, s.Bill.ID) // its charge is on its way here
	}
	counted := *p
	counted.Paid += len(missed)
	if wants := counted.iterations(*p.PhaseStart, s.PeriodEnd, pending); wants > p.Iterations {
		return k.askTx(ctx, tx, p, request{Kind: kindSchedule, Subject: strconv.Itoa(wants), By: "konbit"})
	}
	return nil
}

// endedTx ends a plan that is over at Stripe. One whose last payment is on its way here is finished by that.
func (k Keeper) endedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s Standing, now time.Time) error {
	if s.Bill != nil && s.Bill.Status == "paid" {
		settled, err := SettledBills(ctx, tx, p.EntityID, []string{s.Bill.ID})
		if err != nil || !settled[s.Bill.ID] {
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
		return k.tellTx(ctx, tx, p, eventFailed, "", Detail{Code: code})
	}
	p.Status = Cancelled
	return k.tellTx(ctx, tx, p, eventCancelled, "stripe", Detail{})
}
