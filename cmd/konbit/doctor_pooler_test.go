package main

import (
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit"
)

// TestThePoolerThatForgets needs no pooler: what one does to a connection is done by hand. Where it is led, statements of others stand
// under the names it would use.
func TestThePoolerThatForgets(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(t.Context(), testkit.DB(t).ServerURL, 2)
	require.NoError(t, err)
	defer db.Close()
	for range 3 { // on the same connections
		require.NoError(t, checkPooler(t.Context(), db))
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
	require.ErrorIs(t, checkPooler(t.Context(), db), errForgets)
}
