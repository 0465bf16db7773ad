package e2e

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/mailcatch"
	"konbit/internal/stripefake"
	"konbit/internal/testkit"
)

// A crash is a step of a gift's path at which the server is killed with SIGKILL, in the order of the path.
type crash struct {
	group string // crashes of a group happen one after the other to gifts of one Konbit
	at    Failpoint
	pays  bool // the gift is begun before, and paid to come to the step; else the button is pressed
}

const letterJob = `NEW.kind = 'receipt_letter' AND NEW.state = `

var crashes = []crash{
	{"the button", Failpoint{Table: "donor", When: "BEFORE INSERT"}, false},
	{"the button", Failpoint{Table: "donation", When: "AFTER INSERT"}, false},
	{"the button", Failpoint{Table: "designation", When: "BEFORE INSERT"}, false},
	{"the button", Failpoint{Table: "donation_contact", When: "AFTER INSERT"}, false},
	{"the button", Failpoint{Table: "donation", When: AtCommit}, false},
	{"the button", Failpoint{Table: "donation", When: "BEFORE UPDATE", If: "NEW.checkout_session_id IS NOT NULL AND OLD.checkout_session_id IS NULL"}, false}, // Stripe has answered
	{"the button", Failpoint{Table: "donation", When: "AFTER UPDATE", If: "NEW.checkout_session_id IS NOT NULL AND OLD.checkout_session_id IS NULL"}, false},

	{"the webhook", Failpoint{Table: "stripe_event", When: "BEFORE INSERT"}, true}, // paid, and nobody was told
	{"the webhook", Failpoint{Table: "stripe_event", When: "AFTER INSERT"}, true},
	{"the webhook", Failpoint{Table: "stripe_event", When: AtCommit}, true},
	{"the webhook", Failpoint{Table: "donation", When: "BEFORE UPDATE", If: "NEW.status = 'settled'"}, true}, // stored, not drained
	{"the webhook", Failpoint{Table: "donation", When: "AFTER UPDATE", If: "NEW.status = 'settled'"}, true},
	{"the webhook", Failpoint{Table: "donation_step", When: "AFTER INSERT", If: "NEW.status = 'settled'"}, true},
	{"the webhook", Failpoint{Table: "fee_due", When: "BEFORE INSERT"}, true},
	{"the webhook", Failpoint{Table: "fee_due", When: "AFTER INSERT"}, true},
	{"the webhook", Failpoint{Table: "donor", When: "AFTER UPDATE"}, true},

	{"settling", Failpoint{Table: "journal_entry", When: "BEFORE INSERT", If: "NEW.kind = 'payment'"}, true},
	{"settling", Failpoint{Table: "journal_entry", When: "AFTER INSERT", If: "NEW.kind = 'payment'"}, true},
	{"settling", Failpoint{Table: "posting", When: "BEFORE INSERT"}, true},
	{"settling", Failpoint{Table: "posting", When: "AFTER INSERT", If: "NEW.n = NEW.line_count"}, true},
	{"settling", Failpoint{Table: "receipt_counter", When: "BEFORE INSERT"}, true},
	{"settling", Failpoint{Table: "receipt_counter", When: "AFTER INSERT OR UPDATE"}, true},
	{"settling", Failpoint{Table: "receipt", When: "BEFORE INSERT"}, true},
	{"settling", Failpoint{Table: "receipt", When: "AFTER INSERT"}, true},
	{"settling", Failpoint{Table: "river_job", When: "AFTER INSERT", If: "NEW.kind = 'receipt_letter'"}, true},
	{"settling", Failpoint{Table: "stripe_event", When: "BEFORE UPDATE", If: "NEW.state = 'done'"}, true},
	{"settling", Failpoint{Table: "receipt", When: AtCommit}, true},

	{"the letter", Failpoint{Table: "river_job", When: "BEFORE UPDATE", If: letterJob + "'running'"}, true}, // settled, nobody writes yet
	{"the letter", Failpoint{Table: "letter", When: "BEFORE INSERT"}, true},                                 // rendered
	{"the letter", Failpoint{Table: "letter_delivery", When: "BEFORE INSERT"}, true},
	{"the letter", Failpoint{Table: "letter", When: AtCommit}, true},
	{"the letter", Failpoint{Table: "letter_delivery", When: "BEFORE UPDATE"}, true}, // the mail server has accepted
	{"the letter", Failpoint{Table: "letter_delivery", When: "AFTER UPDATE"}, true},
	{"the letter", Failpoint{Table: "river_job", When: "BEFORE UPDATE", If: letterJob + "'completed'"}, true},

	{"the fee", Failpoint{Table: "balance_transaction", When: "BEFORE INSERT"}, true},
	{"the fee", Failpoint{Table: "balance_transaction", When: "AFTER INSERT"}, true},
	{"the fee", Failpoint{Table: "fee_due", When: "AFTER DELETE"}, true},
	{"the fee", Failpoint{Table: "journal_entry", When: "AFTER INSERT", If: "NEW.kind = 'processing fee'"}, true},
	{"the fee", Failpoint{Table: "charge_share", When: "BEFORE INSERT"}, true},
	{"the fee", Failpoint{Table: "charge_share", When: "AFTER INSERT"}, true},
	{"the fee", Failpoint{Table: "balance_transaction", When: AtCommit}, true},
}

