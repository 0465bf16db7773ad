package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// Concerned names the plans that a transaction is going to change: by their ids, and by bills of theirs that are noted.
type LockSet struct {
	plans    []uuid.UUID
	entities []uuid.UUID // of bills
	invoices []string
}

// Plan adds a plan; none: the zero id.
func (c *LockSet) AddPlan(id uuid.UUID) {
	if id != uuid.Nil {
		c.plans = append(c.plans, id)
	}
}

// Bill adds the plan of an entity's bill.
func (c *LockSet) AddInvoice(entity uuid.UUID, invoice string) {
	c.entities, c.invoices = append(c.entities, entity), append(c.invoices, invoice)
}

// LockTx locks plans at once, in the order of their ids. A transaction that changes plans in several steps calls it before the first:
// locked step by step, they would meet those of another worker's in another order, and the database would end one of the two, or a
// third that waits in line behind them.
func (ps Plans) LockTx(ctx context.Context, tx *sqlx.Tx, c LockSet) error {
	const query = `/* recurring.LockTx */
		SELECT id FROM plan WHERE id IN (
		       SELECT unnest($1::uuid[])
		        UNION SELECT i.plan_id FROM unnest($2::uuid[], $3::text[]) AS b (entity_id, invoice_id)
		                JOIN instalment i ON i.entity_id = b.entity_id AND i.invoice_id = b.invoice_id)
		 ORDER BY id FOR UPDATE`
	if len(c.plans)+len(c.invoices) == 0 {
		return nil
	}
	var locked []uuid.UUID
	return tx.SelectContext(ctx, &locked, query, pg.UUIDs(c.plans), pg.UUIDs(c.entities), pq.Array(c.invoices))
}
