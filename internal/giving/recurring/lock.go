package recurring

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/pg"
)

// LockSet lists the plans that a transaction is going to change: by their ids, by their recorded invoices, by their
// subscriptions and customers at Stripe, and by the new cards that charge them.
type LockSet struct {
	plans    []uuid.UUID
	invoices []instalment.Key
	remote   *pg.Columns // entities and ids; nil: none
	methods  []NewPaymentMethod
}

// AddPlan adds a plan; it ignores uuid.Nil.
func (s *LockSet) AddPlan(id uuid.UUID) {
	if id != uuid.Nil {
		s.plans = append(s.plans, id)
	}
}

// AddInvoice adds the plan of an entity's invoice.
func (s *LockSet) AddInvoice(entity uuid.UUID, invoice string) {
	s.invoices = append(s.invoices, instalment.Key{EntityID: entity, InvoiceID: invoice})
}

// AddRemote adds the plans of an entity's subscription or customer at Stripe; it ignores an empty id.
func (s *LockSet) AddRemote(entity uuid.UUID, id string) {
	if s.remote == nil {
		s.remote = pg.NewColumns(2)
	}
	if id != "" {
		s.remote.Add(entity, id)
	}
}

// AddPaymentMethod adds the plans that UsePaymentMethodTx makes requests for: a request locks its plan's row too, because
// it refers to it.
func (s *LockSet) AddPaymentMethod(c NewPaymentMethod) {
	s.AddRemote(c.EntityID, c.CustomerID)
	s.methods = append(s.methods, c)
}

// LockTx locks plans in the order of their ids. A transaction that changes plans in several steps calls it before the
// first step: if each step locked its own plans, two workers could lock the same plans in different orders, and the
// database would end one of them because of the deadlock, or a third transaction that waits for the same rows.
func (ps Plans) LockTx(ctx context.Context, tx *sqlx.Tx, s LockSet) error {
	const query = `/* recurring.LockTx */ SELECT id FROM plan WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	const ofRemote = `/* recurring.LockTx */
		SELECT p.id FROM unnest($1::uuid[], $2::text[]) AS r (entity_id, id)
		  JOIN plan p ON p.entity_id = r.entity_id AND (p.subscription_id = r.id OR p.customer_id = r.id)`
	more, err := instalment.PlansOf(ctx, tx, s.invoices, nil)
	if err != nil {
		return err
	}
	plans := slices.Concat(s.plans, more)
	if s.remote != nil {
		var of []uuid.UUID
		if err := tx.SelectContext(ctx, &of, ofRemote, s.remote.Args()...); err != nil {
			return err
		}
		plans = append(plans, of...)
	}
	for _, c := range s.methods {
		others, err := migratedBy(ctx, tx, c)
		if err != nil {
			return err
		}
		plans = append(plans, plan.IDs(others)...)
	}
	if len(plans) == 0 {
		return nil
	}
	var locked []uuid.UUID
	return tx.SelectContext(ctx, &locked, query, pg.UUIDs(plans))
}
