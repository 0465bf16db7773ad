package stripefake_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

// limit gives a subscription a schedule with n payments in all: it creates the schedule from the subscription, then
// sets its phases.
func (g giver) limit(n int64) *stripe.SubscriptionSchedule {
	g.t.Helper()
	made, err := g.api.SubscriptionSchedules.New(&stripe.SubscriptionScheduleParams{FromSubscription: stripe.String(g.sub)})
	if err != nil {
		g.t.Fatal(err)
	}
	set, err := g.api.SubscriptionSchedules.Update(made.ID, payments(made, n))
	if err != nil {
		g.t.Fatal(err)
	}
	return set
}

func payments(s *stripe.SubscriptionSchedule, n int64) *stripe.SubscriptionScheduleParams {
	phase := &stripe.SubscriptionSchedulePhaseParams{StartDate: stripe.Int64(s.Phases[0].StartDate), Iterations: stripe.Int64(n), ProrationBehavior: stripe.String("none")}
	for _, item := range s.Phases[0].Items {
		phase.Items = append(phase.Items, &stripe.SubscriptionSchedulePhaseItemParams{Price: stripe.String(item.Price.ID), Quantity: stripe.Int64(item.Quantity)})
	}
	return &stripe.SubscriptionScheduleParams{Phases: []*stripe.SubscriptionSchedulePhaseParams{phase}, EndBehavior: stripe.String("cancel"), ProrationBehavior: stripe.String("none")}
}

func TestTotalNumberOfPayments(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-31T10:00:00Z")}, "4242424242424242")
	schedule := g.limit(24)
	if end := time.Unix(schedule.Phases[0].EndDate, 0).UTC(); end.Format("2006-01-02") != "2029-01-31" || g.now().CancelAt != end.Unix() {
		t.Errorf("24 months end %v, and the subscription %v", end, g.now().CancelAt)
	}
	n := g.events()
	g.Advance(5 * 366 * 24 * time.Hour)
	paid := 0
	for _, inv := range g.invoices() {
		if inv.Status == "paid" {
			paid++
		}
	}
	sub := g.now()
	if paid != 24 || sub.Status != "canceled" || time.Unix(sub.EndedAt, 0).UTC().Format("2006-01-02") != "2029-01-31" {
		t.Errorf("%d payments; %s, ended %v", paid, sub.Status, time.Unix(sub.EndedAt, 0).UTC())
	}
	got := g.since(n)
	if want := []string{"subscription_schedule.expiring", "subscription_schedule.completed", "customer.subscription.deleted"}; !slices.Equal(got[len(got)-3:], want) {
		t.Errorf("the last events: %v", got[len(got)-3:])
	}
	if slices.Contains(got[len(got)-5:], "invoice.upcoming") {
		t.Error("an upcoming invoice is shown, but the schedule ends")
	}
}

