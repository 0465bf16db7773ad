package recurring_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestBatchesLockPlansInOneOrder: batches that refer to two plans in different ways, and syncs of both plans, wait for
// each other and never deadlock.
func TestBatchesLockPlansInOneOrder(t *testing.T) {
	h := program.New(t, program.Options{})
	second := monthly("")
	second.Contact.Email = "ben@example.org"
	plans := []plan.Plan{startPlan(t, h, monthly("")), startPlan(t, h, second)}
	invoiceOf := func(p plan.Plan) string {
		return h.Lines(`SELECT invoice_id FROM instalment WHERE plan_id = $1`, p.ID)[0]
	}
	rollBack := errors.New("roll back")
	var all sync.WaitGroup
	for i, p := range plans {
		other := plans[1-i]
		all.Go(func() {
			for n := range 40 {
				charge := donation.IncomingPayment{EntityID: p.EntityID, Amount: p.Amount(), ReceivedAt: time.Now()}
				fresh, noted := charge, charge
				fresh.ChargeRef, fresh.Invoice = "ch_fresh", &donation.Invoice{
					ID: fmt.Sprintf("in_%d_%d", i, n), Known: true, PlanID: p.ID, SubscriptionID: *p.SubscriptionID, CustomerID: *p.CustomerID, CreatedAt: time.Now(),
				}
				noted.ChargeRef, noted.Invoice = "ch_noted", &donation.Invoice{ID: invoiceOf(other)}
				err := pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
					_, err := h.Plans.MatchChargesTx(t.Context(), tx, h.CurrentCatalog(), []donation.IncomingPayment{fresh, noted})
					return errors.Join(err, rollBack)
				})
				if !assert.ErrorIs(t, err, rollBack) || !assert.Equal(t, rollBack.Error(), err.Error()) {
					return
				}
			}
		})
		all.Go(func() {
			for range 20 {
				h.Exec(`UPDATE plan SET look_due = now() WHERE id = $1`, p.ID)
				if !assert.NoError(t, h.Plans.SyncPlan(t.Context(), p.ID)) {
					return
				}
			}
		})
	}
	all.Wait()
}
