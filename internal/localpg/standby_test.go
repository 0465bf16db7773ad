package localpg

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestStandbyTakesOver: what a synchronous primary committed before it was killed is in its standby, which takes writes once promoted.
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
