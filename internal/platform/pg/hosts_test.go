package pg_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

// TestTheNewestPrimaryIsUsed promotes a standby while the former primary continues to run as a primary.
func TestTheNewestPrimaryIsUsed(t *testing.T) {
	t.Parallel()
	short.Skip(t, "PostgreSQL")
	primary, err := localpg.Start(t.Context(), localpg.Options{Settings: map[string]string{"synchronous_commit": "on"}})
	require.NoError(t, err)
	t.Cleanup(primary.Stop)
	standby, err := localpg.Start(t.Context(), localpg.Options{Follow: primary})
	require.NoError(t, err)
	t.Cleanup(standby.Stop)
	require.NoError(t, primary.Set(t.Context(), "synchronous_standby_names", localpg.StandbyName))
	db, err := pg.Open(t.Context(), both(t, standby.URL("postgres", "postgres"), primary.URL("postgres", "postgres")), 3)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error { _, err := tx.Exec(`CREATE TABLE thing (n integer)`); return err }))

	waiting := make(chan error)
	go func() {
		waiting <- pg.InTx(t.Context(), db, func(tx *sqlx.Tx) error { _, err := tx.Exec(`SELECT pg_sleep(60)`); return err })
	}()
	require.NoError(t, standby.Promote(t.Context()))
	select {
	case err := <-waiting:
		require.True(t, pg.IsTransient(err), "%v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("a statement that waits for the former primary gets no error")
	}
	testkit.Eventually(t, 10*time.Second, func() error {
		err := pg.InTx(t.Context(), db, add(1))
		require.True(t, err == nil || pg.IsTransient(err), "%v", err)
		return err
	})
	here, err := sqlx.Connect("postgres", standby.URL("postgres", "postgres"))
	require.NoError(t, err)
	defer here.Close()
	require.Equal(t, 1, count(t, here))
}

func both(t *testing.T, one, other string) string {
	t.Helper()
	u, err := url.Parse(one)
	require.NoError(t, err)
	second, err := url.Parse(other)
	require.NoError(t, err)
	q := u.Query()
	q.Set("host", q.Get("host")+","+second.Query().Get("host"))
	u.RawQuery = q.Encode()
	return u.String()
}

// TestACommitIsNotCancelled: a caller whose ctx ends during a commit gets ErrCommitUnknown, and the commit continues.
func TestACommitIsNotCancelled(t *testing.T) {
	t.Parallel()
	db := things(t).Owner
	_, err := db.Exec(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
		CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON thing DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()`)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, pg.InTx(ctx, db, add(1)), pg.ErrCommitUnknown)
	testkit.Eventually(t, 10*time.Second, func() error {
		if count(t, db) != 1 {
			return errors.New("the commit was cancelled")
		}
		return nil
	})
}
