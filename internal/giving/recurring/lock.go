package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// LockSet lists the plans that a transaction is going to change: by their ids, and by their recorded invoices.
type LockSet struct {
	plans    []uuid.UUID
	invoices []entityInvoice
}

type entityInvoice struct {
	entity  uuid.UUID
	invoice string
}

// AddPlan adds a plan; it ignores uuid.Nil.
func (s *LockSet) AddPlan(id uuid.UUID) {
	if id != uuid.Nil {
		s.plans = append(s.plans, id)
	}
}

// AddInvoice adds the plan of an entity's invoice.
func (s *LockSet) AddInvoice(entity uuid.UUID, invoice string) {
	s.invoices = append(s.invoices, entityInvoice{entity, invoice})
}

// LockTx locks plans in the order of their ids. A transaction that changes plans in several steps calls it before the
// first step: if each step locked its own plans, two workers could lock the same plans in different orders, and the
// database would end one of them because of the deadlock, or a third transaction that waits for the same rows.
func (ps Plans) LockTx(ctx context.Context, tx *sqlx.Tx, s LockSet) error {
	const query = `/* recurring.LockTx */
		SELECT id FROM plan WHERE id IN (
		       SELECT unnest($1::uuid[])
		        UNION SELECT i.plan_id FROM unnest($2::uuid[], $3::text[]) AS b (entity_id, invoice_id)
		                JOIN instalment i ON i.entity_id = b.entity_id AND i.invoice_id = b.invoice_id)
		 ORDER BY id FOR UPDATE`
	if len(s.plans)+len(s.invoices) == 0 {
		return nil
	}
	invoices := pg.NewColumns(2)
	for _, i := range s.invoices {
		invoices.Add(i.entity, i.invoice)
	}
	var locked []uuid.UUID
	return tx.SelectContext(ctx, &locked, query, invoices.Args(pg.UUIDs(s.plans))...)
}