// TestKilledAtAnyStep kills the server at every step of a gift's path and starts it again: the gift comes to the same end.
func TestKilledAtAnyStep(t *testing.T) {
	t.Parallel()
	groups := map[string][]crash{}
	for _, c := range crashes {
		groups[c.group] = append(groups[c.group], c)
	}
	for name, group := range groups {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{})
			for i, c := range group {
				typed := form(fmt.Sprintf("Crash%d", i))
				typed.Set("form", uuid.NewString())
				if c.pays {
					b := s.begin("csio", typed)
					s.KillAt(c.at, func() { require.NoError(t, s.Stripe().Pay(b.session, stripefake.GoodCard)) })
					s.AgeLeases()
					s.Restart()
					s.waitStatus(b, "settled")
				} else {
					s.KillAt(c.at, func() { go s.press(typed) })
					s.Restart()
					s.payAfter(typed)
				}
				s.AgeLeases()
			}
			s.WantGifts(len(group))
		})
	}
}

// press sends a form whose answer does not matter: the server is killed meanwhile.
func (s *Stack) press(typed url.Values) {
	if resp, err := script.PostForm(s.URL()+"/give/csio", typed); err == nil {
		_ = resp.Body.Close()
	}
}

// payAfter is a donor who presses the button once more and pays.
func (s *Stack) payAfter(typed url.Values) {
	s.t.Helper()
	b := s.begin("csio", typed)
	require.NoError(s.t, s.Stripe().Pay(b.session, stripefake.GoodCard))
	s.waitStatus(b, "settled")
}

// TestKilledWhileStripeIsAsked kills the server when the row is there and Stripe was asked for the payment page, and has made it or
// has not.
func TestKilledWhileStripeIsAsked(t *testing.T) {
	t.Parallel()
	const gifts = 4 // whether the page was made is chance
	s := Start(t, Options{Stripe: stripefake.Options{Hang: 2e9}})
	for i := range gifts {
		typed := form(fmt.Sprintf("Asked%d", i))
		typed.Set("form", uuid.NewString())
		asked := s.sessionCalls()
		require.NoError(t, s.Stripe().SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"timeout"}, Only: "POST /v1/checkout/sessions", Times: 1}))
		go s.press(typed)
		testkit.Eventually(t, patience, func() error {
			if s.sessionCalls() == asked {
				return fmt.Errorf("Stripe was not asked")
			}
			return nil
		})
		s.Kill()
		s.Restart()
		s.payAfter(typed)
	}
	s.WantGifts(gifts)
	require.Zero(t, s.count(`SELECT count(*) FROM donation WHERE status <> 'settled'`))
}

// TestKilledWhileTheMailServerHangs kills the server when the letter is rendered and being sent.
func TestKilledWhileTheMailServerHangs(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	s.Mail().SetFault(mailcatch.Fault{Kind: mailcatch.Hang})
	s.give("csio", "Hanging")
	testkit.Eventually(t, patience, func() error {
		if s.count(`SELECT count(*) FROM letter`) == 0 {
			return fmt.Errorf("no letter was rendered")
		}
		return nil
	})
	s.Kill()
	s.AgeLeases()
	s.Mail().SetFault(mailcatch.Fault{})
	s.Restart()
	s.WantGifts(1)
}

// TestFailedAtAnyStep lets each statement of settling fail, by an error and by the end of the database connection.
func TestFailedAtAnyStep(t *testing.T) {
	t.Parallel()
	for name, cut := range map[string]bool{"by an error": false, "by a cut connection": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Start(t, Options{})
			gifts := 0
			for i, c := range crashes {
				if c.group != "settling" && c.group != "the fee" {
					continue
				}
				gifts++
				b := s.begin("csio", form(fmt.Sprintf("Failing%d", i)))
				times := 2
				if c.group == "the fee" {
					times = 1 // it is tried again after three seconds
				}
				disarm := s.FailAt(c.at, times, cut)
				require.NoError(t, s.Stripe().Pay(b.session, stripefake.GoodCard))
				testkit.Eventually(t, patience, func() error {
					s.AgeLeases()
					s.DB.Owner.MustExec(`UPDATE balance_lookup SET next_look = now()`)
					if n := s.count(`SELECT last_value FROM failpoint_count`); n <= times {
						return fmt.Errorf("%s was reached %d times", c.at, n)
					}
					return nil
				})
				disarm()
			}
			s.WantGifts(gifts)
		})
	}
}
