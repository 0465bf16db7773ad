package recurring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/testkit/program"
)

// monthly returns a form for $20 a month to the first fund. times is the number of payments; empty: until the donor
// stops.
func monthly(times string) donation.Form {
	f := program.ValidForm()
	f.Frequency, f.Occurrences = "monthly", times
	return f
}

// startPlan returns a plan whose first payment was made.
func startPlan(t *testing.T, h *program.Program, f donation.Form) plan.Plan {
	t.Helper()
	d := h.StartedGift(f)
	h.Pay(d)
	deliverAll(t, h)
	return planOf(t, h, d)
}

func planOf(t *testing.T, h *program.Program, d donation.Donation) plan.Plan {
	t.Helper()
	p, err := recurring.ByID(t.Context(), h.DB.Server, d.ID)
	require.NoError(t, err)
	return p
}

func reload(t *testing.T, h *program.Program, p plan.Plan) plan.Plan {
	t.Helper()
	p, err := recurring.ByID(t.Context(), h.DB.Server, p.ID)
	require.NoError(t, err)
	return p
}

// deliverAll delivers the stand-in's new events and processes them with all jobs that follow.
func deliverAll(t *testing.T, h *program.Program) {
	t.Helper()
	h.DeliverNew()
	h.DrainAll()
	h.RetryParked()
	for h.RunPlanJobs() > 0 {
		h.DeliverNew()
		h.RetryParked()
	}
}

func TestPlanOfTwelveFinishes(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly("12"))
	require.Equal(t, plan.Active, p.Status)
	require.Equal(t, 12, p.Iterations)
	for month := 1; month < 12; month++ {
		require.Equal(t, month, p.Paid)
		require.Equal(t, org.Monthly.Due(*p.BegunAt, month).Unix(), p.NextAt.Unix())
		h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) + 2*time.Hour)
		deliverAll(t, h)
		p = reload(t, h, p)
	}
	require.Equal(t, plan.Finished, p.Status)
	require.Nil(t, p.NextAt)
	h.Fake.Advance(100 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, 12, h.Count(`SELECT count(*) FROM donation WHERE status = 'settled'`))
	require.Equal(t, 12, h.Count(`SELECT count(*) FROM receipt`))
	require.Equal(t, 12*2000, h.Count(`SELECT -sum(amount)::int FROM posting WHERE account_code = '4100'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
	require.Equal(t, []string{"1 12 2000", "2 12 2000"}, h.Lines(`SELECT concat_ws(' ', facts->'instalment'->>'n', facts->'instalment'->>'of',
		facts->'amount'->>'minor') FROM receipt ORDER BY (facts->'instalment'->>'n')::int LIMIT 2`))
	require.Len(t, h.Lines(`SELECT id::text FROM plan_event WHERE kind = 'finished'`), 1)
}
