package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/migrations"
)

func init() {
	register(Row{
		Name: "upgrade", No: "20", Short: 1, Long: 10, Prove: Upgrade, NeedsPrevious: true,
		Promise: "the previous release, with real gifts, migrated while it serves and then run beside this one: each gift has one payment, one " +
			"receipt and one entry, the books are what Stripe moved, and Down and Up change no row",
	})
}

// Upgrade lets the previous release take gifts on its own schema. Each round then migrates the database while the
// previous release serves, runs both releases side by side, and goes back to the previous schema.
func Upgrade(t testing.TB, run Run) {
	u := startUpgrade(t, run)
	u.takeHistory()
	for range run.Count {
		u.migrateWhileServing()
		u.startThisRelease()
		u.bothFinish(u.old)
		u.bothFinish(u.new)
		u.bothAtOnce()
		u.downAndUp()
		u.backToPrevious()
		run.Progress(1)
	}
	var gifts int
	require.NoError(t, u.DB.Owner.Get(&gifts, `SELECT count(*) FROM donation WHERE status = 'settled'`))
	run.Record("settled gifts", fmt.Sprint(gifts))
	for _, server := range u.Servers() {
		server.Kill()
	}
}

// upgrade is one database with a server of the previous release and one of this release.
type upgrade struct {
	*e2e.Stack
	t        testing.TB
	r        *rand.Rand
	run      Run
	old, new *e2e.Server       // new is nil before its first start
	donors   int               // number of donors so far: each donor gives once
	facts    map[string]*facts // of each entity
	intents  map[bool][]string // of settled one-time gifts that were not refunded or disputed yet; true: settled by old
	plans    []planBegun
	schema   int64           // the last migration of the previous release
	columns  map[string]bool // of the previous release's tables: "table column"
}

// planBegun is a monthly gift and its donor.
type planBegun struct{ email, session string }

// startUpgrade starts the previous release on an empty database, which it migrates itself.
func startUpgrade(t testing.TB, run Run) *upgrade {
	t.Helper()
	s := e2e.Start(t, e2e.Options{
		Program: run.Previous, Unknown: []string{"money_factor", "two_persons", "fiscal_year_starts"}, Empty: true, DB: testkit.EmptyDB(t),
		Stripe: stripefake.Options{Seed: run.Seed | 1},
	})
	u := &upgrade{
		Stack: s, t: t, r: rand.New(rand.NewPCG(run.Seed, 31)), run: run, old: s.Server,
		facts: map[string]*facts{}, intents: map[bool][]string{},
	}
	for _, entity := range e2e.Entities {
		u.facts[entity] = newFacts(t, s.Stripe(), entity)
	}
	require.NoError(t, s.DB.Owner.Get(&u.schema, `SELECT max(version_id) FROM goose_db_version WHERE is_applied`))
	u.columns = u.allColumns()
	return u
}

// takeHistory fills the previous schema: everything that can happen to a gift has happened to one.
func (u *upgrade) takeHistory() {
	u.expire(u.old)
	for range 5 {
		u.pay(u.old, u.begin(u.old, nil))
	}
	u.debit(u.begin(u.old, nil))
	u.beginPlan(u.old)
	u.beginPlan(u.old)
	u.drained()
	u.unexpected(u.old)
	u.afterwards(true)
	u.month()
	u.payout()
	u.drained()
	u.checkBooks()
}

// migrateWhileServing runs the migrations while donors give on the previous release's server. One gift is begun before
// and paid after them.
func (u *upgrade) migrateWhileServing() {
	u.SendWebhooksTo(u.old)
	begun := u.begin(u.old, nil)
	stop := u.startDonors(u.old)
	took(u.run, "migrated while serving", func() { u.konbit("", "migrate") })
	stop()
	u.pay(u.old, begun)
	u.drained()
	u.checkBooks()
}

// startThisRelease starts this release beside the previous one.
func (u *upgrade) startThisRelease() {
	if u.new == nil {
		u.UseProgram("")
		u.new = u.StartServer(nil)
	} else {
		u.new.Restart()
	}
}

