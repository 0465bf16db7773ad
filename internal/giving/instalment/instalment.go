// Package instalment owns the invoices of plans and the payments that settle them (table instalment):
//
//	recorded ──┬── counted   (payment n of the plan, with its donation)
//	           └── refused   (paid beyond the plan, and refunded)
//
// It counts nothing: package recurring decides what a payment is.
package instalment

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Invoice is a row of table instalment: an invoice of a plan, and the payment that settled it.
type Invoice struct {
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

const columns = `entity_id, invoice_id, plan_id, first, created_at, n, donation_id, refused, ours`

// RecordTx inserts an invoice. A repeat changes nothing.
func RecordTx(ctx context.Context, tx *sqlx.Tx, in Invoice) error {
	const query = `/* instalment.RecordTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (entity_id, invoice_id) DO NOTHING`
	_, err := tx.ExecContext(ctx, query, in.EntityID, in.InvoiceID, in.PlanID, in.First, in.CreatedAt)
	return err
}

// ByID returns those of an entity's invoices that are recorded.
func ByID(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) ([]Invoice, error) {
	const query = `/* instalment.ByID */ SELECT ` + columns + ` FROM instalment WHERE entity_id = $1 AND invoice_id = ANY($2)`
	var rows []Invoice
	err := sqlx.SelectContext(ctx, q, &rows, query, entity, pq.Array(invoices))
	return rows, err
}

// Settled reports for each recorded invoice whether its payment was counted or refunded.
func Settled(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) (map[string]bool, error) {
	rows, err := ByID(ctx, q, entity, invoices)
	settled := map[string]bool{}
	for _, in := range rows {
		settled[in.InvoiceID] = in.N != nil || in.Refused
	}
	return settled, err
}

// Unknown returns which of an entity's invoices are not recorded.
func Unknown(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) ([]string, error) {
	known, err := ByID(ctx, q, entity, invoices)
	return slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(invoices))), func(id string) bool {
		return slices.ContainsFunc(known, func(in Invoice) bool { return in.InvoiceID == id })
	}), err
}

// SaveTx updates the payment of an invoice.
func SaveTx(ctx context.Context, tx *sqlx.Tx, in *Invoice) error {
	const query = `/* instalment.SaveTx */ UPDATE instalment SET n = $3, donation_id = $4, refused = $5 WHERE entity_id = $1 AND invoice_id = $2`
	_, err := tx.ExecContext(ctx, query, in.EntityID, in.InvoiceID, in.N, in.DonationID, in.Refused)
	return err
}

// TakeOverTx records an invoice as outstanding, unless it was paid.
func TakeOverTx(ctx context.Context, tx *sqlx.Tx, in Invoice) error {
	const query = `/* instalment.TakeOverTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at, ours) VALUES ($1, $2, $3, false, $4, true)
		ON CONFLICT (entity_id, invoice_id) DO UPDATE SET ours = true WHERE instalment.n IS NULL AND NOT instalment.refused`
	_, err := tx.ExecContext(ctx, query, in.EntityID, in.InvoiceID, in.PlanID, in.CreatedAt)
	return err
}

// Outstanding returns a plan's outstanding invoices that were not paid, oldest first.
func Outstanding(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]Invoice, error) {
	const query = `/* instalment.Outstanding */
		SELECT ` + columns + ` FROM instalment WHERE plan_id = $1 AND ours AND n IS NULL AND NOT refused ORDER BY created_at, invoice_id`
	var unpaid []Invoice
	err := sqlx.SelectContext(ctx, q, &unpaid, query, plan)
	return unpaid, err
}

// IsOutstanding reports whether an invoice is one of a plan's outstanding invoices.
func IsOutstanding(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID, invoice string) (bool, error) {
	unpaid, err := Outstanding(ctx, q, plan)
	return slices.ContainsFunc(unpaid, func(in Invoice) bool { return in.InvoiceID == invoice }), err
}