func TestUnpaidPeriodsCountAndCanBeAdded(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z"), AfterRetries: "past_due"}, "4242424242424242")
	schedule := g.limit(3)
	if err := g.FailCard(g.sub, "insufficient_funds", 0); err != nil {
		t.Fatal(err)
	}
	g.Advance(month + 22*24*time.Hour)
	if g.now().Status != "past_due" || g.statuses() != "paid open" {
		t.Fatalf("%s, %s", g.now().Status, g.statuses())
	}
	if err := g.FailCard(g.sub, "", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := g.api.SubscriptionSchedules.Update(schedule.ID, payments(schedule, 4)); err != nil {
		t.Fatal(err)
	}
	g.Advance(6 * month)
	if got := g.statuses(); got != "paid open paid paid" || g.now().Status != "canceled" {
		t.Errorf("%s, %s, want three payments in four periods, then the end", got, g.now().Status)
	}
}

func TestLateScheduleStartsWithThePresentPeriod(t *testing.T) {
	g := begin(t, stripefake.Options{Now: at("2027-01-31T10:00:00Z")}, "4242424242424242")
	g.Advance(2 * month)
	schedule := g.limit(2)
	day := func(at int64) string { return time.Unix(at, 0).UTC().Format("2006-01-02") }
	if p := schedule.Phases[0]; day(p.StartDate) != "2027-03-31" || day(p.EndDate) != "2027-05-31" {
		t.Errorf("from %s to %s", day(p.StartDate), day(p.EndDate))
	}
}

func TestScheduleRefusals(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	_, err := g.api.SubscriptionSchedules.New(&stripe.SubscriptionScheduleParams{FromSubscription: stripe.String(g.sub), EndBehavior: stripe.String("cancel")})
	refused(t, err, "You cannot set `end_behavior` if `from_subscription` is set.")
	schedule := g.limit(12)
	_, err = g.api.SubscriptionSchedules.New(&stripe.SubscriptionScheduleParams{FromSubscription: stripe.String(g.sub)})
	refused(t, err, "already attached to a schedule: `"+schedule.ID+"`")
	_, err = g.api.Subscriptions.Cancel(g.sub, nil)
	refused(t, err, "managed by the subscription schedule `"+schedule.ID+"`")
	_, err = g.api.Subscriptions.Update(g.sub, &stripe.SubscriptionParams{CancelAtPeriodEnd: stripe.Bool(true)})
	refused(t, err, "managed by the subscription schedule")
	for says, change := range map[string]func(*stripe.SubscriptionSchedulePhaseParams){
		"phases[0][start_date]": func(p *stripe.SubscriptionSchedulePhaseParams) { p.StartDate = nil },
		"start date":            func(p *stripe.SubscriptionSchedulePhaseParams) { p.StartDate = stripe.Int64(*p.StartDate + 1) },
		"only specify one":      func(p *stripe.SubscriptionSchedulePhaseParams) { p.EndDate = stripe.Int64(*p.StartDate + 9e6) },
		"phases[0][items]":      func(p *stripe.SubscriptionSchedulePhaseParams) { p.Items = nil },
		"unknown parameter":     func(*stripe.SubscriptionSchedulePhaseParams) {},
	} {
		p := payments(schedule, 6)
		change(p.Phases[0])
		if says == "unknown parameter" {
			p.AddExtra("phases[0][colour]", "red")
		}
		_, err := g.api.SubscriptionSchedules.Update(schedule.ID, p)
		refused(t, err, says)
	}
	if s, err := g.api.SubscriptionSchedules.Release(schedule.ID, nil); err != nil || s.Status != "released" || s.ReleasedSubscription.ID != g.sub {
		t.Errorf("%+v %v", s, err)
	}
	if sub := g.now(); sub.Schedule != nil || sub.CancelAt != 0 {
		t.Errorf("released: %+v", sub)
	}
	_, err = g.api.SubscriptionSchedules.Update(schedule.ID, payments(schedule, 6))
	refused(t, err, "currently in the `released` status")
}

func TestSchedulesEnd(t *testing.T) {
	g := begin(t, stripefake.Options{}, "4242424242424242")
	schedule := g.limit(12)
	s, err := g.api.SubscriptionSchedules.Cancel(schedule.ID, &stripe.SubscriptionScheduleCancelParams{Prorate: stripe.Bool(false), InvoiceNow: stripe.Bool(false)})
	if err != nil || s.Status != "canceled" || g.now().Status != "canceled" {
		t.Errorf("%+v %v", s, err)
	}
	h := begin(t, stripefake.Options{Now: at("2027-01-10T10:00:00Z")}, "4242424242424242")
	late := h.limit(12)
	p := payments(late, 2)
	p.EndBehavior = stripe.String("release")
	if _, err := h.api.SubscriptionSchedules.Update(late.ID, p); err != nil {
		t.Fatal(err)
	}
	h.Advance(4 * month)
	if s, err := h.api.SubscriptionSchedules.Get(late.ID, nil); err != nil || s.Status != "released" || h.now().Status != "active" || len(h.invoices()) != 5 {
		t.Errorf("%+v %v: it must continue after its phase", s, err)
	}
}
