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
		Promise: "servers suspended (SIGSTOP) while they work, some of them short of memory, until 30 to 120 s after the end of their " +
			"leases: other servers take over their work within lease + 5 s, and after they resume they do nothing twice",
	})
}

const (
	asleepAtOnce = 20
	longestLease = 30 * time.Second // of the balance import; a job's lease is 25 s, an idle transaction ends after 8 s
	takenOver    = longestLease + 5*time.Second
	perSleep     = 15 // gifts given while a server is suspended
	shortSleep   = 2 * time.Second
	settleTime   = 5 * time.Second // for work that a resumed server could still do
)

// Sleepers lets people give through one server that runs all the time, while all others, which process the
// same gifts, are suspended one by one. The short form makes their leases old instead of waiting for the end
// of the leases.
func Sleepers(t testing.TB, run Run) {
	full := run.Count > asleepAtOnce
	settings := map[string]string{}
	options := e2e.Options{Settings: settings, Stripe: stripefake.Options{Seed: run.Seed | 1}}
	s := e2e.Start(t, options)
	for i := range min(asleepAtOnce, run.Count) {
		own := map[string]string{}
		if i%3 == 0 {
			own["GOMEMLIMIT"] = "12MiB" // less than it needs: frequent garbage collection makes it slow
		}
		if !full {
			own["DATABASE_URL"] = s.DB.ServerURL + "&idle_in_transaction_session_timeout=1000"
		}
		s.StartServer(own)
	}
	r := rand.New(rand.NewPCG(run.Seed, 19))
	gifts, slowest := 0, time.Duration(0)
	for slept := 0; slept < run.Count && !t.Failed(); {
		sleepers := s.Servers()[1:]
		sleepers = sleepers[:min(len(sleepers), run.Count-slept)]
		took := suspendRun(t, s, r, sleepers, gifts, full)
		slowest = max(slowest, took)
		gifts += perSleep * len(sleepers)
		slept += len(sleepers)
		run.Progress(len(sleepers))
	}
	run.Record("slowest taking over", slowest.Round(time.Millisecond).String())
	s.RequireGifts(gifts)
	run.Record("emails that have a copy", fmt.Sprint(len(s.Mail().Messages())-gifts))
}

// suspendRun suspends all servers and returns the time from the last suspension until all work was done.
func suspendRun(t testing.TB, s *e2e.Stack, r *rand.Rand, sleepers []*e2e.Server, before int, full bool) time.Duration {
	gifts := perSleep * len(sleepers)
	length := time.Duration(gifts) * time.Second / giftsASecond * 2
	var working, sleeping sync.WaitGroup
	fellAsleep := make(chan time.Time, len(sleepers))
	awake := make(chan struct{}) // closed when the other servers have done all work
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
			for again := 0; errors.Is(err, errLater) && again < 10; again++ { // as a donor does if a busy server asks to try again
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
	time.Sleep(settleTime)
	bad, err := violations(s.DB.Owner)
	require.NoError(t, err)
	require.Empty(t, bad)
	return took
}
