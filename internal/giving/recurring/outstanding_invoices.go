package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planterms"
)

// Outstanding invoices are invoices of a detached subscription, and charges missed during a migration. Stripe does not
// collect them; Konbit charges them to the new card.

// requestCollectionTx requests the charge of every outstanding invoice to a card, by the terms that were in force on
// its date. It returns the invoices' ids.
func (ps Plans) requestCollectionTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, method, by string) ([]string, error) {
	unpaid, err := instalment.Outstanding(ctx, tx, p.ID)
	if err != nil || len(unpaid) == 0 {
		return nil, err
	}
	versions, err := planterms.Of(ctx, tx, p.ID)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(unpaid))
	for i, in := range unpaid {
		ids[i] = in.InvoiceID
		collect := plan.Request{Kind: plan.KindRetryPayment, Subject: in.InvoiceID + " " + method, RequestedBy: by, Detail: plan.Detail{
			Invoice: in.InvoiceID, Customer: *p.CustomerID, Method: method, Amount: planterms.At(versions, in.CreatedAt).Amount,
		}}
		if err := ps.requestTx(ctx, tx, p, collect); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// collectionFailedTx notifies the donor, once for each card, that an outstanding invoice could not be charged. It is
// not retried until there is another card.
func (ps Plans) collectionFailedTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request, code string) error {
	if p.Status.IsEnded() {
		return nil
	}
	p.PaymentFailed(r.Detail.Invoice, code, ps.Now())
	return ps.notifyTx(ctx, tx, p, plan.EventPaymentFailed, r.Subject, plan.Detail{Code: code, Invoice: r.Detail.Invoice, Final: true})
}
