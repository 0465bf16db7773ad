package e2e

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// TestKilledAtAnyStep kills the server at every step of a gift's path and starts it again. The gift must end in the
// same state.
func TestKilledAtAnyStep(t *testing.T) {
	t.Parallel()
	groups := map[string][]Step{}
	for _, c := range Steps {
		groups[c.Group] = append(groups[c.Group], c)
	}
	for name, group := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{})
			for i, c := range group {
				typed := form(fmt.Sprintf("Crash%d", i))
				typed.Set("form", uuid.NewString())
				if c.Pays {
					b := s.begin("csio", typed)
					s.KillAt(c.At, func() { require.NoError(t, s.Stripe().Pay(b.session, stripefake.GoodCard)) })
					s.AgeLeases()
					s.Restart()
					s.waitStatus(b, "settled")
				} else {
					s.KillAt(c.At, func() { go s.submitForm(typed) })
					s.Restart()
					s.submitAndPay(typed)
				}
				s.AgeLeases()
			}
			s.RequireGifts(len(group))
		})
	}
}

// submitForm sends a form and ignores the answer: the server is killed meanwhile.
func (s *Stack) submitForm(typed url.Values) {
	if resp, err := script.PostForm(s.URL()+"/give/csio", typed); err == nil {
		_ = resp.Body.Close()
	}
}

// submitAndPay submits the form again and pays.
func (s *Stack) submitAndPay(typed url.Values) {
	s.t.Helper()
	b := s.begin("csio", typed)
	require.NoError(s.t, s.Stripe().Pay(b.session, stripefake.GoodCard))
	s.waitStatus(b, "settled")
}

// TestKilledWhileStripeIsAsked kills the server after it stored the gift's row and requested the payment page, before
// or after Stripe created the page.
func TestKilledWhileStripeIsAsked(t *testing.T) {
	t.Parallel()
	const gifts = 4 // whether Stripe created the page depends on chance
	s := Start(t, Options{Stripe: stripefake.Options{Hang: 2e9}})
	for i := range gifts {
		typed := form(fmt.Sprintf("Asked%d", i))
		typed.Set("form", uuid.NewString())
		asked := s.sessionCalls()
		require.NoError(t, s.Stripe().SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"timeout"}, Only: "POST /v1/checkout/sessions", Times: 1}))
		go s.submitForm(typed)
		testkit.Eventually(t, waitTimeout, func() error {
			if s.sessionCalls() == asked {
				return fmt.Errorf("Stripe was not asked")
			}
			return nil
		})
		s.Kill()
		s.Restart()
		s.submitAndPay(typed)
	}
	s.RequireGifts(gifts)
	require.Zero(t, s.count(`SELECT count(*) FROM donation WHERE status <> 'settled'`))
}

// TestKilledWhileTheMailServerHangs kills the server while it sends an email that is already rendered.
func TestKilledWhileTheMailServerHangs(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.Mail().SetFault(mailcatch.Fault{Kind: mailcatch.Hang})
	s.give("csio", "Hanging")
	testkit.Eventually(t, waitTimeout, func() error {
		if s.count(`SELECT count(*) FROM letter`) == 0 {
			return fmt.Errorf("no email was rendered")
		}
		return nil
	})
	s.Kill()
	s.AgeLeases()
	s.Mail().SetFault(mailcatch.Fault{})
	s.Restart()
	s.RequireGifts(1)
}

// TestFailedAtAnyStep makes each statement of settling fail, with an error and with the end of the database connection.
func TestFailedAtAnyStep(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]bool{"by an error": false, "by a cut connection": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{})
			gifts := 0
			for i, c := range Steps {
				if c.Group != "settling" && c.Group != "the fee" {
					continue
				}
				gifts++
				b := s.begin("csio", form(fmt.Sprintf("Failing%d", i)))
				times := 2
				if c.Group == "the fee" {
					times = 1 // it is tried again after three seconds
				}
				disarm := s.FailAt(c.At, times, cut)
				require.NoError(t, s.Stripe().Pay(b.session, stripefake.GoodCard))
				testkit.Eventually(t, waitTimeout, func() error {
					s.AgeLeases()
					s.DB.Owner.MustExec(`UPDATE balance_lookup SET next_look = now()`)
					if n := s.count(`SELECT last_value FROM failpoint_count`); n <= times {
						return fmt.Errorf("%s was reached %d times", c.At, n)
					}
					return nil
				})
				disarm()
			}
			s.RequireGifts(gifts)
		})
	}
}
