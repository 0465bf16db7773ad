package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// TestMonthlyGift gives $20 a month three times, with and without JavaScript. With JavaScript the form shows the total;
// the payment page and the email always show it. Three payments later the plan is complete: three receipts and an email
// of thanks.
func TestMonthlyGift(t *testing.T) {
	for name, scripts := range map[string]bool{"with JavaScript": true, "without JavaScript": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{})
			v := visit(t, s, emulation.SetScriptExecutionDisabled(!scripts), phone())
			v.open("/give/csio?lang=en")
			v.click(label("frequency", "monthly"))
			v.do(chromedp.SendKeys("#occurrences", "3", chromedp.ByID))
			v.fill(gift{Amount: "20", Fund: "general", First: "Rosa", Last: "Núñez", Email: "rosa@donor.example"})
			last := time.Now().AddDate(0, 2, 0).Format(", 2006")
			var comes string
			v.do(chromedp.Text("#comes", &comes, chromedp.ByID))
			if scripts {
				require.True(t, strings.HasPrefix(comes, "3 payments of $20, the last on ") && strings.HasSuffix(comes, last+", $60 in all."), comes)
			} else {
				require.Empty(t, comes)
			}
			v.submit()
			var page string
			v.do(chromedp.Text("body", &page, chromedp.ByQuery))
			require.Contains(t, page, "3 payments of $20, the last on ")
			require.Contains(t, page, "$60 in all")
			v.payPlain(goodCard)
			s.waitEmails("Your receipt for $20.00", 1)
			for n := range 2 {
				s.Stripe().Advance(31*24*time.Hour + 3*time.Hour)
				s.waitEmails("Your receipt for $20.00", n+2)
			}
			s.waitEmails("Your 3 gifts to", 1)
			s.Stripe().Advance(62 * 24 * time.Hour)
			s.waitEmails("Your receipt for $20.00", 3)
		})
	}
}

// TestOneCardForBothPlans: a donor starts two monthly gifts on the public form, without signing in. The card fails at
// the renewal. The link in one of the emails leads, with a code from another email, to one page for a new card. Then
// both gifts continue, each payment once.
func TestOneCardForBothPlans(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	v := visit(t, s)
	for range 2 {
		v.open("/give/csio?lang=en")
		v.click(label("frequency", "monthly"))
		v.fill(gift{Amount: "20", Fund: "general", First: "Rosa", Last: "Núñez", Email: "rosa@donor.example"})
		v.submit()
		v.pay("4000000000000341") // this card pays the first time and is refused later
		v.waitFor("Thank you")
	}
	s.waitEmails("Your receipt for $20.00", 2)
	s.waitPlansSynced(2)
	s.Stripe().Advance(31*24*time.Hour + 3*time.Hour)
	s.waitSubject("could not be charged", 2)
	require.Len(t, s.paidCharges(), 2)

	v.openPlan(s.cardLink())
	require.Equal(t, 1, strings.Count(v.body(), "$20 every month"), "the link shows its plan alone: %s", v.body())
	v.navigate(func() { v.click("#card") })
	_, _, code := s.signInEmail(1)
	v.do(chromedp.SendKeys("#code", code, chromedp.ByID))
	v.navigate(func() { v.click("#submit") })
	require.Equal(t, 2, strings.Count(v.body(), "$20 every month"), v.body())
	v.navigate(func() { v.click("#card") })
	require.True(t, strings.HasPrefix(v.location(), s.StripeURL()+"/c/portal/"), v.location())
	v.pay(goodCard)
	v.waitFor("Thank you")
	s.waitEmails("Your receipt for $20.00", 4)
	for n := 3; n < 6; n++ {
		s.waitPlansSynced(2)
		s.Stripe().Advance(31*24*time.Hour + 3*time.Hour)
		s.waitEmails("Your receipt for $20.00", 2*n)
	}
	require.Len(t, s.paidCharges(), 10)
	require.Equal(t, 2, s.count(`SELECT count(*) FROM plan WHERE status = 'active' AND paid = 5 AND failing_since IS NULL`))
	require.Equal(t, 1, s.count(`SELECT count(DISTINCT customer_id) FROM plan`))
	require.Zero(t, s.count(`SELECT count(*) FROM finance_task`))
	s.waitSubject("has stopped", 0)
}

// waitPlansSynced waits until this number of plans is the same as at Stripe, with the dates of their next payments.
func (s *Stack) waitPlansSynced(plans int) {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		if n := s.count(`SELECT count(*) FROM plan WHERE look_due IS NULL AND next_at IS NOT NULL`); n != plans {
			return errors.New("plans wait to be read")
		}
		return nil
	})
}

// cardLink returns the link in an email that leads to the page for a new card.
func (s *Stack) cardLink() string {
	s.t.Helper()
	for _, m := range s.Mail().Messages() {
		l, err := m.Email()
		require.NoError(s.t, err)
		if link := cardLink.FindString(l.Text); link != "" {
			return link
		}
	}
	s.t.Fatal("no email has a link to a new card")
	return ""
}

var cardLink = regexp.MustCompile(`http://\S+/plans/open\?lang=\w+&to=card#\S+`)

// paidCharges returns the ids of the stand-in's successful charges.
func (s *Stack) paidCharges() (ids []string) {
	s.t.Helper()
	for _, raw := range s.Stripe().State().Charges {
		var c struct{ ID, Status string }
		require.NoError(s.t, json.Unmarshal(raw, &c))
		if c.Status == "succeeded" {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// waitSubject waits until exactly this number of emails has these words anywhere in the subject.
func (s *Stack) waitSubject(words string, want int) {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		if n := s.countSubjects(words); n != want {
			return fmt.Errorf("%d emails say %q, not %d", n, words, want)
		}
		return nil
	})
}

// countSubjects returns how many emails have these words in their subject.
func (s *Stack) countSubjects(words string) (n int) {
	for _, m := range s.Mail().Messages() {
		if strings.Contains(m.Subject, words) {
			n++
		}
	}
	return n
}

// payPlain pays in a browser with or without JavaScript.
func (v *visitor) payPlain(card string) {
	v.t.Helper()
	v.do(
		chromedp.SendKeys("#card_number", card, chromedp.ByID), chromedp.SendKeys("#exp", "12/49", chromedp.ByID),
		chromedp.SendKeys("#cvc", "123", chromedp.ByID), chromedp.SendKeys("#name", "Rosa N", chromedp.ByID),
		chromedp.Click("main form button", chromedp.ByQuery), chromedp.WaitNotPresent("#card_number", chromedp.ByID),
	)
}

// waitEmails waits until exactly this number of emails has a subject that begins with these words.
func (s *Stack) waitEmails(subject string, want int) {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		n := 0
		for _, m := range s.Mail().Messages() {
			if strings.HasPrefix(m.Subject, subject) {
				n++
			}
		}
		if n != want {
			return errors.New("the number of emails is not the one wanted yet")
		}
		return nil
	})
}
