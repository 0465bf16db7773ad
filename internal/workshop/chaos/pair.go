package chaos

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/testkit"
	"konbit/migrations"
)

// pair is two PostgreSQL servers of one test, a primary and its synchronous standby, with different addresses. A proxy
// is between the program and each server, so that a running server can be unreachable.
type pair struct {
	t       testing.TB
	at      [2]site
	primary int // the site of
	*testkit.Database
}

type site struct {
	options localpg.Options
	server  *localpg.Server
	proxy   *pgproxy.Proxy
}

const database = "konbit"

func newPair(t testing.TB, seed uint64) *pair {
	t.Helper()
	base, err := os.MkdirTemp("/tmp", "konbit-pair-") // PostgreSQL's account may enter it; short enough for a socket
	require.NoError(t, err)
	require.NoError(t, os.Chmod(base, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	p := &pair{t: t}
	for i := range p.at {
		p.at[i].options = localpg.Options{
			DataDir: filepath.Join(base, "data"+strconv.Itoa(i)), SocketDir: filepath.Join(base, "socket"+strconv.Itoa(i)),
			Settings: map[string]string{"synchronous_commit": "on", "full_page_writes": "on"},
		}
	}
	t.Cleanup(func() {
		for _, at := range p.at {
			if at.proxy != nil {
				at.proxy.Close()
			}
			if at.server != nil {
				at.server.Stop()
			}
		}
	})
	p.at[0].server, err = testkit.StartMigrated(context.Background(), p.at[0].options, database)
	require.NoError(t, err)
	p.join(1)
	for i := range p.at {
		p.at[i].proxy, err = pgproxy.Start(p.at[i].server.URL(testkit.ServerRole, database), seed+uint64(i))
		require.NoError(t, err)
	}
	p.Database = &testkit.Database{ServerURL: p.url(testkit.ServerRole), OwnerURL: p.url(testkit.OwnerRole)}
	p.Server, p.Owner = p.open(p.ServerURL), p.open(p.OwnerURL)
	require.NoError(t, migrations.LimitClock(context.Background(), p.Owner.DB, false))
	return p
}

// url names both servers, as DATABASE_URL does.
func (p *pair) url(role string) string {
	q := url.Values{"sslmode": {"disable"}, "target_session_attrs": {"read-write"}}
	for i, name := range []string{"host", "port"} {
		var of [2]string
		for at := range p.at {
			u, err := url.Parse(p.at[at].proxy.URL())
			require.NoError(p.t, err)
			of[at] = []string{u.Hostname(), u.Port()}[i]
		}
		q.Set(name, of[0]+","+of[1])
	}
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: q.Encode()}
	return u.String()
}

func (p *pair) open(url string) *sqlx.DB {
	db, err := pg.Open(context.Background(), url, 5)
	require.NoError(p.t, err)
	p.t.Cleanup(func() { _ = db.Close() })
	return db
}

func (p *pair) start(i int) {
	p.t.Helper()
	var err error
	p.at[i].server, err = localpg.Start(context.Background(), p.at[i].options)
	require.NoError(p.t, err)
}

// join makes the server at a site the synchronous standby of the primary, by a new copy.
func (p *pair) join(i int) {
	p.t.Helper()
	at := &p.at[i]
	require.NoError(p.t, localpg.Remove(context.Background(), at.options.DataDir))
	primary := p.at[p.primary].server
	at.options.Follow = primary
	p.start(i)
	if at.proxy != nil {
		at.proxy.SetFaults(pgproxy.None())
	}
	require.NoError(p.t, primary.Set(context.Background(), "synchronous_standby_names", localpg.StandbyName))
}

// loseServer kills the primary or makes it unreachable for the program.
func (p *pair) loseServer(cutOff bool) {
	p.t.Helper()
	at := p.at[p.primary]
	if cutOff {
		at.proxy.SetFaults(pgproxy.Faults{Hang: true})
		return
	}
	require.NoError(p.t, at.server.Kill())
}

// promote makes the standby the primary.
func (p *pair) promote() {
	p.t.Helper()
	p.primary = 1 - p.primary
	require.NoError(p.t, p.at[p.primary].server.Promote(context.Background()))
}

// restoreStandby makes the former primary a standby. If it still runs, it is stopped first.
func (p *pair) restoreStandby() {
	p.t.Helper()
	former := 1 - p.primary
	p.at[former].server.Stop()
	p.join(former)
}

// queryDirectly connects to the primary without the proxy.
func (p *pair) queryDirectly(into any, query string) {
	p.t.Helper()
	db, err := sqlx.Connect("postgres", p.at[p.primary].server.URL(testkit.OwnerRole, database))
	require.NoError(p.t, err)
	defer db.Close()
	require.NoError(p.t, db.Select(into, query))
}
