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
const minLeadTime = time.Minute

// moved is what came of a move.
type planMigration struct {
	detached    DetachedSubscription
	started     StartedSubscription
	next        time.Time
	missedDates []time.Time // of charges that went by while the plan was moved
}

// move leaves the plan's subscription and begins another.
func (ps Plans) migrate(ctx context.Context, o Target, p Plan, r request) (*planMigration, error) {
	left, err := ps.Billing.Detach(ctx, o, r.ID.String())
	if err != nil {
		return nil, err
	}
	if left.InFlight {
		return nil, errNotReady
	}
	p.AnchorDay = left.AnchorDay
	m := &planMigration{detached: left, next: left.PeriodEnd}
	for ; m.next.Before(ps.Now().Add(minLeadTime)); m.next = p.dateAfter(m.next, 1) {
		if p.PausedUntil == nil || !m.next.Before(*p.PausedUntil) {
			m.missedDates = append(m.missedDates, m.next)
		}
	}
	m.started, err = ps.Billing.StartSubscription(ctx, o, NewSubscription{
		ChargeTerms: ChargeTerms{AmountMinor: p.AmountMinor, Currency: p.Currency, Frequency: p.Frequency, Next: &m.next}, Mark: r.ID.String(),
		Customer: r.Detail.Customer, PaymentMethod: r.Detail.Method, Product: left.Product, Metadata: left.Metadata, AnchorDay: left.AnchorDay,
	})
	if err == nil && p.PausedUntil != nil && p.PausedUntil.After(ps.Now()) {
		o.Subscription, o.Key = m.started.Subscription, o.Key+":pause"
		err = ps.Billing.Pause(ctx, o, *p.PausedUntil)
	}
	return m, err
}

