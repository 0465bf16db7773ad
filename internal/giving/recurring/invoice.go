package recurring

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
)

// invoice is a row of table instalment: an invoice of a plan, and the payment that settled it.
type invoice struct {
	EntityID      uuid.UUID  `db:"entity_id"`
	InvoiceID     string     `db:"invoice_id"`
	PlanID        uuid.UUID  `db:"plan_id"`
	First         bool       `db:"first"` // the subscription's first invoice
	CreatedAt     time.Time  `db:"created_at"`
	N             *int       `db:"n"`           // number of the payment; nil: not paid yet
	DonationID    *uuid.UUID `db:"donation_id"` // nil: not paid yet
	Refused       bool       `db:"refused"`     // paid beyond the plan, and refunded
	CollectedHere bool       `db:"ours"`        // an outstanding invoice, which Stripe does not collect
}

const invoiceColumns = `entity_id, invoice_id, plan_id, first, created_at, n, donation_id, refused, ours`

// RecordInvoicesTx inserts invoices of plans and records their subscriptions. It ignores invoices of other plans than
// ours.
func (ps Plans) RecordInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, invoices []donation.Invoice) error {
	const query = `/* recurring.RecordInvoicesTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at)
		SELECT $1, $2, id, $4, $5 FROM plan WHERE id = $3 AND entity_id = $1 ON CONFLICT (entity_id, invoice_id) DO NOTHING`
	ofPlans := slices.DeleteFunc(slices.Clone(invoices), func(in donation.Invoice) bool { return in.PlanID == uuid.Nil })
	slices.SortFunc(ofPlans, func(a, b donation.Invoice) int {
		return strings.Compare(a.PlanID.String()+a.ID, b.PlanID.String()+b.ID)
	})
	seen := make([]SubscriptionSeen, len(ofPlans))
	for i, in := range ofPlans {
		seen[i] = SubscriptionSeen{EntityID: entity, PlanID: in.PlanID, SubscriptionID: in.SubscriptionID, CustomerID: in.CustomerID}
	}
	if err := ps.RecordSubscriptionsTx(ctx, tx, seen); err != nil {
		return err
	}
	for _, in := range ofPlans {
		if _, err := tx.ExecContext(ctx, query, entity, in.ID, in.PlanID, in.First, in.CreatedAt); err != nil {
			return err
		}
	}
	return nil
}

// SettledInvoices reports for each recorded invoice whether its payment was counted or refunded.
func SettledInvoices(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) (map[string]bool, error) {
	rows, err := invoicesByID(ctx, q, entity, invoices)
	settled := map[string]bool{}
	for _, in := range rows {
		settled[in.InvoiceID] = in.N != nil || in.Refused
	}
	return settled, err
}

// UnknownInvoicesTx returns which of an entity's invoices are not recorded.
func (ps Plans) UnknownInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, invoices []string) ([]string, error) {
	known, err := invoicesByID(ctx, tx, entity, invoices)
	return slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(invoices))), func(id string) bool {
		return slices.ContainsFunc(known, func(in invoice) bool { return in.InvoiceID == id })
	}), err
}

func invoicesByID(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) ([]invoice, error) {
	const query = `/* recurring.invoicesByID */
		SELECT ` + invoiceColumns + ` FROM instalment WHERE entity_id = $1 AND invoice_id = ANY($2)`
	var rows []invoice
	err := sqlx.SelectContext(ctx, q, &rows, query, entity, pq.Array(invoices))
	return rows, err
}

// saveInvoiceTx updates the payment of an invoice.
func saveInvoiceTx(ctx context.Context, tx *sqlx.Tx, in *invoice) error {
	const query = `/* recurring.saveInvoiceTx */ UPDATE instalment SET n = $3, donation_id = $4, refused = $5 WHERE entity_id = $1 AND invoice_id = $2`
	_, err := tx.ExecContext(ctx, query, in.EntityID, in.InvoiceID, in.N, in.DonationID, in.Refused)
	return err
}

// Instalment is a counted payment of a plan.
type Instalment struct {
	PlanID     uuid.UUID `db:"plan_id"`
	N          int       `db:"n"`
	DonationID uuid.UUID `db:"donation_id"`
}

// InstalmentsOf returns the counted payments of plans, each plan's in order.
func InstalmentsOf(ctx context.Context, q sqlx.QueryerContext, plans []uuid.UUID) ([]Instalment, error) {
	const query = `/* recurring.InstalmentsOf */
		SELECT plan_id, n, donation_id FROM instalment WHERE plan_id = ANY($1::uuid[]) AND n IS NOT NULL ORDER BY plan_id, n`
	var all []Instalment
	err := sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(plans))
	return all, err
}
