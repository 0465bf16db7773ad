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

// The baselines settle one gift per transaction, by pgbench with prepared statements over a Unix socket.
// Their transaction writes the visible result of settling (event, status of the gift, entry, postings,
// receipt with its number, email job) to plain tables with keys and foreign keys. It does not write what
// Konbit stores in addition (status history, seals, dimensions, donors, fees due, the triggers that enforce
// its rules), does not check a signature and does not use HTTP.
var (
	//go:embed baseline_schema.sql
	baselineSchema string
	//go:embed baseline_naive.sql
	naiveScript string // N: every gift updates the rows with the fund's balances; the receipt number comes from a counter
	//go:embed baseline_derived.sql
	derivedScript string // D: balances are computed when read; the number comes from a sequence: no shared rows
	//go:embed baseline_event.sql
	eventScript string // only the webhook's row
)

// baseline is a separate database on the same PostgreSQL for the work that is measured beside Konbit.
type baseline struct {
	t       testing.TB
	db      *testkit.Database
	dir     string
	payload string // payload of an event, as large as Stripe's
	settled int    // gifts already settled by each client
}

// giftsPerClient is how many gifts are prepared for each client of a baseline.
const giftsPerClient, baselineClients = 4000, 32

func newBaseline(t testing.TB, body []byte) *baseline {
	t.Helper()
	r := &baseline{t: t, db: testkit.EmptyDB(t), dir: t.TempDir(), payload: string(body)}
	_, err := r.db.Owner.Exec(baselineSchema)
	require.NoError(t, err)
	_, err = r.db.Owner.Exec(`INSERT INTO gift (id, fund_id, amount)
		SELECT client * 1000000 + n, 1, 2000 FROM generate_series(0, $1 - 1) client, generate_series(1, $2) n`, baselineClients, giftsPerClient)
	require.NoError(t, err)
	_, err = r.db.Owner.Exec(`ANALYZE`)
	require.NoError(t, err)
	return r
}

var tps = regexp.MustCompile(`(?m)^tps = ([0-9.]+) \(without`)

// run runs a script each times by each of the clients and returns the transactions a second.
func (r *baseline) run(script string, clients, each int) float64 {
	r.t.Helper()
	require.LessOrEqual(r.t, r.settled+each, giftsPerClient, "gifts that wait for a rival")
	path := filepath.Join(r.dir, "script.sql")
	require.NoError(r.t, os.WriteFile(path, []byte(script), 0o600))
	pgbench, err := localpg.Program("pgbench")
	require.NoError(r.t, err)
	cmd := exec.Command(pgbench, "-n", "-M", "prepared", "-c", strconv.Itoa(clients), "-j", strconv.Itoa(min(clients, 2)), "-t", strconv.Itoa(each),
		"-D", fmt.Sprintf("n=%d", r.settled), "-D", "body="+r.payload, "-f", path, r.db.OwnerURL)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	r.settled += each
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

// naive and derived settle a number of gifts in all with a number of clients and return the gifts a second.
func (r *baseline) naive(clients, gifts int) float64 {
	return r.run(naiveScript, clients, gifts/clients)
}
func (r *baseline) derived(clients, gifts int) float64 {
	return r.run(derivedScript, clients, gifts/clients)
}
