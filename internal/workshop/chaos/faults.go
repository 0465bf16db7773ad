package chaos

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/stripefake"
)

// faults makes everything around the servers fail at once, by a seed: Stripe and its webhooks, the mail server, each
// server's connection to the database, and the steps of a gift's path. The faults change every few hundred milliseconds
// until stop.
type faults struct {
	t        testing.TB
	s        *e2e.Stack
	r        *rand.Rand
	stopping chan struct{}
	running  sync.WaitGroup
	// mailEnds is when the mail server's current fault ends. It has faults for an eighth of the time. With more, an
	// email fails six times and then waits for more than a minute, which row 8 is about.
	mailEnds time.Time
}

func startFaults(t testing.TB, s *e2e.Stack, seed uint64) *faults {
	w := &faults{t: t, s: s, r: rand.New(rand.NewPCG(seed, 4)), stopping: make(chan struct{})}
	w.running.Go(w.run)
	return w
}

// stop ends every fault.
func (w *faults) stop() {
	close(w.stopping)
	w.running.Wait()
	require.NoError(w.t, w.s.Stripe().SetFaults(stripefake.Faults{}))
	require.NoError(w.t, w.s.Stripe().SetMode(stripefake.Normal))
	w.s.Mail().SetFault(mailcatch.Fault{})
	for _, server := range w.s.Servers() {
		server.Proxy().SetFaults(pgproxy.None())
	}
	w.s.ClearFailpoint()
}

func (w *faults) run() {
	for {
		w.stripe()
		w.mail()
		for _, server := range w.s.Servers() {
			server.Proxy().SetFaults(w.database())
		}
		w.step()
		select {
		case <-w.stopping:
			return
		case <-time.After(time.Duration(100+w.r.IntN(600)) * time.Millisecond):
		}
	}
}

func (w *faults) stripe() {
	faults := stripefake.Faults{}
	if w.r.IntN(2) == 0 {
		faults = stripefake.Faults{Rate: 0.05 + 0.25*w.r.Float64(), Kinds: stripefake.FaultKinds}
	}
	modes := []stripefake.Mode{stripefake.Normal, stripefake.Shuffle, stripefake.Duplicate, stripefake.Delay, stripefake.Drop}
	if err := w.s.Stripe().SetFaults(faults); err != nil {
		w.t.Error(err)
	}
	if err := w.s.Stripe().SetMode(pick(w.r, modes)); err != nil {
		w.t.Error(err)
	}
	w.s.SendWebhooksTo(pick(w.r, w.s.Servers()))
}

func (w *faults) mail() {
	const spell = 500 * time.Millisecond
	switch now := time.Now(); {
	case now.Before(w.mailEnds):
	case !w.mailEnds.IsZero() && now.Before(w.mailEnds.Add(7*spell)):
		w.s.Mail().SetFault(mailcatch.Fault{})
	default:
		w.mailEnds = now.Add(spell)
		w.s.Mail().SetFault(mailcatch.Fault{
			Kind:  pick(w.r, []mailcatch.Kind{mailcatch.Refuse, mailcatch.Hang, mailcatch.Defer, mailcatch.CutAfterDot}),
			Every: 1 + w.r.IntN(2),
		})
	}
}

// database draws the faults of one server's database connections.
func (w *faults) database() pgproxy.Faults {
	switch w.r.IntN(20) {
	case 0:
		return pgproxy.Faults{Refuse: true}
	case 1:
		return pgproxy.Faults{Hang: true}
	case 2, 3, 4, 5, 6, 7, 8, 9:
		return pgproxy.Faults{
			Delayed: 0.2 * w.r.Float64(), Delay: 30 * time.Millisecond, Cut: 0.02 * w.r.Float64(), Swallow: 0.2 * w.r.Float64(),
		}
	}
	return pgproxy.None()
}

// step sets a failpoint at a step of the path and replaces the previous one. If the tables are too busy, the previous
// one stays.
func (w *faults) step() {
	if w.r.IntN(3) > 0 {
		return
	}
	step, act, n := pick(w.r, e2e.Steps), pick(w.r, []e2e.FailpointAction{e2e.Raise, e2e.Cut, e2e.Sleep}), 1+w.r.IntN(3)
	if err := w.s.Disturb(step.At, act, n); err != nil {
		w.t.Logf("not disturbed: %v", err)
	}
}
