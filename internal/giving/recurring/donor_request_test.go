package recurring_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/workshop/testkit/program"
)

// afterRequest runs the jobs of a donor's request and returns the plan.
func afterRequest(t *testing.T, h *program.Program, p plan.Plan, err error) plan.Plan {
	t.Helper()
	require.NoError(t, err)
	deliverAll(t, h)
	return reload(t, h, p)
}

// TestDonorRequests: pause, resume, skip, change and cancel are executed once for a submission, and each has its event
// and email.
func TestDonorRequests(t *testing.T) {
	h := program.New(t, program.Options{})
	ctx := t.Context()
	p := startPlan(t, h, monthly("4"))
	request := func(submission string) recurring.DonorRequest {
		return recurring.DonorRequest{PlanID: p.ID, SubmissionID: submission, Channel: planlink.ByLink}
	}
	signedIn := func(submission string) recurring.DonorRequest {
		r := request(submission)
		r.Channel = planlink.BySession
		return r
	}
	begunAt := *p.BegunAt

	_, err := h.Plans.Pause(ctx, request("a"), 13)
	require.True(t, fault.Is(err, fault.Invalid))
	_, err = h.Plans.Resume(ctx, request("a"))
	require.True(t, fault.Is(err, fault.Conflict))
	_, err = h.Plans.Pause(ctx, request("a"), 3)
	require.NoError(t, err)
	_, err = h.Plans.Pause(ctx, request("a"), 3)
	p = afterRequest(t, h, p, err)
	require.Equal(t, plan.Paused, p.Status)
	require.Equal(t, org.Monthly.Due(begunAt, 4).Unix(), p.NextAt.Unix())
	_, err = h.Plans.Resume(ctx, request("b"))
	require.ErrorIs(t, err, planlink.ErrNeedsSession, "the end of a pause makes the next charge earlier")
	_, err = h.Plans.Resume(ctx, signedIn("b"))
	p = afterRequest(t, h, p, err)
	require.Equal(t, plan.Active, p.Status)
	require.Equal(t, org.Monthly.Due(begunAt, 1).Unix(), p.NextAt.Unix())
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'resumed' AND (detail->>'next')::timestamptz = $1`, *p.NextAt), "as the email says")
	_, err = h.Plans.Skip(ctx, request("c"))
	p = afterRequest(t, h, p, err)
	require.Equal(t, org.Monthly.Due(begunAt, 2).Unix(), p.NextAt.Unix())
	h.Fake.Advance(org.Monthly.Due(begunAt, 1).Sub(h.Fake.Now()) + 48*time.Hour)
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, 1, p.Paid, "nothing was charged during the pause")
	require.Equal(t, 5, p.Iterations, "four payments need five periods")

	f := donation.Form{Amount: "other", AmountOther: "25", Frequency: "monthly", Fund: "network", CoverFees: true}
	to, err := f.CheckTerms(h.Offer("csio"))
	require.NoError(t, err)
	_, err = h.Plans.Change(ctx, request("d"), to, nil)
	require.ErrorIs(t, err, planlink.ErrNeedsSession, "the link of an email may be in other hands")
	_, err = h.Plans.Change(ctx, signedIn("d"), to, nil)
	p = afterRequest(t, h, p, err)
	require.Equal(t, int64(2500), p.Given().Minor)
	p = advanceToNextCharge(t, h, p)
	require.Equal(t, 2, p.Paid)
	require.Equal(t, []string{"2606 network"}, h.Lines(`SELECT g.amount || ' ' || f.slug FROM instalment i JOIN donation g ON g.id = i.donation_id
		JOIN designation d ON d.donation_id = g.id JOIN fund f ON f.id = d.fund_id WHERE i.n = 2`))

	_, err = h.Plans.Cancel(ctx, request("e"), "too much now")
	p = afterRequest(t, h, p, err)
	require.Equal(t, plan.Cancelled, p.Status)
	require.Equal(t, "canceled", status(t, h, p))
	require.Equal(t, []string{"begun", "cancelled", "changed", "paid", "paused", "resumed", "skipped"},
		h.Lines(`SELECT kind FROM plan_event WHERE plan_id = $1 ORDER BY 1`, p.ID))
	require.Equal(t, 5, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'plan_letter'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestAForwardedLinkTakesLess: the rule isLess holds where a request is stored. While an earlier request waits for
// Stripe, a link changes no terms, or it would undo a reduction.
func TestAForwardedLinkTakesLess(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	change := func(channel, submission, amount, every string) error {
		to, err := donation.Form{Amount: "other", AmountOther: amount, Frequency: every, Fund: "general"}.CheckTerms(h.Offer("csio"))
		require.NoError(t, err)
		_, err = h.Plans.Change(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: submission, Channel: channel}, to, nil)
		return err
	}
	require.ErrorIs(t, change(planlink.ByLink, "a", "5000", "weekly"), planlink.ErrNeedsSession)
	require.ErrorIs(t, change("", "a", "5000", "weekly"), planlink.ErrNeedsSession, "an unknown channel may do no more than a link")
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'change'`))

	require.NoError(t, change(planlink.BySession, "b", "10", "monthly"))
	require.ErrorIs(t, change(planlink.ByLink, "c", "15", "monthly"), planlink.ErrRequestWaits, "less than today's $20, more than the $10 that wait for Stripe")
	deliverAll(t, h)
	require.NoError(t, change(planlink.ByLink, "d", "8", "quarterly"))
	deliverAll(t, h)
	p = reload(t, h, p)
	require.Equal(t, []any{int64(800), org.Quarterly}, []any{p.AmountMinor, p.Frequency})
	require.Equal(t, []string{"letter", "portal"}, h.Lines(`SELECT asked_by FROM plan_request WHERE kind = 'change' ORDER BY 1`))
}

