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
		Promise: "emails, each tenth cut off after its final dot, while senders are killed at times: as many Message-IDs as emails, " +
			"every copy equal byte by byte, no more copies than cuts and killed senders",
	})
}

const (
	cutEach = 10 // one email of this many is cut off
	perKill = 20 // emails between two kills
	senders = 8  // workers of one process
	// settling is the time the mail server may need to read what a killed sender had sent.
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
			for n := begun.Add(1); int(n) <= run.Count; n = begun.Add(1) {
				give(t, s, int(n), patient)
				given.Add(1)
				run.Progress(1)
			}
		})
	}
	kills, killed, counted := 0, 0, map[string]int{}
	for next := perKill; next <= run.Count; next += perKill {
		for len(s.Mail().Messages()) < next-r.IntN(perKill) && int(given.Load()) < run.Count {
			time.Sleep(5 * time.Millisecond)
		}
		s.Kill()
		kills++
		inHand := withoutTimes(t, s, counted)
		require.LessOrEqual(t, inHand, senders, "emails that one process hands over at once")
		killed += inHand
		s.Restart()
		s.AgeLeases()
	}
	donors.Wait()
	s.AgeLeases()
	s.RequireGifts(run.Count) // also checks Message-IDs and copies

	messages, cuts := s.Mail().Messages(), 0
	for _, m := range messages {
		if m.Cut {
			cuts++
		}
	}
	copies := len(messages) - run.Count
	run.Record("copies", fmt.Sprint(copies))
	run.Record("cuts", fmt.Sprint(cuts))
	run.Record("kills", fmt.Sprint(kills))
	run.Record("senders killed between the dot and its note", fmt.Sprint(killed))
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
