package bench

import (
	"bytes"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/localpg/tether"
	"konbit/internal/workshop/testkit"
)

// What stands beside settling, each as one transaction per gift by pgbench with prepared statements over a Unix socket. They write
// what settling writes of the outside world's view (event, the gift's state, entry, postings, receipt with its number, letter job) into
// plain tables with keys and foreign keys, and none of what Konbit keeps besides (steps, seals, dimensions, donors, fees due, and the
// triggers that hold its rules). Nor do they check a signature or speak HTTP.
var (
	//go:embed rival_schema.sql
	rivalSchema string
	//go:embed rival_naive.sql
	naiveScript string // N: the fund's balances in rows that every gift updates, the receipt's number from a counter
	//go:embed rival_derived.sql
	derivedScript string // D: balances left to be added up, the number from a sequence, gaps and all: no row that two gifts share
	//go:embed rival_event.sql
	eventScript string // the webhook's row, and nothing else
)

// baseline is a separate database on the same PostgreSQL for the work that is measured beside Konbit.
type baseline struct {
	t     testing.TB
	db    *testkit.Database
	dir   string
	body  string // what an event carries, as big as Stripe's
	spent int    // gifts of each client that are settled
}

// giftsPerClient is how many gifts wait for each client of a baseline.
const giftsPerClient, rivalClients = 4000, 32

func newBaseline(t testing.TB, body []byte) *baseline {
	t.Helper()
	r := &baseline{t: t, db: testkit.EmptyDB(t), dir: t.TempDir(), body: string(body)}
	_, err := r.db.Owner.Exec(rivalSchema)
	require.NoError(t, err)
	_, err = r.db.Owner.Exec(`INSERT INTO gift (id, fund_id, amount)
		SELECT client * 1000000 + n, 1, 2000 FROM generate_series(0, $1 - 1) client, generate_series(1, $2) n`, rivalClients, giftsPerClient)
	require.NoError(t, err)
	_, err = r.db.Owner.Exec(`ANALYZE`)
	require.NoError(t, err)
	return r
}

var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \(without`)

// run has so many clients run a script so many times each and answers transactions a second.
func (r *baseline) run(script string, clients, each int) float64 {
	r.t.Helper()
	require.LessOrEqual(r.t, r.spent+each, giftsPerClient, "gifts that wait for a rival")
	path := filepath.Join(r.dir, "script.sql")
	require.NoError(r.t, os.WriteFile(path, []byte(script), 0o600))
	pgbench, err := localpg.Program("pgbench")
	require.NoError(r.t, err)
	cmd := exec.Command(pgbench, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)), "-t", strconv.Itoa(each),
		"-D", fmt.Sprintf("n=%d", r.spent), "-D", "body="+r.body, "-f", path, r.db.OwnerURL)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	r.spent += each
	process, err := tether.Start(cmd, tether.Options{Signal: "TERM"})
	require.NoError(r.t, err)
	<-process.Done()
	require.NoError(r.t, process.Err(), out.String())
	said := tps.FindStringSubmatch(out.String())
	require.NotNil(r.t, said, out.String())
	rate, err := strconv.ParseFloat(said[1], 64)
	require.NoError(r.t, err)
	return rate
}

// naive and derived settle so many gifts in all by so many clients and answer gifts a second.
func (r *baseline) naive(clients, gifts int) float64 {
	return r.run(naiveScript, clients, gifts/clients)
}
func (r *baseline) derived(clients, gifts int) float64 {
	return r.run(derivedScript, clients, gifts/clients)
}
