package chaos

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/many"
	"konbit/migrations"
)

func init() {
	register(Row{
		Name: "matrix", No: "20", Short: 2, Long: 27, Prove: Matrix,
		Promise: "earlier schemas full of gifts: the program waits on each until it is migrated, then serves, and no data of a gift is " +
			"lost; on a newer schema that only adds, it continues to serve",
	})
}

// oldestRelease is the first schema version with gifts.
const oldestRelease = 5

// Matrix runs the program on other schemas. There is no older release yet, so the present program runs on a
// schema that is newer by one migration, which adds what the next release may add. Earlier schemas are made
// by undoing migrations on a database full of gifts, so that each has the rows of a program of its time.
func Matrix(t testing.TB, run Run) {
	s := e2e.Start(t, e2e.Options{Stopped: true, Stripe: stripefake.Options{Seed: run.Seed | 1}})
	require.NoError(t, many.Fill(context.Background(), s.DB.Owner, 20*run.Count, run.Seed))
	s.Restart()
	gifts := 20 * run.Count
	one := func() {
		gifts++
		give(t, s, gifts, patient)
		s.WaitDrained(settled)
	}
	one()
	addGifts(t, s)
	one()
	s.Restart() // a server that starts on this schema must serve too
	one()
	refundGifts(t, s)

	latest, err := migrations.Latest()
	require.NoError(t, err)
	states := rand.New(rand.NewPCG(run.Seed, 13)).Perm(int(latest) - oldestRelease)
	slowest := time.Duration(0)
	for n := range run.Count {
		version := int64(oldestRelease + states[n%len(states)])
		s.Kill()
		before := giftData(t, s)
		require.NoError(t, migrations.To(context.Background(), s.DB.OwnerURL, version), "to version %d", version)
		s.Launch()
		requireWaiting(t, s)
		began := time.Now()
		s.Konbit("migrate")
		slowest = max(slowest, time.Since(began))
		s.WaitReady()
		require.Equal(t, before, giftData(t, s), "from version %d", version)
		one()
		checkBooks(t, s)
		run.Progress(1)
	}
	run.Record("slowest migration", slowest.Round(time.Millisecond).String())
	s.Kill()
}

// addGifts changes the schema as the next migration may do under a running program.
func addGifts(t testing.TB, s *e2e.Stack) {
	t.Helper()
	_, err := s.DB.Owner.Exec(`
		CREATE TABLE of_tomorrow (id uuid PRIMARY KEY, donation_id uuid REFERENCES donation (id));
		ALTER TABLE donation ADD COLUMN of_tomorrow text, ADD COLUMN of_the_day_after boolean NOT NULL DEFAULT false;
		ALTER TABLE journal_entry ADD COLUMN of_tomorrow text;
		ALTER TABLE stripe_event ADD COLUMN of_tomorrow integer NOT NULL DEFAULT 0;
		CREATE INDEX of_tomorrow_by_donation ON of_tomorrow (donation_id);
		INSERT INTO goose_db_version (version_id, is_applied) SELECT max(version_id) + 1, true FROM goose_db_version`)
	require.NoError(t, err)
}

func refundGifts(t testing.TB, s *e2e.Stack) {
	t.Helper()
	_, err := s.DB.Owner.Exec(`
		DROP TABLE of_tomorrow;
		ALTER TABLE donation DROP COLUMN of_tomorrow, DROP COLUMN of_the_day_after;
		ALTER TABLE journal_entry DROP COLUMN of_tomorrow;
		ALTER TABLE stripe_event DROP COLUMN of_tomorrow;
		DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	require.NoError(t, err)
}

// requireWaiting checks for a while that the server runs and reports that it is not ready.
func requireWaiting(t testing.TB, s *e2e.Stack) {
	t.Helper()
	for asked := 0; asked < 3; {
		require.True(t, s.Running(), "a server must wait for the migrations:\n%s", s.Log())
		response, err := http.Get(s.URL() + "/readyz")
		if err != nil { // it does not listen yet
			time.Sleep(20 * time.Millisecond)
			continue
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		require.Equal(t, http.StatusServiceUnavailable, response.StatusCode)
		asked++
		time.Sleep(200 * time.Millisecond)
	}
}

// giftsKept returns the gifts' data that exists in every schema, as text.
func giftData(t testing.TB, s *e2e.Stack) string {
	t.Helper()
	var lines []string
	require.NoError(t, s.DB.Owner.Select(&lines, `
		SELECT 'gift ' || g.id || ' ' || status || ' ' || amount || ' for ' || (SELECT string_agg(fund_id || ' ' || d.amount, ', ' ORDER BY n) FROM designation d WHERE d.donation_id = g.id) FROM donation g
		UNION ALL SELECT 'posting ' || entry_id || ' ' || n || ' ' || account_code || ' ' || fund_id || ' ' || amount FROM posting
		UNION ALL SELECT 'receipt ' || number || ' of ' || year || ' for ' || donation_id || ': ' || facts FROM receipt
		UNION ALL SELECT 'email ' || message_id || ' ' || md5(message) FROM letter
		UNION ALL SELECT 'event ' || id || ' ' || state FROM stripe_event
		UNION ALL SELECT 'balance transaction ' || id || ' ' || net FROM balance_transaction ORDER BY 1`))
	return strings.Join(lines, "\n")
}

// checkBooks waits until everything is sealed and verifies the books. Other checkers need tables that the earliest
// schemas do not have.
func checkBooks(t testing.TB, s *e2e.Stack) {
	t.Helper()
	testkit.Eventually(t, settled, func() error {
		report, err := ledger.Verify(context.Background(), s.DB.Server)
		if err == nil && !report.OK() {
			err = fmt.Errorf("the books are invalid: %v", report.Findings)
		}
		return err
	})
}
