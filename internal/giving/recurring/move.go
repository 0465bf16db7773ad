package recurring

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Plans begun on the public form have a customer each, for a typed address proves nothing, and Stripe keeps a card for one customer
// only. When a donor mends one card by the link of a letter, their other plans are moved to that card's customer:
//
//	the old subscription is left: ended, and its unpaid bill taken over
//	a new one is begun, on the mended card, whose first charge is on the next date of the old one
//	the plan is written as it is then, with the charge of what is owed
//
// Each step looks at what is there, marked with the request's id, so that a move cut off anywhere is taken up where it was. While it
// is under way, nothing else is asked of Stripe for the plan, and an ended subscription does not end it.

// soonest is how far ahead a subscription's first charge must be; what is due before is owed.
const soonest = time.Minute

// moved is what came of a move.
type moved struct {
	left  Left
	begun Begun
	next  time.Time
	dates []time.Time // of charges that went by while the plan was moved
}

// move leaves the plan's subscription and begins another.
func (k Keeper) move(ctx context.Context, o Order, p Plan, r request) (*moved, error) {
	left, err := k.Billing.Leave(ctx, o, r.ID.String())
	if err != nil {
		return nil, err
	}
	if left.InFlight {
		return nil, errTooEarly
	}
	p.AnchorDay = left.AnchorDay
	m := &moved{left: left, next: left.PeriodEnd}
	for ; m.next.Before(k.Now().Add(soonest)); m.next = p.step(m.next, 1) {
		if p.PausedUntil == nil || !m.next.Before(*p.PausedUntil) {
			m.dates = append(m.dates, m.next)
		}
	}
	m.begun, err = k.Billing.Begin(ctx, o, Beginning{
		Charging: Charging{Minor: p.AmountMinor, Currency: p.Currency, Every: p.Frequency, Next: &m.next}, Mark: r.ID.String(),
		Customer: r.Detail.Customer, Method: r.Detail.Method, Product: left.Product, Metadata: left.Metadata, AnchorDay: left.AnchorDay,
	})
	if err == nil && p.PausedUntil != nil && p.PausedUntil.After(k.Now()) {
		o.Subscription, o.Key = m.begun.Subscription, o.Key+":pause"
		err = k.Billing.Pause(ctx, o, *p.PausedUntil)
	}
	return m, err
}

// movedTx writes a plan as it is after a move: the same plan, with another subscription. Its schedule is made anew when the first
// payment has come, as after a change of dates.
func (k Keeper) movedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, m *moved) error {
	if p.Status.Over() { // meanwhile
		return k.leaveTx(ctx, tx, p, m.begun.Subscription)
	}
	p.CustomerID, p.SubscriptionID, p.AnchorDay = &r.Detail.Customer, &m.begun.Subscription, m.left.AnchorDay
	p.ScheduleID, p.PhaseStart, p.Iterations = nil, nil, 0
	if p.Status == Active {
		p.NextAt = &m.next
	}
	if owed := m.left.Owed; owed != nil {
		if err := oweTx(ctx, tx, p, owed.ID, owed.CreatedAt); err != nil {
			return err
		}
	}
	for _, at := range m.dates {
		if err := oweTx(ctx, tx, p, fmt.Sprintf("konbit_%s_%d", p.ID, at.Unix()), at); err != nil {
			return err
		}
	}
	if _, err := k.eventTx(ctx, tx, p, eventMoved, m.begun.Subscription, Detail{Customer: r.Detail.Customer}); err != nil {
		return err
	}
	c := m.begun.Card
	if c == nil {
		c = &Card{Method: r.Detail.Method}
	}
	if err := k.mendedTx(ctx, tx, p, r, c); err != nil {
		return err
	}
	return k.lookSoonTx(ctx, tx, p)
}

// oweTx notes a bill that is charged from here, unless it was paid.
func oweTx(ctx context.Context, tx *sqlx.Tx, p *Plan, bill string, at time.Time) error {
	const query = `/* recurring.oweTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at, ours) VALUES ($1, $2, $3, false, $4, true)
		ON CONFLICT (entity_id, invoice_id) DO UPDATE SET ours = true WHERE instalment.n IS NULL AND NOT instalment.refused`
	_, err := tx.ExecContext(ctx, query, p.EntityID, bill, p.ID, at)
	return err
}

