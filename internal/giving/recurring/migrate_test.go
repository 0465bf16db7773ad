package recurring_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// twoFailing returns two plans started on the public form with one email address, each with a customer of its own,
// whose cards are declined at the renewal.
func twoFailing(t *testing.T, h *program.Program, form donation.Form) (one, two plan.Plan) {
	t.Helper()
	one = startPlan(t, h, monthly(""))
	two = startPlan(t, h, form)
	require.Equal(t, one.DonorID, two.DonorID)
	require.NotEqual(t, *one.CustomerID, *two.CustomerID)
	for _, p := range []plan.Plan{one, two} {
		require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
	}
	one = advanceToNextCharge(t, h, one)
	two = reload(t, h, two)
	require.NotNil(t, one.FailingSince)
	require.NotNil(t, two.FailingSince)
	return one, two
}

// updateCard gives a new card by the link in an email, and returns the card's customer.
func updateCard(t *testing.T, h *program.Program, p plan.Plan, card stripefake.Card) string {
	t.Helper()
	_, plans, err := h.Plans.UpdatePaymentMethod(t.Context(), p.DonorID, "en", h.URL)
	require.NoError(t, err)
	require.Equal(t, 2, plans)
	customer := h.Lines(`SELECT detail->>'customer' FROM plan_event WHERE kind = 'new card asked for' ORDER BY at DESC, id DESC LIMIT 1`)[0]
	_, err = h.Fake.ReplaceCard(customer, card)
	require.NoError(t, err)
	return customer
}

// chargesAndSubscriptions returns the number of successful charges, and the customers of the subscriptions that have
// not ended.
func chargesAndSubscriptions(t *testing.T, h *program.Program) (charges int, live []string) {
	t.Helper()
	for _, raw := range h.Fake.Objects("tsne", "charge", 0) {
		var c struct{ Status string }
		require.NoError(t, json.Unmarshal(raw, &c))
		if c.Status == "succeeded" {
			charges++
		}
	}
	for _, raw := range h.Fake.Objects("tsne", "subscription", 0) {
		var s struct{ ID, Status, Customer string }
		require.NoError(t, json.Unmarshal(raw, &s))
		if s.Status != "canceled" {
			live = append(live, s.Customer)
		}
	}
	return charges, live
}

// requireBothContinue requires that each plan's outstanding invoice was charged once, and that both are charged again
// on their next dates.
func requireBothContinue(t *testing.T, h *program.Program, one, two plan.Plan, customer string) {
	t.Helper()
	next := *two.NextAt
	one, two = reload(t, h, one), reload(t, h, two)
	for _, p := range []plan.Plan{one, two} {
		require.Equal(t, plan.Active, p.Status)
		require.Nil(t, p.FailingSince)
		require.Equal(t, 2, p.Paid)
		require.Equal(t, customer, *p.CustomerID)
	}
	require.Equal(t, next.Unix(), two.NextAt.Unix(), "the dates do not change")
	charges, live := chargesAndSubscriptions(t, h)
	require.Equal(t, 4, charges)
	require.Equal(t, []string{customer, customer}, live)
	advanceToNextCharge(t, h, two)
	require.Equal(t, []string{"3", "3"}, h.Lines(`SELECT paid::text FROM plan`))
	charges, _ = chargesAndSubscriptions(t, h)
	require.Equal(t, 6, charges)
	require.Equal(t, 6, h.Count(`SELECT count(*) FROM receipt`))
	require.Equal(t, 6*2000, h.Count(`SELECT -sum(amount)::int FROM posting WHERE account_code = '4100'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE carried_at IS NULL`))
	require.Equal(t, []string{"card mended", "card mended"}, h.Lines(`SELECT kind FROM plan_event WHERE kind IN ('cancelled', 'given up', 'card mended')`))
}

// TestOneNewCardServesPlansOfTwoCustomers: the plans were started on the public form, where an email address proves
// nothing. The link in the email proves it.
func TestOneNewCardServesPlansOfTwoCustomers(t *testing.T) {
	h := program.New(t, program.Options{})
	one, two := twoFailing(t, h, monthly(""))
	customer := updateCard(t, h, one, stripefake.GoodCard)
	deliverAll(t, h)
	requireBothContinue(t, h, one, two, customer)
	h.RequireNoFindings()
}

// TestOnlyTheDonorsOwnPlansMigrate: a new card that was not given by the donor's link causes no migration, and plans of
// other addresses keep their customer.
func TestOnlyTheDonorsOwnPlansMigrate(t *testing.T) {
	h := program.New(t, program.Options{})
	f := monthly("")
	f.Contact.Email = "someone.else@example.org"
	other := startPlan(t, h, f)
	one, two := twoFailing(t, h, monthly(""))
	_, err := h.Fake.ReplaceCard(*one.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	deliverAll(t, h)
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'move'`))
	require.NotNil(t, reload(t, h, two).FailingSince)
	updateCard(t, h, two, stripefake.GoodCard)
	deliverAll(t, h)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_request WHERE kind = 'move'`))
	require.Equal(t, *other.CustomerID, *reload(t, h, other).CustomerID)
}

