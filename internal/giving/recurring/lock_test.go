package recurring_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/stripefake"
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

// TestNewCardsLockPlansInOneOrder: one batch has the new cards of two customers, the second with the smaller id. The
// batch waits for the first plan before it locks the second; in the order of its events it would be the other way round,
// and another batch could wait for it meanwhile.
func TestNewCardsLockPlansInOneOrder(t *testing.T) {
	for name, open := range map[string]bool{"of their customers": false, "moved to a customer": true} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			first, second := startPlan(t, h, monthly("")), startPlan(t, h, monthly(""))
			if first.ID.String() > second.ID.String() {
				first, second = second, first
			}
			if open { // the page belongs to the second plan's customer; the first plan moves there
				h.Exec(`UPDATE plan SET failing_since = now(), failing_code = 'x', failing_invoice = 'in_x' WHERE id = $1`, second.ID)
				_, _, err := h.Plans.UpdatePaymentMethod(t.Context(), second.DonorID, "en", h.URL)
				require.NoError(t, err)
			}
			for _, p := range []plan.Plan{second, first} {
				if p.ID == first.ID && open {
					continue
				}
				_, err := h.Fake.ReplaceCard(*p.CustomerID, stripefake.GoodCard)
				require.NoError(t, err)
			}
			h.DeliverNew()
			holder := h.DB.Owner.MustBeginTx(t.Context(), nil)
			defer holder.Rollback()
			holder.MustExec(`SELECT 1 FROM plan WHERE id = $1 FOR UPDATE`, first.ID)
			applied := make(chan error)
			go func() {
				_, err := h.EventWorker.RunBatch(context.WithoutCancel(t.Context()))
				applied <- err
			}()
			require.Eventually(t, func() bool {
				return h.Count(`SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`) > 0
			}, 20*time.Second, 10*time.Millisecond)
			require.Equal(t, 1, h.Count(`SELECT count(*) FROM (SELECT 1 FROM plan WHERE id = $1 FOR UPDATE SKIP LOCKED) free`, second.ID))
			require.NoError(t, holder.Rollback())
			require.NoError(t, <-applied)
			require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan_request WHERE kind IN ('card', 'move')`))
		})
	}
}