// bothFinish begins gifts and plans on both servers and ends one server; the other one completes the work of both.
func (u *upgrade) bothFinish(finisher *e2e.Server) {
	other := u.old
	if finisher == u.old {
		other = u.new
	}
	u.expire(finisher)
	var begun []string
	for _, server := range []*e2e.Server{u.old, u.new, other} {
		begun = append(begun, u.begin(server, finisher))
	}
	u.beginPlan(other)
	u.beginPlan(finisher)
	u.drained()
	u.visitPortal(other, finisher)

	require.NoError(u.t, other.Stop())
	u.AgeLeases()
	if finisher == u.old {
		u.oneQueue()
	}
	u.SendWebhooksTo(finisher)
	for _, session := range begun[:2] {
		u.pay(finisher, session)
	}
	u.debit(begun[2])
	u.drained()
	u.unexpected(finisher)
	for _, settledByOld := range []bool{true, false} {
		u.afterwards(settledByOld)
	}
	u.month()
	u.payout()
	u.drained()
	u.checkBooks()
	other.Restart()
}

// bothAtOnce lets both servers take gifts and webhooks at the same time.
func (u *upgrade) bothAtOnce() {
	u.Balanced()
	for range 3 {
		u.pay(u.old, u.begin(u.old, nil))
		u.pay(u.new, u.begin(u.new, nil))
	}
	u.drained()
	u.Stripe().Advance(49 * time.Hour)
	stops := []func(){u.startDonors(u.old), u.startDonors(u.new)}
	u.sendPayout()
	u.afterwards(u.r.IntN(2) == 0)
	time.Sleep(2 * time.Second)
	for _, stop := range stops {
		stop()
	}
	u.drained()
	u.checkBooks()
	u.SendWebhooksTo(u.new)
}

// downAndUp migrates down and up while no server runs. Every row must be the same afterwards.
func (u *upgrade) downAndUp() {
	require.NoError(u.t, u.old.Stop())
	u.AgeLeases()
	u.payoutsRead()
	require.NoError(u.t, u.new.Stop())
	before := u.rows()
	u.down()
	u.konbit("", "migrate")
	u.AgeLeases()
	u.new.Restart()
	u.payoutsRead() // this release reads from Stripe what the previous schema cannot store
	require.NoError(u.t, u.new.Stop())
	u.requireSameRows(before, u.rows())
}

// backToPrevious continues with the previous release on its schema.
func (u *upgrade) backToPrevious() {
	u.down()
	u.konbit(u.run.Previous, "migrate") // the server's rights
	u.AgeLeases()
	u.oneQueue()
	u.old.Restart()
	u.SendWebhooksTo(u.old)
	u.pay(u.old, u.begin(u.old, nil))
	u.drained()
	u.afterwards(true)
	u.afterwards(false)
	u.month()
	u.payout()
	u.drained()
	u.checkBooks()
}

// konbit runs a command of the program at path; an empty path is this release.
func (u *upgrade) konbit(path string, args ...string) {
	u.t.Helper()
	u.UseProgram(path)
	u.Konbit(args...)
}

// oneQueue moves waiting jobs to the only queue that the previous release has, as running/upgrade.md says.
func (u *upgrade) oneQueue() {
	u.DB.Owner.MustExec(`UPDATE river_job SET queue = 'default' WHERE state IN ('available', 'pending', 'retryable', 'scheduled', 'running')`)
}

// down migrates to the schema of the previous release.
func (u *upgrade) down() {
	u.t.Helper()
	require.NoError(u.t, migrations.To(context.Background(), u.DB.OwnerURL, u.schema))
}

// startDonors lets three donors at a time give on a server until the returned function is called.
func (u *upgrade) startDonors(server *e2e.Server) (stop func()) {
	over := make(chan struct{})
	first := 1_000_000 + u.donors
	u.donors += 1000
	var giving sync.WaitGroup
	for donor := range 3 {
		giving.Go(func() {
			for n := first + 300*donor; ; n++ {
				if _, err := giveTo(u.Stripe(), server, n); err != nil {
					u.t.Errorf("donor %d on %s: %v", n, server.URL(), err)
					return
				}
				select {
				case <-over:
					return
				case <-time.After(200 * time.Millisecond):
				}
			}
		})
	}
	stop = sync.OnceFunc(func() { close(over); giving.Wait() })
	u.t.Cleanup(stop)
	return stop
}
