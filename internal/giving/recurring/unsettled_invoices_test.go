package recurring_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/stripebalance"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// swept sweeps, does what follows from it at Stripe, and wants the books to be right.
func sweep(t *testing.T, h *program.Program) {
	t.Helper()
	_, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	for h.RunPlanJobs() > 0 {
		continue
	}
}

// intents are those of the payments that were made, oldest first.
func paidIntents(t *testing.T, h *program.Program) (all []string) {
	t.Helper()
	for _, raw := range h.Fake.Objects("tsne", "charge", 0) {
		var c struct {
			Status string
			Intent string `json:"payment_intent"`
		}
		require.NoError(t, json.Unmarshal(raw, &c))
		if c.Status == "succeeded" {
			all = append(all, c.Intent)
		}
	}
	return all
}

// asStripe wants 1010 to be what Stripe holds.
func requireStripeBalance(t *testing.T, h *program.Program) {
	t.Helper()
	held, err := h.Stripe.Balance(t.Context(), h.Offer("csio").Entity)
	require.NoError(t, err)
	require.Equal(t, int(held["USD"]), h.Count(`SELECT sum(amount)::int FROM posting WHERE account_code = '1010'`))
}

// TestPlanWhoseEventsWereAllMissed: the endpoint is dead for seventy days in which a plan of four renews, one of its payments is
// refunded and one disputed; Stripe lists the events of the last thirty only. One sweep, and every payment is settled with its receipt,
// dated by its charge; the last is charged and the plan is finished, and nothing is charged after it.
func TestPlanWithoutAnyEvent(t *testing.T) {
	h := program.New(t, program.Options{})
	h.Starter.Now, h.Plans.Now, h.Sweeper.Now, h.Collector.Booker.Now = h.Fake.Now, h.Fake.Now, h.Fake.Now, h.Fake.Now
	p := startPlan(t, h, monthly("4"))
	sweep(t, h)
	require.NoError(t, h.Fake.SetMode(stripefake.Drop))
	h.Fake.Advance(31 * 24 * time.Hour)
	renewed := paidIntents(t, h)
	require.Len(t, renewed, 2)
	_, err := h.Fake.Refund(renewed[1], 700)
	require.NoError(t, err)
	h.Fake.Advance(31 * 24 * time.Hour)
	renewed = paidIntents(t, h)
	require.Len(t, renewed, 3)
	dispute, err := h.Fake.Dispute(renewed[2], false)
	require.NoError(t, err)
	h.Fake.Advance(time.Hour)
	require.NoError(t, h.Fake.Judge(dispute, "lost"))
	h.Fake.Advance(8 * 24 * time.Hour)
	require.NoError(t, h.Fake.SetMode(stripefake.Hold))

	sweep(t, h)
	p = reload(t, h, p)
	require.Equal(t, 3, p.Paid)
	require.Equal(t, 3, h.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(t, 4, h.Count(`SELECT count(*) FROM receipt`), "three gifts, and one receipt replaced")
	require.Equal(t, 3, h.Count(`SELECT count(DISTINCT charged_at::date) FROM donation`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM charge_change WHERE kind = 'dispute lost'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
	require.Zero(t, h.Count(`SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1090'`))
	requireStripeBalance(t, h)
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	twice, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, twice, "a second sweep finds nothing")

	p = advanceToNextCharge(t, h, reload(t, h, p))
	require.Equal(t, recurring.Finished, p.Status)
	h.Fake.Advance(90 * 24 * time.Hour)
	require.Len(t, paidIntents(t, h), 4)
}

// silent is a source that does not tell of bills.
type withoutInvoices struct {
	stripebalance.Source
	err error
}

func (s withoutInvoices) Invoice(context.Context, org.LegalEntity, string) (donation.Invoice, error) {
	return donation.Invoice{}, s.err
}

// TestChargeWhoseBillCannotBeRead: its money and what becomes of it stand in suspense, everything else is booked, and 1010 is what Stripe
// holds. After an hour there is a task, and checkers ring. When the bill turns up all of it is as if it had been known.
func TestChargeWhoseInvoiceCannotBeRead(t *testing.T) {
	for name, why := range map[string]error{
		"500": fault.Wrap(fault.Unavailable, "problem.503.text", errors.New("away")), "404": errors.New("No such invoice"),
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			h.Starter.Now, h.Plans.Now, h.Sweeper.Now, h.Collector.Booker.Now = h.Fake.Now, h.Fake.Now, h.Fake.Now, h.Fake.Now
			p := startPlan(t, h, monthly(""))
			sweep(t, h)
			require.NoError(t, h.Fake.SetMode(stripefake.Drop))
			h.Fake.Advance(31 * 24 * time.Hour)
			_, err := h.Fake.Refund(paidIntents(t, h)[1], 700)
			require.NoError(t, err)
			dispute, err := h.Fake.Dispute(paidIntents(t, h)[1], false)
			require.NoError(t, err)
			require.NoError(t, h.Fake.Judge(dispute, "won"))
			other := h.StartedGift(program.ValidForm())
			h.Pay(other)
			c := h.Collector
			c.Source = withoutInvoices{h.Stripe, why}
			for range 2 {
				_, err = c.Sweep(t.Context())
				require.NoError(t, err)
			}
			require.Equal(t, donation.Settled, h.Gift(other.ID).Status)
			require.Equal(t, 1, reload(t, h, p).Paid)
			require.Equal(t, 3, h.Count(`SELECT count(*) FROM pending_movement WHERE cleared_at IS NULL`), "a refund, a withdrawal, and what was won")
			require.NotZero(t, h.Count(`SELECT sum(amount)::int FROM posting WHERE account_code = '1090'`))
			requireStripeBalance(t, h)
			require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))

			h.Exec(`UPDATE pending_charge SET at = at - interval '2 hours'`)
			_, err = c.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, []string{"payment_without_bill"}, h.Lines(`SELECT kind FROM finance_task WHERE closed_at IS NULL`))
			require.Equal(t, 1, h.Count(`SELECT count(*) FROM check_paid_without_gift WHERE detail LIKE 'its bill %'`))
			stalls, err := stripebalance.StalledImports(t.Context(), h.DB.Server)
			require.NoError(t, err)
			require.Len(t, stalls, 1)

			_, err = h.Collector.Sweep(t.Context())
			require.NoError(t, err)
			require.Equal(t, 2, reload(t, h, p).Paid)
			require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
			require.Zero(t, h.Count(`SELECT sum(amount)::int FROM posting WHERE account_code = '1090'`))
			require.Zero(t, h.Count(`SELECT sum(amount)::int FROM posting WHERE account_code = '1020'`))
			require.Equal(t, []string{"dispute withdrawn", "dispute won", "refund"}, h.Lines(`SELECT kind FROM charge_change ORDER BY 1`))
			require.Zero(t, h.Count(`SELECT count(*) FROM check_not_booked_once`))
			require.Zero(t, h.Count(`SELECT count(*) FROM check_clearing_differs WHERE detail LIKE 'the books%'`))
			requireStripeBalance(t, h)
		})
	}
}

// TestAnAskedForChangeIsKept: who waits no longer is not told that nothing was done.
func TestAbandonedWaitReportsNoError(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	id, err := h.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "once", Channel: "letter"}, "")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done, err := h.Plans.WaitForRequest(ctx, id)
	require.NoError(t, err)
	require.False(t, done)
}
