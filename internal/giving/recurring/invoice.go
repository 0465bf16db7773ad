package recurring

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/instalment"
)

// RecordInvoicesTx inserts invoices of plans and records their subscriptions. It ignores invoices of other plans than
// ours. An invoice without our mark belongs to the plan of its subscription: marks can be removed at Stripe.
func (ps Plans) RecordInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, invoices []donation.Invoice) error {
	if len(invoices) == 0 {
		return nil
	}
	invoices = slices.Clone(invoices)
	slices.SortFunc(invoices, func(a, b donation.Invoice) int { return strings.Compare(a.ID, b.ID) })
	seen, ids := make([]SubscriptionSeen, len(invoices)), make([]uuid.UUID, len(invoices))
	for i, in := range invoices {
		seen[i] = SubscriptionSeen{EntityID: entity, PlanID: in.PlanID, SubscriptionID: in.SubscriptionID, CustomerID: in.CustomerID}
	}
	if err := ps.RecordSubscriptionsTx(ctx, tx, seen); err != nil {
		return err
	}
	for i, s := range seen {
		ids[i] = s.PlanID
	}
	plans, err := lockPlansTx(ctx, tx, ids)
	if err != nil {
		return err
	}
	for i, in := range invoices {
		p := plans[ids[i]]
		if p == nil || p.EntityID != entity {
			continue
		}
		row := instalment.Invoice{EntityID: entity, InvoiceID: in.ID, PlanID: p.ID, First: in.First, CreatedAt: in.CreatedAt}
		if err := instalment.RecordTx(ctx, tx, row); err != nil {
			return err
		}
	}
	return nil
}

// UnknownInvoicesTx implements donation.ChargeMatcher.
func (ps Plans) UnknownInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, invoices []string) ([]string, error) {
	return instalment.Unknown(ctx, tx, entity, invoices)
}

// IsRenewal reports whether a payment attempt for an invoice is a later payment of a plan, so that no donor waits on a
// payment page. For an invoice that is not recorded yet, it is if the customer has a plan whose first payment was made.
// It returns false if invoice is empty.
func IsRenewal(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoice, customer string) (renewal bool, err error) {
	const query = `/* recurring.IsRenewal */
		SELECT EXISTS (SELECT 1 FROM plan WHERE entity_id = $1 AND customer_id = $2 AND begun_at IS NOT NULL)`
	if invoice == "" {
		return false, nil
	}
	known, err := instalment.ByID(ctx, q, entity, []string{invoice})
	if err != nil || len(known) > 0 {
		return err == nil && !known[0].First, err
	}
	err = sqlx.GetContext(ctx, q, &renewal, query, entity, customer)
	return renewal, err
}