// TestALinkShortensNoPauseThatWaits: while a pause of three months waits for Stripe, a link may neither pause for one
// month nor skip, but it may cancel.
func TestALinkShortensNoPauseThatWaits(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	as := func(channel, submission string) recurring.DonorRequest {
		return recurring.DonorRequest{PlanID: p.ID, SubmissionID: submission, Channel: channel}
	}
	_, err := h.Plans.Pause(t.Context(), as(planlink.BySession, "a"), 3)
	require.NoError(t, err)
	_, err = h.Plans.Pause(t.Context(), as(planlink.ByLink, "b"), 1)
	require.ErrorIs(t, err, planlink.ErrRequestWaits)
	_, err = h.Plans.Skip(t.Context(), as(planlink.ByLink, "c"))
	require.ErrorIs(t, err, planlink.ErrRequestWaits)
	_, err = h.Plans.Cancel(t.Context(), as(planlink.ByLink, "d"), "")
	require.NoError(t, err)
}

// TestRemindersAreQueuedAhead: a week before a quarterly charge, and a month before a card expires, once each.
func TestRemindersAreQueuedAhead(t *testing.T) {
	h := program.New(t, program.Options{})
	f := monthly("")
	f.Frequency = "quarterly"
	p := startPlan(t, h, f)
	h.Fake.Advance(p.NextAt.Sub(h.Fake.Now()) - 8*24*time.Hour)
	n, err := h.Plans.QueueReminders(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
	h.Fake.Advance(25 * time.Hour)
	require.NoError(t, h.Fake.SetCardExpiry(*p.SubscriptionID, h.Fake.Now().Format("01/06"), true)) // good until the end of this month
	deliverAll(t, h)
	for _, want := range []int{2, 0} {
		n, err := h.Plans.QueueReminders(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	require.Equal(t, []string{"card expires", "upcoming"}, h.Lines(`SELECT kind FROM plan_event WHERE kind <> 'begun' ORDER BY 1`))
}

// TestNoEmailJobWithoutAnAddress: the events of a plan whose donor has no email address are recorded, and no email is
// enqueued for them.
func TestNoEmailJobWithoutAnAddress(t *testing.T) {
	h := program.New(t, program.Options{})
	p := startPlan(t, h, monthly(""))
	h.Exec(`UPDATE donation_contact SET email = ''`)
	h.Exec(`UPDATE donor SET email = NULL`)
	_, err := h.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "a", Channel: planlink.ByLink}, "")
	p = afterRequest(t, h, p, err)
	require.Equal(t, plan.Cancelled, p.Status)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_event WHERE kind = 'cancelled'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'plan_letter'`))
}
