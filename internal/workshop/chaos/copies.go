package chaos

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
)

func init() {
	register(Row{
		Name: "copies", No: "9", Short: 60, Long: 1000, Prove: Copies,
		Promise: "letters, each tenth cut off after its dot, senders killed now and then: as many Message-IDs, each copy equal to the byte, " +
			"no more copies than cuts and senders killed",
	})
}

const (
	cutEach = 10 // letter
	perKill = 20 // letters from one kill to the next
	senders = 8  // in one process
	// settling is how long the mail server may take to read what a dead sender had sent.
	settling = 50 * time.Millisecond
)

// Copies gives gifts, so that a receipt is emailed for each, while the mail server stores some emails without
// acknowledging them and the sender is killed at random moments. Another process takes over the dead sender's jobs
// after their lease, which the test makes old.
//
// One process sends with as many workers as it has, and one kill ends them all. An email that a worker had sent and not
// yet recorded is sent again. The row counts these at each kill; most kills find none.
func Copies(t testing.TB, run Run) {
	r := rand.New(rand.NewPCG(run.Seed, 9))
	s := e2e.Start(t, e2e.Options{Stripe: stripefake.Options{Seed: run.Seed | 1}})
	s.Mail().SetFault(mailcatch.Fault{Kind: mailcatch.CutAfterDot, Every: cutEach})
	var given, begun atomic.Int64
	var donors sync.WaitGroup
	for range giving {
		donors.Go(func() {
			for n := begun.Add(1); int(n) <= run.Number; n = begun.Add(1) {
				give(t, s, int(n), patient)
				given.Add(1)
				run.Reached(1)
			}
		})
	}
	kills, killed, counted := 0, 0, map[string]int{}
	for next := perKill; next <= run.Number; next += perKill {
		for len(s.Mail().Messages()) < next-r.IntN(perKill) && int(given.Load()) < run.Number {
			time.Sleep(5 * time.Millisecond)
		}
		s.Kill()
		kills++
		inHand := withoutTimes(t, s, counted)
		require.LessOrEqual(t, inHand, senders, "a process hands over so many letters at once")
		killed += inHand
		s.Restart()
		s.AgeLeases()
	}
	donors.Wait()
	s.AgeLeases()
	s.RequireGifts(run.Number) // also checks Message-IDs and copies

	messages, cuts := s.Mail().Messages(), 0
	for _, m := range messages {
		if m.Cut {
			cuts++
		}
	}
	copies := len(messages) - run.Number
	run.Found("copies", fmt.Sprint(copies))
	run.Found("cuts", fmt.Sprint(cuts))
	run.Found("kills", fmt.Sprint(kills))
	run.Found("senders killed between the dot and its note", fmt.Sprint(killed))
	require.Positive(t, cuts)
	require.LessOrEqual(t, copies, cuts+killed)
}

// withoutTimes counts the emails that the mail server acknowledged and the database does not record as accepted, while
// no sender runs. An email counted at an earlier kill counts again only if it was sent again since.
func withoutTimes(t testing.TB, s *e2e.Stack, counted map[string]int) (n int) {
	t.Helper()
	time.Sleep(settling)
	var ids []string
	require.NoError(t, s.DB.Owner.Select(&ids, `SELECT l.message_id FROM letter l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.accepted_at IS NOT NULL`))
	noted, copies := map[string]bool{}, map[string]int{}
	for _, id := range ids {
		noted[id] = true
	}
	for _, m := range s.Mail().Messages() {
		if !m.Cut && !noted[m.MessageID] {
			copies[m.MessageID]++
		}
	}
	for id, taken := range copies {
		if taken > counted[id] {
			n++
		}
		counted[id] = taken
	}
	return n
}
