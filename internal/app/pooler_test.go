package app

import (
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// TestPoolerWithoutPreparedStatements needs no pooler: it does by SQL what a pooler does. Both connections lose their
// statements and get others under the names that the driver uses.
func TestPoolerWithoutPreparedStatements(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(t.Context(), testkit.DB(t).ServerURL, 2)
	require.NoError(t, err)
	defer db.Close()
	for range 3 { // on the same connections
		require.NoError(t, CheckPooler(t.Context(), db))
	}
	var both []*sqlx.Conn
	for range 2 {
		conn, err := db.Connx(t.Context())
		require.NoError(t, err)
		both = append(both, conn)
		_, err = conn.ExecContext(t.Context(), `DEALLOCATE ALL`)
		require.NoError(t, err)
		for n := range 20 {
			_, err = conn.ExecContext(t.Context(), fmt.Sprintf(`PREPARE "%d" AS SELECT 'of others'`, n))
			require.NoError(t, err)
		}
	}
	for _, conn := range both {
		require.NoError(t, conn.Close())
	}
	require.ErrorIs(t, CheckPooler(t.Context(), db), errForgetsStatements)
}
