package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

func init() {
	register(Row{
		Name: "deaths", No: "7", Short: 14, Long: 400, Prove: Deaths,
		Promise: "failures of the database in the middle of transactions while people give: backends ended and killed, immediate stops, " +
			"replies of COMMIT lost by FIN and RST, errors and closed connections at each step of a gift: nothing lost, doubled or " +
			"half done",
	})
}

// Numbers of each fault among twenty; the others fail at a step of a gift's path. In full: 100 backends, 20
// stops, 100 replies lost by FIN and 100 by RST, and two failures at each step except two of them: once an
// error, once a closed connection.
const (
	twenty        = 20
	backends      = 5
	stops         = 1
	replies       = 5 // for each of FIN and RST
	deathWithin   = time.Minute
	betweenDeaths = 250 // milliseconds, at most
)

// deathsRun is a Konbit whose database fails repeatedly while donors give.
type deathsRun struct {
	*e2e.Stack
	t       testing.TB
	cluster *testkit.Cluster
	r       *rand.Rand
	donors  *donorGroup
	admin   *sqlx.DB
	steps   int // steps disturbed so far
}

// Deaths makes the database fail in every way, in an order that follows from the seed.
func Deaths(t testing.TB, run Run) {
	c := testkit.NewCluster(t, nil)
	s := e2e.Start(t, e2e.Options{Servers: run.servers(), Proxied: true, DB: c.Database, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	admin, err := pg.Open(t.Context(), c.AdminURL(), 2)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close() })
	d := &deathsRun{Stack: s, t: t, cluster: c, r: rand.New(rand.NewPCG(run.Seed, 7)), donors: newDonorGroup(t, s, 1<<20), admin: admin}
	d.steps = d.r.IntN(len(e2e.Steps))
	stop := invariantWatch(t, s.DB.Owner)
	ways := d.shuffledFaults(run.Count)
	for _, die := range ways {
		if t.Failed() {
			break
		}
		d.donors.addIfIdle()
		die()
		run.Progress(1)
		time.Sleep(time.Duration(d.r.IntN(betweenDeaths)) * time.Millisecond)
	}
	d.endFaults()
	began := time.Now()
	d.donors.wait()
	stop()
	if run.Count <= twenty {
		s.AgeLeases()
	}
	s.WaitDrained(drained)
	run.Record("gifts", fmt.Sprint(d.donors.next))
	run.Record("drained", time.Since(began).Round(time.Millisecond).String())
	s.RequireGifts(d.donors.next)
	checkAcknowledged(t, s.Stripe(), s.DB.Owner)
	all, err := violations(s.DB.Owner, livenessCheckers...)
	require.NoError(t, err)
	require.Empty(t, all)
	for _, server := range s.Servers() {
		server.Kill()
	}
}

// shuffledFaults returns n faults, shuffled.
func (d *deathsRun) shuffledFaults(n int) (all []func()) {
	add := func(of int, how func()) {
		for range max(1, n*of/twenty) {
			all = append(all, how)
		}
	}
	add(backends, d.backend)
	add(stops, d.stop)
	add(replies, func() { d.dropCommitReply(pgproxy.FIN) })
	add(replies, func() { d.dropCommitReply(pgproxy.Reset) })
	for len(all) < n {
		all = append(all, d.step)
	}
	d.r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

// backend ends one of the servers' backends: with pg_terminate_backend, or by SIGKILL, after which PostgreSQL
// ends all backends and recovers. It prefers a backend with an open transaction.
func (d *deathsRun) backend() {
	const query = `SELECT pid FROM pg_stat_activity WHERE usename = $1 ORDER BY state = 'idle', random() LIMIT 1`
	var pid int
	testkit.Eventually(d.t, deathWithin, func() error { return d.admin.Get(&pid, query, testkit.ServerRole) })
	if d.r.IntN(2) == 0 {
		_, _ = d.admin.Exec(`SELECT pg_terminate_backend($1)`, pid) // the backend may have ended
		return
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	d.waitForDatabase()
}

// stop stops PostgreSQL at once and starts it again after a moment.
func (d *deathsRun) stop() {
	d.cluster.Stop()
	time.Sleep(time.Duration(d.r.IntN(500)) * time.Millisecond)
	d.cluster.Start()
	d.waitForDatabase()
}

// waitForDatabase waits until the database accepts writes again.
func (d *deathsRun) waitForDatabase() {
	testkit.Eventually(d.t, deathWithin, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_, err := d.admin.ExecContext(ctx, `SELECT pg_current_xact_id()`)
		return err
	})
}

// dropCommitReply drops the reply of one COMMIT.
func (d *deathsRun) dropCommitReply(end pgproxy.End) {
	server := pick(d.r, d.Servers())
	before := server.Proxy().Counts().Swallowed
	server.Proxy().SetFaults(pgproxy.Faults{Swallow: 0.5, End: end})
	defer server.Proxy().SetFaults(pgproxy.None())
	testkit.Eventually(d.t, deathWithin, func() error {
		d.donors.addIfIdle()
		if server.Proxy().Counts().Swallowed == before {
			return fmt.Errorf("nothing was committed through %s", server.URL())
		}
		return nil
	})
}

// step makes the next step of the path fail, with an error or a closed connection, and waits until a transaction
// reached it.
func (d *deathsRun) step() {
	step, act := e2e.Steps[d.steps%len(e2e.Steps)], e2e.Raise
	if d.steps/len(e2e.Steps)%2 == 1 {
		act = e2e.Cut
	}
	d.steps++
	testkit.Eventually(d.t, deathWithin, func() error { return d.Disturb(step.At, act, 1) })
	testkit.Eventually(d.t, deathWithin, func() error {
		d.donors.addIfIdle()
		if n, err := d.Reached(); err != nil || n == 0 {
			return fmt.Errorf("no transaction reached %s (%w)", step.At, err)
		}
		return nil
	})
	d.ClearFailpoint()
}

// endFaults ends the remaining faults.
func (d *deathsRun) endFaults() {
	d.waitForDatabase()
	for _, server := range d.Servers() {
		server.Proxy().SetFaults(pgproxy.None())
	}
	d.ClearFailpoint()
}
