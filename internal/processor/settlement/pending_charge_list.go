package settlement

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/books/task"
)

// PendingCharge is a charge in suspense whose end is not known.
type PendingCharge struct {
	ChargeID      string `db:"charge_id"`
	TransactionID string `db:"transaction_id"`
	InvoiceID     string `db:"invoice_id"` // the invoice it waits for; empty for a bank debit
	Overdue       bool   `db:"overdue"`    // it has waited for longer than the limit of the query
}

// PendingCharges lists an entity's charges in suspense that Stripe should be asked about again, at most 500 in random
// order:
//
//	charge that waits for its invoice   younger than a day; with old, of any age
//	bank debit                          only with old, if it is older than a day
//
// Overdue says which have waited for longer than limit.
func PendingCharges(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, old bool, limit time.Duration) (pending []PendingCharge, err error) {
	const query = `/* settlement.PendingCharges */
		SELECT charge_id, transaction_id, coalesce(bill, '') AS invoice_id, at < now() - make_interval(secs => $3) AS overdue FROM pending_charge
		 WHERE entity_id = $1 AND cleared_at IS NULL AND (bill IS NOT NULL AND at > now() - interval '1 day' OR $2 AND at < now() - interval '1 day')
		 ORDER BY random() LIMIT 500`
	err = sqlx.SelectContext(ctx, q, &pending, query, entity, old, limit.Seconds())
	return pending, err
}

// WithoutInvoice is the charges of an entity that wait for their invoices.
type WithoutInvoice struct {
	EntityID uuid.UUID `db:"entity_id"`
	Since    time.Time `db:"since"` // of the oldest
	Count    int       `db:"count"`
}

// ChargesWithoutInvoice counts the charges that have waited for their invoice for longer than limit, by entity.
func ChargesWithoutInvoice(ctx context.Context, q sqlx.QueryerContext, limit time.Duration) (waiting []WithoutInvoice, err error) {
	const query = `/* settlement.ChargesWithoutInvoice */
		SELECT entity_id, min(at) AS since, count(*) AS count FROM pending_charge
		 WHERE bill IS NOT NULL AND cleared_at IS NULL AND at < now() - make_interval(secs => $1) GROUP BY entity_id`
	err = sqlx.SelectContext(ctx, q, &waiting, query, limit.Seconds())
	return waiting, err
}

// InvoicesToReadTx lists the invoices of the listed charges that are not known, except those of charges that are
// booked.
func (b Booker) InvoicesToReadTx(ctx context.Context, tx *sqlx.Tx, entity org.LegalEntity, listed []Transaction) (invoices []string, err error) {
	ids, charges := make([]string, len(listed)), make([]string, len(listed))
	for i, t := range listed {
		ids[i], charges[i] = t.ID, t.SourceID
	}
	s := &bookingRun{Booker: b, entity: entity}
	open, err := s.pendingAmountsTx(ctx, tx, charges)
	if err != nil {
		return nil, err
	}
	booked, err := BookedTx(ctx, tx, entity.ID, ids)
	if err != nil {
		return nil, err
	}
	for _, t := range listed {
		_, pending := open[t.SourceID]
		if c := t.Charge; c != nil && c.DonationID == uuid.Nil && c.Invoice != nil && !c.Invoice.Known && (pending || !booked[t.ID]) {
			invoices = append(invoices, c.Invoice.ID)
		}
	}
	if len(invoices) == 0 {
		return nil, nil
	}
	return b.Settler.Plans.UnknownInvoicesTx(ctx, tx, entity.ID, invoices)
}

// OpenInvoiceTaskTx opens the task about a charge that still waits for its invoice; reason is why the invoice could not
// be read, nil if Stripe has not named it. It does nothing if the charge is booked by now.
func (b Booker) OpenInvoiceTaskTx(ctx context.Context, tx *sqlx.Tx, entity org.LegalEntity, p PendingCharge, reason error) error {
	s := &bookingRun{Booker: b, entity: entity}
	open, err := s.pendingAmountsTx(ctx, tx, []string{p.ChargeID})
	amount, waits := open[p.ChargeID]
	if err != nil || !waits {
		return err
	}
	text := "Stripe does not report the invoice"
	if reason != nil {
		text = reason.Error()
	}
	return task.OpenTx(ctx, tx, task.Task{EntityID: entity.ID, Kind: taskWithoutInvoice, Subject: p.ChargeID, Detail: map[string]string{
		"bill": p.InvoiceID, "net": fmt.Sprint(amount), "currency": string(entity.Currency), "reason": text,
	}}, b.NewID, b.Now())
}
