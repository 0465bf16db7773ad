package app

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// TestServerRoleHasNoWayUp makes the server's role stronger in each way and looks whether serve and doctor would refuse
// it. Roles belong to the whole cluster, so every change is in a transaction that is rolled back, on the superuser's
// connection.
func TestServerRoleHasNoWayUp(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	require.NoError(t, CheckRole(t.Context(), db.Server))
	require.ErrorIs(t, CheckRole(t.Context(), db.Owner), errRole)
	super := testkit.Superuser(t, db)
	require.ErrorIs(t, CheckRole(t.Context(), super), errRole)
	super.SetMaxOpenConns(1)
	for what, change := range map[string]string{
		"superuser":                `ALTER ROLE way_up SUPERUSER`,
		"bypasses row security":    `ALTER ROLE way_up BYPASSRLS`,
		"creates roles":            `ALTER ROLE way_up CREATEROLE`,
		"konbit_owner: owns":       `GRANT konbit_owner TO way_up`,
		"konbit_owner: owns the":   `CREATE ROLE between NOINHERIT; GRANT konbit_owner TO between; GRANT between TO way_up; ALTER ROLE way_up NOINHERIT`,
		"pg_write_all_data":        `GRANT pg_write_all_data TO way_up`,
		"has rights on everything": `GRANT pg_read_all_data TO way_up`,
		"way_up: owns":             `ALTER TABLE plan OWNER TO way_up`,
		"replicates":               `ALTER ROLE way_up REPLICATION`,
		"changes posting":          `GRANT UPDATE (amount) ON posting TO way_up`,
		"changes receipt":          `GRANT DELETE ON receipt TO PUBLIC`,
		"between: changes":         `CREATE ROLE between NOINHERIT; GRANT TRUNCATE ON journal_entry TO between; GRANT between TO way_up`,
	} {
		t.Run(what, func(t *testing.T) {
			require.NoError(t, rolledBack(t, super, ""), "the role alone is fine")
			err := rolledBack(t, super, change)
			require.ErrorIs(t, err, errRole, change)
			require.ErrorContains(t, err, what, change)
		})
	}
}

// rolledBack checks a new role after a change to it, and takes both back.
func rolledBack(t *testing.T, super *sqlx.DB, change string) error {
	t.Helper()
	_, err := super.Exec(`BEGIN; CREATE ROLE way_up; ` + change + `; SET LOCAL ROLE way_up`)
	require.NoError(t, err)
	defer super.MustExec(`ROLLBACK`)
	return CheckRole(t.Context(), super)
}
