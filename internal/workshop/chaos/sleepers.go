package chaos

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
)

func init() {
	register(Row{
		Name: "sleepers", No: "19", Short: 4, Long: 100, Prove: Sleepers,
		Promise: "servers put to sleep (SIGSTOP) while they work, some of them short of memory, until 30 to 120 s after their leases: what they " +
			"had is taken over within lease + 5 s, and awake again they do nothing twice",
	})
}

const (
	asleepAtOnce = 20
	longestLease = 30 * time.Second // of the look through a balance; a job's is 25 s, a transaction left open ends after 8 s
	takenOver    = longestLease + 5*time.Second
	perSleep     = 15 // gifts given meanwhile
	shortSleep   = 2 * time.Second
	settleDowns  = 5 * time.Second // for the woken to do whatever they would
)

// Sleepers lets people give through one server that stays awake, while all others, which work on the same gifts, fall asleep one by one.
// The short form makes their leases old instead of waiting for them.
func Sleepers(t testing.TB, run Run) {
	full := run.Number > asleepAtOnce
	settings := map[string]string{}
	options := e2e.Options{Settings: settings, Stripe: stripefake.Options{Seed: run.Seed | 1}}
	s := e2e.Start(t, options)
	for i := range min(asleepAtOnce, run.Number) {
		own := map[string]string{}
		if i%3 == 0 {
			own["GOMEMLIMIT"] = "12MiB" // less than it needs: it is slow by collecting garbage
		}
		if !full {
			own["DATABASE_URL"] = s.DB.ServerURL + "&idle_in_transaction_session_timeout=1000"
		}
		s.StartServer(own)
	}
	r := rand.New(rand.NewPCG(run.Seed, 19))
	gifts, slowest := 0, time.Duration(0)
	for slept := 0; slept < run.Number && !t.Failed(); {
		sleepers := s.Servers()[1:]
		sleepers = sleepers[:min(len(sleepers), run.Number-slept)]
		took := suspendRun(t, s, r, sleepers, gifts, full)
		slowest = max(slowest, took)
		gifts += perSleep * len(sleepers)
		slept += len(sleepers)
		run.Reached(len(sleepers))
	}
	run.Found("slowest taking over", slowest.Round(time.Millisecond).String())
	s.RequireGifts(gifts)
	run.Found("letters that have a copy", fmt.Sprint(len(s.Mail().Messages())-gifts))
}

// suspendRun suspends all servers and returns the time from the last suspension until all work was done.
func suspendRun(t testing.TB, s *e2e.Stack, r *rand.Rand, sleepers []*e2e.Server, before int, full bool) time.Duration {
	gifts := perSleep * len(sleepers)
	length := time.Duration(gifts) * time.Second / giftsASecond * 2
	var working, sleeping sync.WaitGroup
	fellAsleep := make(chan time.Time, len(sleepers))
	awake := make(chan struct{}) // nobody wakes before all is done by others
	for _, server := range sleepers {
		at, beyond := time.Duration(r.Int64N(int64(length))), 30*time.Second+time.Duration(r.Int64N(int64(90*time.Second)))
		sleeping.Go(func() {
			time.Sleep(at)
			if err := server.Suspend(); err != nil {
				t.Error(err)
			}
			asleep := time.Now()
			fellAsleep <- asleep
			<-awake
			if full {
				time.Sleep(time.Until(asleep.Add(longestLease + beyond)))
			} else {
				time.Sleep(shortSleep)
			}
			if err := server.Resume(); err != nil {
				t.Error(err)
			}
		})
	}
	working.Go(func() {
		send(length, gifts*int(time.Second)/int(length), func(n int, _ time.Time) {
			form := giftForm(before + n)
			page, err := submit(s.URL(), form)
			for again := 0; errors.Is(err, errLater) && again < 10; again++ { // as a donor does whom a busy machine asks to
				time.Sleep(time.Second)
				page, err = submit(s.URL(), form)
			}
			if err == nil {
				err = s.Stripe().Pay(path.Base(page), stripefake.GoodCard)
			}
			if err != nil {
				t.Errorf("gift %d: %v", before+n, err)
			}
		})
	})
	var last time.Time
	for range sleepers {
		last = <-fellAsleep
	}
	working.Wait()
	if !full {
		time.Sleep(shortSleep)
		s.AgeLeases()
	}
	s.WaitDrained(time.Until(last.Add(takenOver)) + timingTolerance(full))
	took := time.Since(last)
	close(awake)
	sleeping.Wait()
	time.Sleep(settleDowns)
	bad, err := wrong(s.DB.Owner)
	require.NoError(t, err)
	require.Empty(t, bad)
	return took
}
