package e2e

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// overOneMonth is longer than any month and shorter than two.
const overOneMonth = 31*24*time.Hour + 3*time.Hour

// TestTwelvePaymentsAndNoMore plans twelve gifts while Stripe refuses schedules for a day. Twelve gifts are charged,
// each with a receipt; an email thanks the donor; the plan's page says that the plan is complete; and nothing is
// charged in later months.
func TestTwelvePaymentsAndNoMore(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	require.NoError(t, s.Stripe().SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}, Only: "POST /v1/subscription_schedules"}))
	v.plan("12")
	s.waitEmails("Your receipt for $20.00", 1)
	s.Stripe().Advance(25 * time.Hour)
	require.NoError(t, s.Stripe().SetFaults(stripefake.Faults{}))
	for n := 2; n <= 12; n++ {
		s.waitPlansSynced(1)
		s.Stripe().Advance(overOneMonth)
		s.waitEmails("Your receipt for $20.00", n)
	}
	s.waitEmails("Your 12 gifts to", 1)
	require.Equal(t, 1, s.count(`SELECT count(*) FROM plan WHERE status = 'finished' AND paid = 12 AND next_at IS NULL`))
	v.openPlan(s.manageLink())
	require.Contains(t, v.body(), "All the gifts you planned have arrived.")
	s.Stripe().Advance(3 * overOneMonth)
	s.waitEmails("Your receipt for $20.00", 12)
	require.Len(t, s.paidCharges(), 12)
}

// TestPlanFromItsEmail skips a payment, pauses, resumes, lowers the amount and stops, all by the link in an email. Only
// to resume it needs a code from another email. The first page changes nothing; an email confirms each change.
func TestPlanFromItsEmail(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s, phone())
	v.plan("")
	s.waitEmails("Your receipt for $20.00", 1)
	s.waitPlansSynced(1)
	link, codes := s.manageLink(), 0
	for _, change := range []struct{ do, subject, condition string }{
		{"skip", "is left out once", "true"},
		{"resume", "goes on", "status = 'active'"},
		{"pause", "is paused", "status = 'paused'"},
		{"resume", "goes on", "status = 'active'"},
		{"change", "is changed", "status = 'active'"},
		{"cancel", "has stopped, as you asked", "status = 'cancelled'"},
	} {
		before := s.countSubjects(change.subject)
		v.openPlan(link)
		if change.do == "cancel" {
			v.navigate(func() { v.click("#stop") })
		} else {
			if change.do == "change" {
				v.do(chromedp.SetValue("#amount", "15", chromedp.ByID))
			}
			events := s.count(`SELECT count(*) FROM plan_event`)
			v.navigate(func() { v.click(fmt.Sprintf(`//form[input[@name="do" and @value=%q]]//button`, change.do)) })
			if change.do == "resume" {
				codes++
				v.navigate(func() { v.click("#prove") })
				_, _, code := s.signInEmail(codes)
				v.do(chromedp.SendKeys("#code", code, chromedp.ByID))
				v.navigate(func() { v.click("#submit") })
			}
			require.Equal(t, events, s.count(`SELECT count(*) FROM plan_event`), "%s is shown, not done", change.do)
			v.navigate(func() { v.click("#confirm") })
		}
		s.waitSubject(change.subject, before+1)
		testkit.Eventually(t, waitTimeout, func() error {
			if n := s.count(`SELECT count(*) FROM plan WHERE ` + change.condition); n != 1 {
				return fmt.Errorf("the plan is not yet as after %s", change.do)
			}
			return nil
		})
		if change.do == "change" {
			s.waitPlansSynced(1)
			s.Stripe().Advance(3 * overOneMonth)
			s.waitEmails("Your receipt for $15.00", 3)
		}
	}
	paid := len(s.paidCharges())
	s.Stripe().Advance(2 * overOneMonth)
	s.WaitDrained(waitTimeout)
	require.Len(t, s.paidCharges(), paid)
}

// plan gives $20 every month, the given number of times, or until stopped if times is empty.
func (v *visitor) plan(times string) {
	v.t.Helper()
	v.open("/give/csio?lang=en")
	v.click(label("frequency", "monthly"))
	if times != "" {
		v.do(chromedp.SendKeys("#occurrences", times, chromedp.ByID))
	}
	v.fill(gift{Amount: "20", Fund: "general", First: "Rosa", Last: "Núñez", Email: "rosa@donor.example"})
	v.submit()
	v.pay(goodCard)
	v.waitFor("Thank you")
}

// openPlan opens the link of an email and waits until its script has led to the plan's page.
func (v *visitor) openPlan(link string) {
	v.t.Helper()
	v.do(chromedp.Navigate(link), chromedp.WaitVisible("dl.facts", chromedp.ByQuery))
}

var manageLink = regexp.MustCompile(`http://\S+/plans/open\?lang=\w+#\S+`)

// manageLink returns the link with which an email's plan is managed.
func (s *Stack) manageLink() string {
	s.t.Helper()
	for _, m := range s.Mail().Messages() {
		l, err := m.Email()
		require.NoError(s.t, err)
		if link := manageLink.FindString(l.Text); link != "" {
			return link
		}
	}
	s.t.Fatal("no email has a link to its plan")
	return ""
}
