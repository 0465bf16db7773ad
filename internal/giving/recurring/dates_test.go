package recurring_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/testkit/program"
)

// zones: one with daylight saving time, one without, and one that abolished it.
var zones = []string{"America/New_York", "Pacific/Honolulu", "America/Sao_Paulo"}

// TestChargeDatesOverYears: weekly plans, monthly plans on the last days of a month, quarterly plans, and yearly plans
// on 29 February, over more than a leap year. They start at hours when the date differs between time zones. Every
// period has one charge, on the date that the plan announced.
func TestChargeDatesOverYears(t *testing.T) {
	for _, c := range []struct {
		every       string
		month, day  int
		hour, total int
	}{
		{"weekly", 2, 28, 4, 60}, {"monthly", 1, 29, 3, 16}, {"monthly", 1, 30, 4, 16}, {"monthly", 1, 31, 5, 26}, {"quarterly", 8, 31, 3, 8}, {"yearly", 2, 29, 4, 5},
	} {
		t.Run(fmt.Sprint(c.every, " ", c.day), func(t *testing.T) {
			h := program.New(t, program.Options{})
			h.Fake.Advance(time.Date(2028, time.Month(c.month), c.day, c.hour, 30, 0, 0, time.UTC).Sub(h.Fake.Now()))
			f := monthly(fmt.Sprint(c.total))
			f.Frequency = c.every
			p := startPlan(t, h, f)
			begunAt, last := *p.BegunAt, *p.LastAt()
			form := checkout.ScheduleSummary{Frequency: org.Frequency(c.every), Times: c.total, Amount: p.Amount(), First: begunAt}.Last()
			for n := 1; n < c.total; n++ {
				require.Equal(t, n, p.Paid)
				require.Equal(t, last.Unix(), p.LastAt().Unix(), "the announced last date stays after payment %d", n)
				announced := *p.NextAt
				p = advanceToNextCharge(t, h, p)
				charged := invoicedAt(t, h, p, n+1)
				for _, zone := range zones {
					in, err := time.LoadLocation(zone)
					require.NoError(t, err)
					require.Equal(t, announced.In(in).Format(time.DateOnly), charged.In(in).Format(time.DateOnly), "payment %d in %s", n+1, zone)
				}
				require.Equal(t, org.Frequency(c.every).Due(begunAt, n).Format(time.DateOnly), charged.UTC().Format(time.DateOnly), "one charge in each period")
			}
			require.Equal(t, plan.Finished, p.Status)
			require.Equal(t, last.Format(time.DateOnly), invoicedAt(t, h, p, c.total).UTC().Format(time.DateOnly))
			require.Equal(t, form.Format(time.DateOnly), last.Format(time.DateOnly), "as on the form")
			require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
		})
	}
}

// invoicedAt returns when a payment's invoice was created: on its due date, an hour before it is charged.
func invoicedAt(t *testing.T, h *program.Program, p plan.Plan, n int) (at time.Time) {
	t.Helper()
	require.NoError(t, h.DB.Owner.Get(&at, `SELECT created_at FROM instalment WHERE plan_id = $1 AND n = $2`, p.ID, n))
	return at
}

// TestFrequencyAndDateChangeOnAPlanOfN: the number of remaining payments does not change.
func TestFrequencyAndDateChangeOnAPlanOfN(t *testing.T) {
	h := program.New(t, program.Options{})
	p := advanceToNextCharge(t, h, startPlan(t, h, monthly("6")))
	require.Equal(t, "2 of 6", fmt.Sprint(p.Paid, " of ", *p.Total))
	change := func(submission, amount, every string, next *time.Time) {
		t.Helper()
		to, err := donation.Form{Amount: "other", AmountOther: amount, Frequency: every, Fund: "general"}.CheckTerms(h.Offer("csio"))
		require.NoError(t, err)
		_, err = h.Plans.Change(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: submission, Channel: "portal"}, to, next)
		p = afterRequest(t, h, p, err)
	}
	remaining := func() int {
		t.Helper()
		n, known := p.Remaining()
		require.True(t, known)
		return n
	}
	day := h.Fake.Now().Add(12 * 24 * time.Hour).Truncate(time.Second)
	change("date", "20", "monthly", &day)
	require.Equal(t, 4, remaining())
	require.Equal(t, day.Unix(), p.NextAt.Unix())
	require.Equal(t, org.Monthly.Due(day, 3).Unix(), p.LastAt().Unix())
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 3, remaining())
	require.Equal(t, 4, p.Iterations, "the length of the new schedule")
	due := *p.NextAt
	change("pace", "50", "weekly", nil)
	require.Equal(t, 3, remaining())
	require.Equal(t, due.Unix(), p.NextAt.Unix(), "the next date does not change")
	require.Equal(t, org.Weekly.Due(due, 2).Unix(), p.LastAt().Unix())
	for range 3 {
		p = advanceToNextCharge(t, h, p)
	}
	require.Equal(t, plan.Finished, p.Status)
	h.Fake.Advance(90 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, []string{"2000", "2000", "2000", "5000", "5000", "5000"},
		h.Lines(`SELECT d.amount::text FROM donation d JOIN instalment i ON i.donation_id = d.id ORDER BY i.n`))
	require.Equal(t, 6, h.Count(`SELECT count(*) FROM receipt`))
	require.Equal(t, []string{"21000"}, h.Lines(`SELECT detail->>'given' FROM plan_event WHERE kind = 'finished'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}
