package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

// TestBackupAndRestore takes a backup of a running Konbit by the documented steps, restores it into a new server, and
// continues there. (Row 20 of the promises.)
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	s := Start(t, Options{})
	for i := range 5 {
		s.give("csio", fmt.Sprintf("Donor%d", i))
	}
	s.give("grassroots-international", "Elsewhere")
	s.waitForEmails(6)
	s.waitIdle()
	balances, journal := s.Konbit("ledger", "balance", "--json"), s.journal()

	dump := filepath.Join(t.TempDir(), "konbit.dump")
	began := time.Now()
	runTool(t, "", "pg_dump", "--format=custom", "--exclude-table-data=receipt_pad", "--file="+dump, "--dbname="+s.DB.OwnerURL)
	size, err := os.Stat(dump)
	require.NoError(t, err)
	t.Logf("backup: %d kB in %s", size.Size()/1000, time.Since(began).Round(time.Millisecond))
	schema := schemaOf(t, s.DB.OwnerURL)

	owner, server := emptyServer(t)
	began = time.Now()
	runTool(t, "", "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname="+owner, dump)
	s.Kill()
	s.MoveTo(&testkit.Database{ServerURL: server, OwnerURL: owner, Owner: connect(t, owner)})
	s.Konbit("migrate")
	t.Logf("restored, rights renewed: %s", time.Since(began).Round(time.Millisecond))
	require.NotZero(t, s.count(`SELECT count(*) FROM pg_stats WHERE tablename = 'journal_entry'`), "what the planner knows of the tables")

	s.Konbit("ledger", "verify")
	require.Equal(t, balances, s.Konbit("ledger", "balance", "--json"))
	require.Equal(t, journal, s.journal())
	require.Equal(t, schema, schemaOf(t, owner), "tables, rules, triggers and rights are those of the original")
	requireEntriesImmutable(t, owner, server)

	s.Restart()
	s.give("csio", "Afterwards")
	s.waitForEmails(7)
	s.waitIdle()
	require.Equal(t, 6, s.count(`SELECT max(last) FROM receipt_counter`))
	require.Equal(t, 0, s.count(`SELECT count(*) FROM (SELECT last, (SELECT count(*) FROM receipt r WHERE r.entity_id = c.entity_id AND r.year = c.year) AS issued
		FROM receipt_counter c) n WHERE issued <> last`), "numbers go on without a gap")
	s.Konbit("ledger", "verify")
	require.NotEqual(t, balances, s.Konbit("ledger", "balance", "--json"))
}

// journal returns the exported books without the line with the time of the export.
func (s *Stack) journal() string {
	s.t.Helper()
	_, entries, _ := strings.Cut(s.Konbit("export", "journal", "--format", "hledger"), "\n")
	return entries
}

// waitIdle waits until there is no more work to do.
func (s *Stack) waitIdle() {
	s.t.Helper()
	testkit.Eventually(s.t, waitTimeout, func() error {
		var left []string
		err := s.DB.Owner.Select(&left, `
			SELECT 'event ' || type || ' ' || state || ' ' || coalesce(reason, '') FROM stripe_event WHERE state <> 'done'
			UNION ALL SELECT 'fee of ' || charge_id FROM fee_due
			UNION ALL SELECT 'job ' || kind || ' ' || state FROM river_job WHERE state <> 'completed'`)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("still to do: %q", left)
		}
		return err
	})
}

// emptyServer starts a PostgreSQL with the roles and an empty database and returns the addresses of the owner and of
// the server.
func emptyServer(t *testing.T) (owner, server string) {
	t.Helper()
	short.Skip(t, "PostgreSQL")
	pg, err := localpg.Start(t.Context(), localpg.Options{})
	require.NoError(t, err)
	t.Cleanup(pg.Stop)
	require.NoError(t, testkit.CreateRoles(t.Context(), pg))
	require.NoError(t, pg.CreateDatabase(t.Context(), "konbit", testkit.OwnerRole))
	return pg.URL(testkit.OwnerRole, "konbit"), pg.URL(testkit.ServerRole, "konbit")
}

func connect(t *testing.T, url string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Connect("postgres", url+"&binary_parameters=yes") // as pg.Open
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// schemaOf returns the schema of a database as text. It removes the first and last line that newer versions of pg_dump
// write, which contain a random token.
func schemaOf(t *testing.T, url string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(runTool(t, "", "pg_dump", "--schema-only", "--dbname="+url)) {
		if !strings.HasPrefix(line, `\restrict`) && !strings.HasPrefix(line, `\unrestrict`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// requireEntriesImmutable tries to add lines to an entry that was booked before the backup, in the place of a line and
// beside it, and to change it.
func requireEntriesImmutable(t *testing.T, owner, server string) {
	t.Helper()
	const late = `INSERT INTO posting SELECT (jsonb_populate_record(NULL::posting, to_jsonb(p) || jsonb_build_object('n', p.n + %d, 'line_count', p.line_count + %d))).*
		FROM (SELECT * FROM posting ORDER BY entry_id, n DESC LIMIT 1) p`
	for statement, want := range map[string]string{
		fmt.Sprintf(late, 0, 0): "posting_pkey", fmt.Sprintf(late, 1, 0): "posting_check", fmt.Sprintf(late, 1, 1): "posting_of_entry",
	} {
		for _, url := range []string{server, owner} {
			_, err := connect(t, url).Exec(statement)
			require.ErrorContains(t, err, want, statement)
		}
	}
	for _, statement := range []string{`UPDATE posting SET amount = amount * 2`, `DELETE FROM journal_entry`, `DELETE FROM receipt`} {
		_, err := connect(t, server).Exec(statement)
		require.ErrorContains(t, err, "permission denied", statement)
		_, err = connect(t, owner).Exec(statement)
		require.ErrorContains(t, err, "rows there are written once", statement)
	}
}
