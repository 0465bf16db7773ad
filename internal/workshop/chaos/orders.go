package chaos

import (
	"fmt"
	"sync"
	"testing"

	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "orders", No: "3", Short: 720, Long: 8 * 720, Prove: Orders,
		Promise: "orders of the six events of a gift, a refund and a dispute, one by one and at once: one result for each case",
	})
}

// eventSequence lists the events whose order must not matter.
var eventSequence = []string{
	"checkout.session.completed", "payment_intent.succeeded", "charge.succeeded",
	"charge.refunded", "charge.dispute.created", "charge.dispute.closed",
}

// orderCase is what happened at Stripe to a gift of $20, and its expected result: the postings summed by fund
// and account, its receipts and its tasks. Stripe's fee is 88 cents, a dispute's fee 1500 cents, the
// sponsor's fee 140 cents.
type orderCase struct {
	name   string
	happen func(h *program.Program, intent string) error
	end    []string
}

var orderCases = []orderCase{
	{"an inquiry, answered by a full refund", func(h *program.Program, intent string) error {
		return after(func() (string, error) { return h.Fake.Dispute(intent, true) },
			func(dispute string) error { _, err := h.Fake.Refund(intent, 0); return err },
			func(dispute string) error { return h.Fake.CloseDispute(dispute, "closed") })
	}, []string{
		"operations 1010 -88", "operations 5100 88", "own 4100 -2000", "own 4805 2000",
		"receipt 2000 void refund", "status settled",
	}},
	{"refunded in part, then lost", func(h *program.Program, intent string) error {
		return after(func() (string, error) { _, err := h.Fake.Refund(intent, 500); return "", err },
			func(string) error { return disputed(h, intent, "lost") })
	}, []string{
		"operations 1010 -1588", "operations 3900 -105", "operations 4810 171", "operations 5100 22", "operations 5110 1500",
		"own 3900 105", "own 4100 -2000", "own 4805 500", "own 4815 1329", "own 4900 171", "own 4910 -171", "own 5100 66",
		"receipt 2000 void refund", "receipt 1500 void dispute replaces", "status settled", "task fund_could_not_bear",
	}},
	{"refunded in part, then won", func(h *program.Program, intent string) error {
		return after(func() (string, error) { _, err := h.Fake.Refund(intent, 500); return "", err },
			func(string) error { return disputed(h, intent, "won") })
	}, []string{
		"operations 1010 83", "operations 3900 -105", "operations 5100 22",
		"own 1010 1329", "own 3900 105", "own 4100 -2000", "own 4805 500", "own 4900 171", "own 4910 -171", "own 5100 66",
		"receipt 2000 void refund", "receipt 1500 replaces", "status settled",
	}},
	{"won, then refunded", func(h *program.Program, intent string) error {
		return after(func() (string, error) { return "", disputed(h, intent, "won") },
			func(string) error { _, err := h.Fake.Refund(intent, 0); return err })
	}, []string{
		"operations 1010 -88", "operations 5100 88", "own 4100 -2000", "own 4805 2000",
		"receipt 2000 void refund", "status settled",
	}},
}

// after calls first, then each function of then with its result.
func after(first func() (string, error), then ...func(string) error) error {
	id, err := first()
	for _, do := range then {
		if err == nil {
			err = do(id)
		}
	}
	return err
}

func disputed(h *program.Program, intent, outcome string) error {
	id, err := h.Fake.Dispute(intent, false)
	if err != nil {
		return err
	}
	return h.Fake.CloseDispute(id, outcome)
}

const (
	giftsPerProgram = 360 // gifts in one program, each with its own fund
	giftsPerGroup   = 36  // gifts whose events are delivered together
	programsAtOnce  = 2   // programs at once
)

// Orders delivers each gift's events in another order. The n-th proof uses the n-th of the 720 orders and the cases in
// turn, so 4 × 720 proofs cover every order of every case. The events of a group of gifts are delivered step by step,
// with event batches and imports of the balance between them at random; every fourth group is delivered all at once.
func Orders(t testing.TB, run Run) {
	shards := make(chan int)
	var all sync.WaitGroup
	for range programsAtOnce {
		all.Go(func() {
			for first := range shards {
				err := testkit.Try(t.Context(), fmt.Sprintf("orders from %d", first), func(t testing.TB) {
					reordered(t, run.Seed, first, min(first+giftsPerProgram, run.Count), run.Progress)
				})
				if err != nil {
					t.Errorf("orders from %d, -seed %d: %v", first, run.Seed, err)
				}
			}
		})
	}
	for first := 0; first < run.Count && !t.Failed(); first += giftsPerProgram {
		shards <- first
	}
	close(shards)
	all.Wait()
}
