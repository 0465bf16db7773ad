package localpg

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestStandbyTakesOver: a standby has everything that its synchronous primary committed before it was killed, and
// accepts writes after its promotion.
func TestStandbyTakesOver(t *testing.T) {
	t.Parallel()
	synchronous := map[string]string{"synchronous_commit": "on"}
	primary := run(t, Options{DataDir: dataDir(t), Settings: synchronous})
	standby := run(t, Options{DataDir: dataDir(t), Settings: synchronous, Follow: primary})
	require.True(t, query[bool](t, standby.URL("postgres", "postgres"), "SELECT pg_is_in_recovery()"))
	require.NoError(t, primary.Set(t.Context(), "synchronous_standby_names", StandbyName))

	db, err := sql.Open("postgres", primary.URL("postgres", "postgres"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE kept AS SELECT 7 AS n")
	require.NoError(t, err)
	require.NoError(t, primary.Kill())
	require.NoError(t, standby.Promote(t.Context()))
	require.Equal(t, 7, query[int](t, standby.URL("postgres", "postgres"), "WITH more AS (SELECT 1) SELECT n FROM kept, more"))
	require.Error(t, standby.Promote(t.Context()), "it is no standby any more")
}

// TestRecoversFromTheArchive: a server's disk is lost. A base backup and the archived log restore all complete
// segments.
func TestRecoversFromTheArchive(t *testing.T) {
	t.Parallel()
	lost, backup := dataDir(t), dataDir(t)
	archive := filepath.Join(filepath.Dir(backup), "archive")
	s := run(t, Options{DataDir: lost, Archive: archive, Settings: map[string]string{"synchronous_commit": "on"}})
	require.NoError(t, s.Copy(t.Context(), backup))
	db, err := sql.Open("postgres", s.URL("postgres", "postgres"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE kept AS SELECT 7 AS n")
	require.NoError(t, err)
	var last string
	require.NoError(t, db.QueryRow(`SELECT pg_walfile_name(pg_switch_wal())`).Scan(&last))
	_, err = db.Exec("CREATE TABLE late AS SELECT 8 AS n")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return query[int](t, s.URL("postgres", "postgres"), fmt.Sprintf("SELECT count(*) FROM pg_stat_archiver WHERE last_archived_wal >= '%s'", last)) == 1
	},
		time.Minute, 20*time.Millisecond)
	require.NoError(t, s.Kill())
	require.NoError(t, Remove(t.Context(), lost))

	s = run(t, Options{DataDir: backup, Archive: archive, Recover: true})
	require.Equal(t, 7, query[int](t, s.URL("postgres", "postgres"), "SELECT n FROM kept"))
	require.Zero(t, query[int](t, s.URL("postgres", "postgres"), "SELECT count(*) FROM pg_class WHERE relname = 'late'"))
	require.False(t, query[bool](t, s.URL("postgres", "postgres"), "SELECT pg_is_in_recovery()"))
}