// movedTx writes a plan as it is after a move: the same plan, with another subscription. Its schedule is made anew when the first
// payment has come, as after a change of dates.
func (ps Plans) applyMigrationTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, m *planMigration) error {
	if p.Status.IsEnded() { // meanwhile
		return ps.endOtherSubscriptionTx(ctx, tx, p, m.started.Subscription)
	}
	p.CustomerID, p.SubscriptionID, p.AnchorDay = &r.Detail.Customer, &m.started.Subscription, m.detached.AnchorDay
	p.ScheduleID, p.PhaseStart, p.Iterations = nil, nil, 0
	if p.Status == Active {
		p.NextAt = &m.next
	}
	if owed := m.detached.Outstanding; owed != nil {
		if err := takeOverInvoiceTx(ctx, tx, p, owed.ID, owed.CreatedAt); err != nil {
			return err
		}
	}
	for _, at := range m.missedDates {
		if err := takeOverInvoiceTx(ctx, tx, p, fmt.Sprintf("konbit_%s_%d", p.ID, at.Unix()), at); err != nil {
			return err
		}
	}
	if _, err := ps.recordEventTx(ctx, tx, p, eventMigrated, m.started.Subscription, Detail{Customer: r.Detail.Customer}); err != nil {
		return err
	}
	c := m.started.PaymentMethod
	if c == nil {
		c = &PaymentMethod{ID: r.Detail.Method}
	}
	if err := ps.paymentMethodUpdatedTx(ctx, tx, p, r, c); err != nil {
		return err
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// oweTx notes a bill that is charged from here, unless it was paid.
func takeOverInvoiceTx(ctx context.Context, tx *sqlx.Tx, p *Plan, bill string, at time.Time) error {
	const query = `/* recurring.takeOverInvoiceTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at, ours) VALUES ($1, $2, $3, false, $4, true)
		ON CONFLICT (entity_id, invoice_id) DO UPDATE SET ours = true WHERE instalment.n IS NULL AND NOT instalment.refused`
	_, err := tx.ExecContext(ctx, query, p.EntityID, bill, p.ID, at)
	return err
}

// owedTx lists the bills of a plan that are charged from here and were not paid, the oldest first.
func outstandingInvoices(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]invoice, error) {
	const query = `/* recurring.outstandingInvoices */
		SELECT entity_id, invoice_id, plan_id, first, created_at, n, donation_id, refused, ours FROM instalment
		 WHERE plan_id = $1 AND ours AND n IS NULL AND NOT refused ORDER BY created_at, invoice_id`
	var bills []invoice
	err := sqlx.SelectContext(ctx, q, &bills, query, plan)
	return bills, err
}

// collectTx asks for the charge of all that is owed, by the terms that stood when it fell due, and answers which bills that is.
func (ps Plans) requestCollectionTx(ctx context.Context, tx *sqlx.Tx, p *Plan, method, by string) ([]string, error) {
	bills, err := outstandingInvoices(ctx, tx, p.ID)
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
		pay := request{Kind: kindRetryPayment, Subject: b.InvoiceID + " " + method, RequestedBy: by, Detail: Detail{
			Invoice: b.InvoiceID, Customer: *p.CustomerID, Method: method, Amount: termsAt(all, b.CreatedAt).Amount,
		}}
		if err := ps.requestTx(ctx, tx, p, pay); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// collect charges for one bill that is still owed.
func (ps Plans) collectOutstanding(ctx context.Context, o Target, p Plan, r request) (paid bool, code string, err error) {
	owed, err := outstandingInvoices(ctx, ps.DB, p.ID)
	if err != nil {
		return false, "", err
	}
	still := false
	for _, b := range owed {
		still = still || b.InvoiceID == r.Detail.Invoice
	}
	if !still || p.Status.IsEnded() {
		return true, "", nil
	}
	return ps.Billing.Collect(ctx, o, Collection{
		Customer: *p.CustomerID, PlanID: p.ID.String(), Invoice: r.Detail.Invoice, AmountMinor: r.Detail.Amount, Currency: p.Currency,
	})
}

// owingTx tells the donor, once for each card, that what is owed could not be charged. Nobody tries it again until there is another.
func (ps Plans) collectionFailedTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request, code string) error {
	if p.Status.IsEnded() {
		return nil
	}
	if p.FailingSince == nil {
		now := ps.Now()
		p.FailingSince = &now
	}
	p.FailingCode, p.FailingInvoice = &code, &r.Detail.Invoice
	return ps.notifyTx(ctx, tx, p, eventPaymentFailed, r.Subject, Detail{Code: code, Invoice: r.Detail.Invoice, Final: true})
}

// waits tells whether a request has to wait for one that was asked before it: all but refunds wait for a move, and a move for
// whatever changes what is charged.
func (ps Plans) mustWait(ctx context.Context, r request) (bool, error) {
	const query = `/* recurring.mustWait */
		SELECT EXISTS (SELECT 1 FROM plan_request q WHERE q.plan_id = $1 AND q.carried_at IS NULL AND q.refused IS NULL AND (q.asked_at, q.id) < ($2, $3)
		   AND ($4 <> 'refund' AND q.kind = 'move' OR $4 = 'move' AND q.kind NOT IN ('schedule', 'refund', 'rest')))`
	var waits bool
	err := sqlx.GetContext(ctx, ps.DB, &waits, query, r.PlanID, r.RequestedAt, r.ID, r.Kind)
	return waits, err
}

// movingTx tells whether a plan is being moved.
func isMigratingTx(ctx context.Context, tx *sqlx.Tx, plan uuid.UUID) (moving bool, err error) {
	const query = `/* recurring.isMigratingTx */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind = 'move' AND carried_at IS NULL AND refused IS NULL)`
	err = tx.GetContext(ctx, &moving, query, plan)
	return moving, err
}

// lookSoon is lookSoonTx in a transaction of its own.
func (ps Plans) scheduleSync(ctx context.Context, id uuid.UUID) error {
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		p, err := lockPlanTx(ctx, tx, id)
		if err != nil {
			return err
		}
		return ps.scheduleSyncTx(ctx, tx, p)
	})
}