// owedTx lists the bills of a plan that are charged from here and were not paid, the oldest first.
func owedTx(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]bill, error) {
	const query = `/* recurring.owedTx */
		SELECT entity_id, invoice_id, plan_id, first, created_at, n, donation_id, refused, ours FROM instalment
		 WHERE plan_id = $1 AND ours AND n IS NULL AND NOT refused ORDER BY created_at, invoice_id`
	var bills []bill
	err := sqlx.SelectContext(ctx, q, &bills, query, plan)
	return bills, err
}

// collectTx asks for the charge of all that is owed, by the terms that stood when it fell due, and answers which bills that is.
func (k Keeper) collectTx(ctx context.Context, tx *sqlx.Tx, p *Plan, method, by string) ([]string, error) {
	bills, err := owedTx(ctx, tx, p.ID)
	if err != nil || len(bills) == 0 {
		return nil, err
	}
	all, err := termsOf(ctx, tx, p.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(bills))
	for i, b := range bills {
		ids[i] = b.InvoiceID
		pay := request{Kind: kindPay, Subject: b.InvoiceID + " " + method, By: by, Detail: Detail{
			Invoice: b.InvoiceID, Customer: *p.CustomerID, Method: method, Amount: stood(all, b.CreatedAt).Amount,
		}}
		if err := k.askTx(ctx, tx, p, pay); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// collect charges for one bill that is still owed.
func (k Keeper) collect(ctx context.Context, o Order, p Plan, r request) (paid bool, code string, err error) {
	owed, err := owedTx(ctx, k.DB, p.ID)
	if err != nil {
		return false, "", err
	}
	still := false
	for _, b := range owed {
		still = still || b.InvoiceID == r.Detail.Invoice
	}
	if !still || p.Status.Over() {
		return true, "", nil
	}
	return k.Billing.Collect(ctx, o, Collection{
		Customer: *p.CustomerID, Plan: p.ID.String(), Bill: r.Detail.Invoice, Minor: r.Detail.Amount, Currency: p.Currency,
	})
}

// owingTx tells the donor, once for each card, that what is owed could not be charged. Nobody tries it again until there is another.
func (k Keeper) owingTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, code string) error {
	if p.Status.Over() {
		return nil
	}
	if p.FailingSince == nil {
		now := k.Now()
		p.FailingSince = &now
	}
	p.FailingCode, p.FailingInvoice = &code, &r.Detail.Invoice
	return k.tellTx(ctx, tx, p, eventFailing, r.Subject, Detail{Code: code, Invoice: r.Detail.Invoice, Final: true})
}

// waits tells whether a request has to wait for one that was asked before it: all but refunds wait for a move, and a move for
// whatever changes what is charged.
func (k Keeper) waits(ctx context.Context, r request) (bool, error) {
	const query = `/* recurring.waits */
		SELECT EXISTS (SELECT 1 FROM plan_request q WHERE q.plan_id = $1 AND q.carried_at IS NULL AND q.refused IS NULL AND (q.asked_at, q.id) < ($2, $3)
		   AND ($4 <> 'refund' AND q.kind = 'move' OR $4 = 'move' AND q.kind NOT IN ('schedule', 'refund', 'rest')))`
	var waits bool
	err := sqlx.GetContext(ctx, k.DB, &waits, query, r.PlanID, r.AskedAt, r.ID, r.Kind)
	return waits, err
}

// movingTx tells whether a plan is being moved.
func movingTx(ctx context.Context, tx *sqlx.Tx, plan uuid.UUID) (moving bool, err error) {
	const query = `/* recurring.movingTx */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind = 'move' AND carried_at IS NULL AND refused IS NULL)`
	err = tx.GetContext(ctx, &moving, query, plan)
	return moving, err
}

// lookSoon is lookSoonTx in a transaction of its own.
func (k Keeper) lookSoon(ctx context.Context, id uuid.UUID) error {
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		p, err := lockOneTx(ctx, tx, id)
		if err != nil {
			return err
		}
		return k.lookSoonTx(ctx, tx, p)
	})
}
