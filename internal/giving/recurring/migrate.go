package recurring

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/billing"
	"konbit/internal/giving/instalment"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/plancall"
)

// Each plan begun on the public form has a customer of its own at Stripe, because an email address typed there proves
// nothing, and Stripe keeps a card for one customer only. When a donor gives a new card by the link in an email, their
// other plans are migrated to that card's customer:
//
//  1. the old subscription is detached: ended, with its unpaid invoice taken over
//  2. a new subscription is started with the new card; its first charge is on the next date of the old one
//  3. the plan is updated, and the outstanding invoice is charged
//
// Each step reads what exists at Stripe, marked with the request's id, so that an interrupted migration continues where
// it was. While it runs, no other request of the plan is executed, and an ended subscription does not end the plan.

// applyMigrationTx gives the plan its new subscription, records the outstanding invoices and requests their charge. The
// schedule is created again after the first payment, as after a change of dates.
func (ps Plans) applyMigrationTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r plan.Request, m *plancall.Migration) error {
	if p.Status.IsEnded() { // during the migration
		return ps.endOtherSubscriptionTx(ctx, tx, p, m.Started.Subscription)
	}
	p.CustomerID, p.SubscriptionID, p.AnchorDay = &r.Detail.Customer, &m.Started.Subscription, m.Detached.AnchorDay
	p.ForgetSchedule()
	if p.Status == plan.Active {
		p.NextAt = &m.Next
	}
	if unpaid := m.Detached.Outstanding; unpaid != nil {
		if err := takeOverTx(ctx, tx, p, unpaid.ID, unpaid.CreatedAt); err != nil {
			return err
		}
	}
	for _, at := range m.MissedDates {
		if err := takeOverTx(ctx, tx, p, fmt.Sprintf("konbit_%s_%d", p.ID, at.Unix()), at); err != nil {
			return err
		}
	}
	if _, err := ps.recordEventTx(ctx, tx, p, plan.EventMigrated, m.Started.Subscription, plan.Detail{Customer: r.Detail.Customer}); err != nil {
		return err
	}
	c := m.Started.PaymentMethod
	if c == nil {
		c = &billing.PaymentMethod{ID: r.Detail.Method}
	}
	if err := ps.paymentMethodUpdatedTx(ctx, tx, p, r, c); err != nil {
		return err
	}
	return ps.scheduleSyncTx(ctx, tx, p)
}

func takeOverTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, invoice string, at time.Time) error {
	return instalment.TakeOverTx(ctx, tx, instalment.Invoice{EntityID: p.EntityID, InvoiceID: invoice, PlanID: p.ID, CreatedAt: at})
}
