package recurring

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/plan"
)

// Outstanding invoices are invoices of a detached subscription, and charges missed during a migration. Stripe does not
// collect them; Konbit charges them to the new card.

// takeOverInvoiceTx records an invoice as outstanding, unless it was paid.
func takeOverInvoiceTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, invoiceID string, at time.Time) error {
	const query = `/* recurring.takeOverInvoiceTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at, ours) VALUES ($1, $2, $3, false, $4, true)
		ON CONFLICT (entity_id, invoice_id) DO UPDATE SET ours = true WHERE instalment.n IS NULL AND NOT instalment.refused`
	_, err := tx.ExecContext(ctx, query, p.EntityID, invoiceID, p.ID, at)
	return err
}

// outstandingInvoices returns a plan's outstanding invoices that were not paid, oldest first.
func outstandingInvoices(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]invoice, error) {
	const query = `/* recurring.outstandingInvoices */
		SELECT ` + invoiceColumns + ` FROM instalment
		 WHERE plan_id = $1 AND ours AND n IS NULL AND NOT refused ORDER BY created_at, invoice_id`
	var unpaid []invoice
	err := sqlx.SelectContext(ctx, q, &unpaid, query, plan)
	return unpaid, err
}

// requestCollectionTx requests the charge of every outstanding invoice to a card, by the terms that were in force on
// its date. It returns the invoices' ids.
func (ps Plans) requestCollectionTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, method, by string) ([]string, error) {
	unpaid, err := outstandingInvoices(ctx, tx, p.ID)
	if err != nil || len(unpaid) == 0 {
		return nil, err
	}
	versions, err := termsOf(ctx, tx, p.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(unpaid))
	for i, in := range unpaid {
		ids[i] = in.InvoiceID
		collect := request{Kind: kindRetryPayment, Subject: in.InvoiceID + " " + method, RequestedBy: by, Detail: plan.Detail{
			Invoice: in.InvoiceID, Customer: *p.CustomerID, Method: method, Amount: termsAt(versions, in.CreatedAt).Amount,
		}}
		if err := ps.requestTx(ctx, tx, p, collect); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// collectOutstanding charges one outstanding invoice. It counts as paid if it is no longer outstanding or the plan has
// ended.
func (ps Plans) collectOutstanding(ctx context.Context, t billing.Target, p plan.Plan, r request) (paid bool, code string, err error) {
	unpaid, err := outstandingInvoices(ctx, ps.DB, p.ID)
	if err != nil {
		return false, "", err
	}
	isOutstanding := slices.ContainsFunc(unpaid, func(in invoice) bool { return in.InvoiceID == r.Detail.Invoice })
	if !isOutstanding || p.Status.IsEnded() {
		return true, "", nil
	}
	return ps.Billing.Collect(ctx, t, billing.Collection{
		Customer: *p.CustomerID, PlanID: p.ID.String(), Invoice: r.Detail.Invoice, AmountMinor: r.Detail.Amount, Currency: p.Currency,
	})
}

// collectionFailedTx notifies the donor, once for each card, that an outstanding invoice could not be charged. It is
// not retried until there is another card.
func (ps Plans) collectionFailedTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request, code string) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.PaymentFailed(r.Detail.Invoice, code, ps.Now())
	return ps.notifyTx(ctx, tx, p, eventPaymentFailed, r.Subject, plan.Detail{Code: code, Invoice: r.Detail.Invoice, Final: true})
}