// TestMigratedPlanOfNEndsAfterNPayments: the outstanding payment counts, and the schedule is created again.
func TestMigratedPlanOfNEndsAfterNPayments(t *testing.T) {
	h := program.New(t, program.Options{})
	one, two := twoFailing(t, h, monthly("4"))
	updateCard(t, h, one, stripefake.GoodCard)
	deliverAll(t, h)
	two = reload(t, h, two)
	require.Equal(t, 2, two.Paid)
	require.Nil(t, two.ScheduleID)
	two = advanceToNextCharge(t, h, two)
	require.Equal(t, "3 2", fmt.Sprint(two.Paid, " ", two.Iterations))
	two = advanceToNextCharge(t, h, two)
	require.Equal(t, plan.Finished, two.Status)
	h.Fake.Advance(70 * 24 * time.Hour)
	deliverAll(t, h)
	require.Equal(t, 4, h.Count(`SELECT count(*) FROM instalment WHERE plan_id = $1 AND n IS NOT NULL`, two.ID))
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestDeclineAfterMigration: the new card is declined too, so the donor gets another email, and the next card pays the
// outstanding invoice.
func TestDeclineAfterMigration(t *testing.T) {
	h := program.New(t, program.Options{})
	one, two := twoFailing(t, h, monthly(""))
	bad := stripefake.GoodCard
	bad.Number = "4000000000000341"
	customer := updateCard(t, h, one, bad)
	deliverAll(t, h)
	two = reload(t, h, two)
	require.Equal(t, customer, *two.CustomerID)
	require.Equal(t, "generic_decline", *two.FailingCode)
	require.Equal(t, 1, two.Paid)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM plan_event WHERE plan_id = $1 AND kind = 'payment failed'`, two.ID))
	updateCard(t, h, one, stripefake.GoodCard)
	deliverAll(t, h)
	require.Equal(t, 2, reload(t, h, two).Paid)
	charges, _ := chargesAndSubscriptions(t, h)
	require.Equal(t, 4, charges)
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
}

// TestMigrationKeepsTheDayOfMonth: a plan of the 31st keeps its day, although its first date after the migration is in
// a shorter month.
func TestMigrationKeepsTheDayOfMonth(t *testing.T) {
	h := program.New(t, program.Options{})
	h.Fake.Advance(time.Date(h.Fake.Now().Year()+1, 1, 31, 12, 30, 0, 0, time.UTC).Sub(h.Fake.Now()))
	one, two := startPlan(t, h, monthly("")), startPlan(t, h, monthly(""))
	updateCard(t, h, one, stripefake.GoodCard)
	deliverAll(t, h)
	require.Equal(t, *reload(t, h, one).CustomerID, *reload(t, h, two).CustomerID)
	for range 5 {
		two = advanceToNextCharge(t, h, reload(t, h, two))
	}
	require.Equal(t, []string{"28 31 30 31 30"}, h.Lines(`SELECT string_agg(extract(day FROM g.charged_at AT TIME ZONE 'UTC')::text, ' ' ORDER BY i.n)
		FROM donation g JOIN instalment i ON i.donation_id = g.id WHERE i.plan_id = $1 AND i.n > 1`, two.ID))
}

// TestMigrationInterruptedAnywhere: any call fails, before or after Stripe has executed it, and is retried with the
// same idempotency key or with a new one. The migration is completed and nothing is charged twice. The event about the
// end of the old subscription does not end the plan.
func TestMigrationInterruptedAnywhere(t *testing.T) {
	h := program.New(t, program.Options{})
	calls := []string{"DELETE /v1/subscriptions", "POST /v1/invoices/", "POST /v1/subscriptions", "POST /v1/payment_intents", "GET /v1/subscriptions"}
	n := 0
	for _, call := range calls {
		for _, kind := range []string{"cut", "503", "500-after"} {
			n++
			f := monthly("")
			f.Contact.Email = fmt.Sprintf("donor%d@example.org", n)
			one, two := startPlan(t, h, f), startPlan(t, h, withForm(f))
			for _, p := range []plan.Plan{one, two} {
				require.NoError(t, h.Fake.FailCard(*p.SubscriptionID, "insufficient_funds", 0))
			}
			one = advanceToNextCharge(t, h, one)
			before, _ := chargesAndSubscriptions(t, h)
			customer := updateCard(t, h, one, stripefake.GoodCard)
			require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{kind}, Only: call, Times: 1 + n%2}))
			for range 4 {
				deliverAll(t, h)
				if n%3 == 0 {
					h.Exec(`UPDATE plan_request SET tries = 0 WHERE carried_at IS NULL`)
				}
			}
			require.NoError(t, h.Fake.SetFaults(stripefake.Faults{}))
			deliverAll(t, h)
			one, two = reload(t, h, one), reload(t, h, two)
			requests := fmt.Sprintf("%s %s: %v", call, kind, h.Lines(`SELECT concat_ws(' ', kind, subject, tries, carried_at IS NOT NULL, refused) FROM plan_request WHERE plan_id = $1`, two.ID))
			for _, p := range []plan.Plan{one, two} {
				require.Equal(t, plan.Active, p.Status, requests)
				require.Equal(t, 2, p.Paid, requests)
				require.Nil(t, p.FailingSince, requests)
				require.Equal(t, customer, *p.CustomerID, requests)
			}
			after, live := chargesAndSubscriptions(t, h)
			require.Equal(t, 2, after-before, requests)
			require.Equal(t, []string{customer, customer}, live, requests)
			for _, p := range []plan.Plan{one, two} {
				_, err := h.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: p.ID, SubmissionID: "end", Channel: "letter"}, "")
				require.NoError(t, err)
			}
			deliverAll(t, h)
		}
	}
	require.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
	require.Zero(t, h.Count(`SELECT count(*) FROM plan_request WHERE carried_at IS NULL`))
	h.RequireNoFindings()
}

// withForm returns the form with a new form id.
func withForm(f donation.Form) donation.Form {
	f.FormID = program.ValidForm().FormID
	return f
}

// TestCancelDuringMigration: in either order, nothing is charged after it.
func TestCancelDuringMigration(t *testing.T) {
	h := program.New(t, program.Options{})
	one, two := twoFailing(t, h, monthly(""))
	updateCard(t, h, one, stripefake.GoodCard)
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"cut"}, Only: "POST /v1/subscriptions", Times: 3}))
	deliverAll(t, h)
	_, err := h.Plans.Cancel(t.Context(), recurring.DonorRequest{PlanID: two.ID, SubmissionID: "stop", Channel: "letter"}, "")
	require.NoError(t, err)
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{}))
	deliverAll(t, h)
	deliverAll(t, h)
	require.Equal(t, plan.Cancelled, reload(t, h, two).Status)
	_, live := chargesAndSubscriptions(t, h)
	require.Equal(t, []string{*one.CustomerID}, live)
}

// TestNewCardDoesWhatItsPageSays: what Plan.NewCardUse says of each of a donor's plans is what a new card then does.
func TestNewCardDoesWhatItsPageSays(t *testing.T) {
	h := program.New(t, program.Options{})
	failing, moved, paused, ending, disputed := startPlan(t, h, monthly("")), startPlan(t, h, monthly("")), startPlan(t, h, monthly("")),
		startPlan(t, h, monthly("")), startPlan(t, h, monthly(""))
	require.NoError(t, h.Fake.FailCard(*failing.SubscriptionID, "insufficient_funds", 0))
	require.NoError(t, h.Fake.FailCard(*disputed.SubscriptionID, "insufficient_funds", 0))
	_, err := h.Plans.Pause(t.Context(), bySession(paused, "a"), 3)
	require.NoError(t, err)
	failing = advanceToNextCharge(t, h, failing)
	require.NoError(t, h.Fake.CancelAtPeriodEnd(*ending.SubscriptionID, true))
	openDispute(t, h, disputed, plan.DisputeOpen)
	deliverAll(t, h)
	all := []*plan.Plan{&failing, &moved, &paused, &ending, &disputed}
	var plans []plan.Plan
	for _, p := range all {
		*p = reload(t, h, *p)
		plans = append(plans, *p)
	}
	h.Exec(`UPDATE plan SET next_at = ends_at - interval '1 day' WHERE id = $1`, ending.ID) // one more charge before its end
	_, _, err = h.Plans.UpdatePaymentMethod(t.Context(), failing.DonorID, "en", h.URL)
	require.NoError(t, err)
	chosen, _ := plan.ForNewCard(plans)
	require.Equal(t, failing.ID, chosen.ID, "the first of those that fail")
	require.Equal(t, plan.CardOver, ending.NewCardUse(*chosen))
	ending = reload(t, h, ending)
	payments := h.Count(`SELECT count(*) FROM payment`)
	_, err = h.Fake.ReplaceCard(*chosen.CustomerID, stripefake.GoodCard)
	require.NoError(t, err)
	deliverAll(t, h)
	require.Equal(t, payments+1, h.Count(`SELECT count(*) FROM payment`), "what could not be charged, but not what is disputed")
	for i, want := range []struct {
		use         plan.NewCardUse
		moved, paid bool
	}{{plan.CardNow, false, true}, {plan.CardNext, true, false}, {plan.CardPaused, true, false}, {plan.CardKept, false, false}, {plan.CardHeld, false, false}} {
		before, after := *all[i], reload(t, h, *all[i])
		require.Equal(t, want.use, before.NewCardUse(*chosen), i)
		require.Equal(t, want.moved, *before.CustomerID != *after.CustomerID, i)
		require.Equal(t, want.paid, after.Paid > before.Paid, i)
		require.Equal(t, before.Status, after.Status, i)
		require.Equal(t, want.moved || want.paid, h.Count(`SELECT count(*) FROM plan_event WHERE plan_id = $1 AND kind = 'card mended'`, before.ID) == 1, i)
	}
}
