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

// Seen is news that a plan's subscription exists.
type SubscriptionSeen struct {
	EntityID       uuid.UUID
	PlanID         uuid.UUID
	SubscriptionID string // empty: not known yet
	CustomerID     string
	Migrated       bool // it was begun by a move
}

// bill is an instalment's row.
type invoice struct {
	EntityID      uuid.UUID  `db:"entity_id"`
	InvoiceID     string     `db:"invoice_id"`
	PlanID        uuid.UUID  `db:"plan_id"`
	First         bool       `db:"first"`
	CreatedAt     time.Time  `db:"created_at"`
	N             *int       `db:"n"`
	DonationID    *uuid.UUID `db:"donation_id"`
	Refused       bool       `db:"refused"`
	CollectedHere bool       `db:"ours"` // charged from here, no more by Stripe
}

// SeeTx notes subscriptions of plans and has them looked at. Events come in any order and name the same subscription, or one that
// the plan was moved away from. One that a move began and no plan has in the end, because the plan ended meanwhile or the call
// was made twice, is ended. Any other is left to whoever reads the task it makes when it charges.
func (ps Plans) RecordSubscriptionsTx(ctx context.Context, tx *sqlx.Tx, seen []SubscriptionSeen) error {
	ids := make([]uuid.UUID, len(seen))
	for i, s := range seen {
		ids[i] = s.PlanID
	}
	plans, err := lockPlansTx(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, s := range seen {
		p := plans[s.PlanID]
		if p == nil || p.EntityID != s.EntityID {
			continue // no plan of ours
		}
		if err := ps.recordSubscriptionTx(ctx, tx, p, s); err != nil {
			return err
		}
	}
	return nil
}

func (ps Plans) recordSubscriptionTx(ctx context.Context, tx *sqlx.Tx, p *Plan, s SubscriptionSeen) error {
	if p.SubscriptionID == nil && s.SubscriptionID != "" {
		p.SubscriptionID = &s.SubscriptionID
		if p.Total != nil {
			if err := ps.requestTx(ctx, tx, p, request{Kind: kindSchedule, RequestedBy: "konbit"}); err != nil {
				return err
			}
		}
	}
	if p.CustomerID == nil && s.CustomerID != "" {
		p.CustomerID = &s.CustomerID
	}
	if s.Migrated && s.SubscriptionID != *p.SubscriptionID {
		if err := ps.endOtherSubscriptionTx(ctx, tx, p, s.SubscriptionID); err != nil {
			return err
		}
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

// leaveTx has a subscription ended, unless it is the plan's own when it comes to that.
func (ps Plans) endOtherSubscriptionTx(ctx context.Context, tx *sqlx.Tx, p *Plan, subscription string) error {
	return ps.requestTx(ctx, tx, p, request{Kind: kindEnd, Subject: subscription, Detail: Detail{Subscription: subscription}, RequestedBy: "konbit"})
}

// lookSoonTx has a plan's subscription read.
func (ps Plans) scheduleSyncTx(ctx context.Context, tx *sqlx.Tx, p *Plan) error {
	waiting := p.SyncDue != nil
	now := ps.Now()
	p.SyncDue = &now
	if err := savePlanTx(ctx, tx, p); err != nil || waiting {
		return err
	}
	return ps.Queue.EnqueueTx(ctx, tx, SyncJob{p.ID})
}

// NoteTx notes bills of plans, and with them their subscriptions. A bill whose plan is not ours is not noted.
func (ps Plans) RecordInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, invoices []donation.Invoice) error {
	const query = `/* recurring.RecordInvoicesTx */
		INSERT INTO instalment (entity_id, invoice_id, plan_id, first, created_at)
		SELECT $1, $2, id, $4, $5 FROM plan WHERE id = $3 AND entity_id = $1 ON CONFLICT (entity_id, invoice_id) DO NOTHING`
	invoices = slices.Clone(invoices)
	slices.SortFunc(invoices, func(a, b donation.Invoice) int {
		return strings.Compare(a.PlanID.String()+a.ID, b.PlanID.String()+b.ID)
	})
	var seen []SubscriptionSeen
	for _, in := range invoices {
		if in.PlanID != uuid.Nil {
			seen = append(seen, SubscriptionSeen{EntityID: entity, PlanID: in.PlanID, SubscriptionID: in.SubscriptionID, CustomerID: in.CustomerID})
		}
	}
	if err := ps.RecordSubscriptionsTx(ctx, tx, seen); err != nil {
		return err
	}
	for _, in := range invoices {
		if in.PlanID == uuid.Nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, query, entity, in.ID, in.PlanID, in.First, in.CreatedAt); err != nil {
			return err
		}
	}
	return nil
}

// SettledBills tells of which bills the money has come.
func SettledInvoices(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) (map[string]bool, error) {
	bills, err := invoicesByID(ctx, q, entity, invoices)
	settled := map[string]bool{}
	for _, b := range bills {
		settled[b.InvoiceID] = b.N != nil || b.Refused
	}
	return settled, err
}

// UnknownInvoicesTx answers those of an entity's bills that no plan has.
func (ps Plans) UnknownInvoicesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, bills []string) ([]string, error) {
	known, err := invoicesByID(ctx, tx, entity, bills)
	return slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(bills))), func(id string) bool {
		return slices.ContainsFunc(known, func(b invoice) bool { return b.InvoiceID == id })
	}), err
}

// RefundsChargeTx tells whether a charge's refund was asked for because its plan has no room for it.
func (ps Plans) RefundsChargeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charge string) (asked bool, err error) {
	const query = `/* recurring.RefundsChargeTx */
		SELECT EXISTS (SELECT 1 FROM plan_request r JOIN plan p ON p.id = r.plan_id WHERE p.entity_id = $1 AND r.kind = 'refund' AND r.subject = $2)`
	err = tx.GetContext(ctx, &asked, query, entity, charge)
	return asked, err
}

func invoicesByID(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoices []string) ([]invoice, error) {
	const query = `/* recurring.invoicesByID */
		SELECT entity_id, invoice_id, plan_id, first, created_at, n, donation_id, refused, ours FROM instalment
		 WHERE entity_id = $1 AND invoice_id = ANY($2)`
	var bills []invoice
	err := sqlx.SelectContext(ctx, q, &bills, query, entity, pq.Array(invoices))
	return bills, err
}

// Instalment is a payment of a plan that has come.
type Instalment struct {
	PlanID     uuid.UUID `db:"plan_id"`
	N          int       `db:"n"`
	DonationID uuid.UUID `db:"donation_id"`
}

// InstalmentsOf lists the payments of plans that have come, each plan's in order.
func InstalmentsOf(ctx context.Context, q sqlx.QueryerContext, plans []uuid.UUID) ([]Instalment, error) {
	const query = `/* recurring.InstalmentsOf */
		SELECT plan_id, n, donation_id FROM instalment WHERE plan_id = ANY($1::uuid[]) AND n IS NOT NULL ORDER BY plan_id, n`
	var all []Instalment
	err := sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(plans))
	return all, err
}
