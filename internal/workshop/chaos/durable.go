package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "durable", No: "5", Short: 15, Long: 1000, Prove: Durable,
		Promise: "kill -9 up to 50 ms after the 200 of a webhook: none is missing; while PostgreSQL is stopped, refuses or hangs, no " +
			"webhook is answered 2xx, and each is answered within 5 s",
	})
}

const (
	serverCount     = 3                     // number of servers killed in turn, so that one is ready while the others start
	webhooksPerKill = 4                     // webhooks at once before a kill
	grace           = 50 * time.Millisecond // from the first 200 to the kill, at most
	answerTime      = 5 * time.Second       // for a webhook's answer while the database is away
	outage          = 40                    // webhooks at once during the outage, more than a server has connections
	recovers        = 20 * time.Second      // until a server is ready again
)

// Durable kills a server moments after it acknowledged a webhook, and checks that the webhook is stored.
func Durable(t testing.TB, run Run) {
	serverDown(t, run)
	r := rand.New(rand.NewPCG(run.Seed, 6))
	s := e2e.Start(t, e2e.Options{Servers: serverCount, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	f := newFleet(t, s.Servers())
	var taken []string
	for n := range run.Count {
		server := f.servers[n%serverCount]
		f.waitReady(server)
		answered := make(chan string, webhooksPerKill)
		var all sync.WaitGroup
		for i := range webhooksPerKill {
			id := fmt.Sprintf("evt_durable%dn%d", n, i)
			all.Go(func() {
				if post(server.URL(), ignoredEvent(id)) == nil {
					answered <- id
				}
			})
		}
		select {
		case id := <-answered:
			taken = append(taken, id)
		case <-time.After(recovers):
			t.Fatalf("kill %d: no webhook was taken", n)
		}
		time.Sleep(time.Duration(r.Int64N(int64(grace))))
		f.kill(server)
		all.Wait()
		for close(answered); len(answered) > 0; {
			taken = append(taken, <-answered)
		}
		run.Progress(1)
	}
	var stored []string
	require.NoError(t, s.DB.Owner.Select(&stored, `SELECT id FROM stripe_event`))
	require.Subset(t, stored, taken, "acknowledged, and not there")
	require.GreaterOrEqual(t, len(taken), run.Count)
	run.Record("acknowledged", fmt.Sprint(len(taken)))
}

// ignoredEvent returns an event of a type that Konbit stores and does not process.
func ignoredEvent(id string) []byte {
	return fmt.Appendf(nil, `{"id":%q,"object":"event","type":"product.updated","api_version":%q,"created":%d,"livemode":false,"data":{"object":{"id":"prod_1","object":"product"}}}`,
		id, stripefake.APIVersion, time.Now().Unix())
}

// serverDown makes the database unreachable in each possible way. No webhook may be acknowledged then, each must be
// answered, and afterwards everything must work again without help.
func serverDown(t testing.TB, run Run) {
	c := testkit.NewCluster(t, nil)
	s := e2e.Start(t, e2e.Options{DB: c.Database, Proxied: true, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	require.NoError(t, post(s.URL(), ignoredEvent("evt_before")))
	for _, way := range []struct {
		name     string
		away, is func()
	}{
		{"stopped", c.Stop, c.Start},
		{"refusing", func() { s.Proxy().SetFaults(pgproxy.Faults{Refuse: true}) }, func() { s.Proxy().SetFaults(pgproxy.None()) }},
		{"hanging", func() { s.Proxy().SetFaults(pgproxy.Faults{Hang: true}) }, func() { s.Proxy().SetFaults(pgproxy.None()) }},
	} {
		way.away()
		slowest := requireRefused(t, s.URL(), way.name)
		require.Less(t, slowest, answerTime+timingTolerance(run.Count >= 1000), way.name)
		way.is()
		run.Record(way.name+", slowest answer", slowest.Round(time.Millisecond).String())
		testkit.Eventually(t, recovers, func() error { return post(s.URL(), ignoredEvent("evt_after_"+way.name)) })
	}
	s.Kill()
}

// requireRefused posts many webhooks at once, then some one after another. Each must be refused quickly.
func requireRefused(t testing.TB, server, way string) (slowest time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	one := func(i int) {
		began := time.Now()
		err := post(server, ignoredEvent(fmt.Sprintf("evt_in_%s_%d", way, i)))
		mu.Lock()
		defer mu.Unlock()
		slowest = max(slowest, time.Since(began))
		if err == nil || !strings.Contains(err.Error(), "is answered 5") {
			t.Errorf("%s: want a webhook refused, not %v", way, err)
		}
	}
	for i := range outage {
		all.Go(func() { one(i) })
	}
	all.Wait()
	for i := range 3 {
		one(outage + i)
	}
	return slowest
}
