package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

// newCluster returns an empty database in a cluster of its own, whose transaction ids start from the beginning.
func newCluster(t *testing.T) *testkit.Database {
	t.Helper()
	short.Skip(t, "PostgreSQL")
	s, err := localpg.Start(t.Context(), localpg.Options{})
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	require.NoError(t, testkit.CreateRoles(t.Context(), s))
	require.NoError(t, s.CreateDatabase(t.Context(), "restored", testkit.OwnerRole))
	d := &testkit.Database{OwnerURL: s.URL(testkit.OwnerRole, "restored"), ServerURL: s.URL(testkit.ServerRole, "restored")}
	const asProgram = "&binary_parameters=yes" // as pg.Open
	d.Owner, d.Server = sqlx.MustConnect("postgres", d.OwnerURL+asProgram), sqlx.MustConnect("postgres", d.ServerURL+asProgram)
	t.Cleanup(func() { require.NoError(t, errors.Join(d.Owner.Close(), d.Server.Close())) })
	return d
}

// TestARestoredCopyIsSealedOn: in a new cluster new entries have lower transaction ids than old ones.
func TestARestoredCopyIsSealedOn(t *testing.T) {
	h := newFixture(t)
	post := func(h fixture, from, to int) {
		for i := from; i < to; i++ {
			_, err := h.post(t.Context(), h.tsne.gift(fmt.Sprint("pi_", i), 100), h.tsne.fee(fmt.Sprint("pi_", i), 3))
			require.NoError(t, err)
		}
	}
	post(h, 0, 200)
	require.Equal(t, 400, h.sealAll(t))
	_, err := TakeSnapshots(t.Context(), h.Server, 1)
	require.NoError(t, err)
	h.inTx(t, func(tx *sqlx.Tx) error {
		_, err := RecordHeadTx(t.Context(), tx, h.tsne.entity, day, newID, time.Now())
		return err
	})
	head := h.head(t, h.tsne)
	post(h, 200, 500) // not sealed when the dump is made

	copied := h
	copied.Database = newCluster(t)
	dump := client(t, "pg_dump", "--dbname="+h.OwnerURL)
	restore := client(t, "psql", "--dbname="+copied.OwnerURL, "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
	restore.Stdin, err = dump.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, dump.Start())
	out, err := restore.CombinedOutput()
	require.NoError(t, errors.Join(err, dump.Wait()), string(out))
	var later bool
	require.NoError(t, copied.Owner.Get(&later, `SELECT max(recorded_by) >= pg_snapshot_xmax(pg_current_snapshot()) FROM journal_entry`))
	require.True(t, later, "the copy's transaction ids are still to come")

	post(copied, 500, 520)
	require.Equal(t, 640, copied.sealAll(t))
	post(copied, 520, 530)
	require.Equal(t, 20, copied.sealAll(t))
	report := copied.requireOK(t, head)
	require.Equal(t, int64(1060), report.Chains[0].Sealed)
	for range 2 { // from the old cluster's snapshot, and from one made here
		p, err := ReadPosition(t.Context(), copied.Server, h.tsne.one)
		require.NoError(t, err)
		require.Equal(t, Position{Currency: "USD", WithRestrictions: 530 * 97, Clearing: 530 * 97}, p)
		_, err = TakeSnapshots(t.Context(), copied.Server, 1)
		require.NoError(t, err)
	}
	copied.requireOK(t, head)
}
