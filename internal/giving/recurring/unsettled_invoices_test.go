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
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// sweep imports the balance and runs the jobs that follow.
func sweep(t *testing.T, h *program.Program) {
	t.Helper()
	_, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	for h.RunPlanJobs() > 0 {
		continue
	}
}

// paidIntents returns the payment intents of successful charges, oldest first.
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

// requireStripeBalance requires that account 1010 equals the balance at Stripe.
func requireStripeBalance(t *testing.T, h *program.Program) {
	t.Helper()
	balance, err := h.Stripe.Balance(t.Context(), h.Offer("csio").Entity)
	require.NoError(t, err)
	require.Equal(t, int(balance["USD"]), h.Count(`SELECT sum(amount)::int FROM posting WHERE account_code = '1010'`))
}

// TestPlanWithoutAnyEvent: no webhook event arrives for seventy days, in which a plan of four renews, one payment is
// refunded and one is disputed. Stripe lists the events of the last thirty days only. One sweep settles every payment,
// with a receipt dated by its charge. The dispute was lost, so the plan ends, and nothing is charged after it.
func TestPlanWithoutAnyEvent(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly("4"))
	sweep(t, h)
	require.NoError(t, h.Fake.SetMode(stripefake.Drop))
	h.Fake.Advance(32 * 24 * time.Hour)
	renewed := paidIntents(t, h)
	require.Len(t, renewed, 2)
	_, err := h.Fake.Refund(renewed[1], 700)
	require.NoError(t, err)
	h.Fake.Advance(32 * 24 * time.Hour)
	renewed = paidIntents(t, h)
	require.Len(t, renewed, 3)
	dispute, err := h.Fake.Dispute(renewed[2], false)
	require.NoError(t, err)
	h.Fake.Advance(time.Hour)
	require.NoError(t, h.Fake.CloseDispute(dispute, "lost"))
	h.Fake.Advance(8 * 24 * time.Hour)
	require.NoError(t, h.Fake.SetMode(stripefake.Hold))

	sweep(t, h)
	p = reload(t, h, p)
	require.Equal(t, 3, p.Paid)
	require.Equal(t, 3, h.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(t, 4, h.Count(`SELECT count(*) FROM receipt`), "three donations, and one receipt replaced")
	require.Equal(t, 3, h.Count(`SELECT count(DISTINCT charged_at::date) FROM donation`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment_change WHERE kind = 'dispute lost'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task WHERE closed_at IS NULL`))
	require.Zero(t, h.Count(`SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1090'`))
	require.Equal(t, []any{plan.Cancelled, plan.Disputed}, []any{p.Status, because(p)}, "the lost dispute ended it")
	requireStripeBalance(t, h)
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	sweep(t, h) // finds the end of the subscription
	twice, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, twice, "another sweep changes nothing")
	h.Fake.Advance(90 * 24 * time.Hour)
	require.Len(t, paidIntents(t, h), 3)
}

// withoutInvoices is a source whose invoices cannot be read.
type withoutInvoices struct {
	stripebalance.Source
	err error
}

func (s withoutInvoices) Invoice(context.Context, org.LegalEntity, string) (donation.Invoice, error) {
	return donation.Invoice{}, s.err
}

// TestChargeWhoseInvoiceCannotBeRead: the charge and its changes are booked to suspense, everything else is booked, and
// account 1010 equals the balance at Stripe. After an hour there is a task, and the checkers report it. When the
// invoice can be read, everything is booked in the same way as without the delay.
func TestChargeWhoseInvoiceCannotBeRead(t *testing.T) {
	for name, why := range map[string]error{
		"500": fault.Wrap(fault.Unavailable, "problem.503.text", errors.New("unavailable")), "404": errors.New("No such invoice"),
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			p := startPlan(t, h, monthly(""))
			sweep(t, h)
			require.NoError(t, h.Fake.SetMode(stripefake.Drop))
			h.Fake.Advance(32 * 24 * time.Hour)
			_, err := h.Fake.Refund(paidIntents(t, h)[1], 700)
			require.NoError(t, err)
			dispute, err := h.Fake.Dispute(paidIntents(t, h)[1], false)
			require.NoError(t, err)
			require.NoError(t, h.Fake.CloseDispute(dispute, "won"))
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
			require.Equal(t, 3, h.Count(`SELECT count(*) FROM pending_movement WHERE cleared_at IS NULL`), "a refund, a dispute withdrawal and its return")
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
			require.Equal(t, []string{"dispute withdrawn", "dispute won", "refund"}, h.Lines(`SELECT kind FROM payment_change ORDER BY 1`))
			require.Zero(t, h.Count(`SELECT count(*) FROM check_not_booked_once`))
			require.Zero(t, h.Count(`SELECT count(*) FROM check_clearing_differs WHERE detail LIKE 'the books%'`))
			requireStripeBalance(t, h)
		})
	}
}

// TestAbandonedWaitReportsNoError: a visitor who leaves while the request waits gets no error, because it will be
// executed.
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
