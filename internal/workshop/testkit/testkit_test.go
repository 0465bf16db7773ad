package testkit

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/short"
)

func TestDatabasesAreMigratedAndSeparate(t *testing.T) {
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			db := DB(t)
			_, err := db.Owner.Exec(`CREATE TABLE only_here (n int)`) // fails in a shared database, where the table exists already
			require.NoError(t, err)
			var tables int
			require.NoError(t, db.Server.Get(&tables, `SELECT count(*) FROM information_schema.tables WHERE table_name = 'goose_db_version'`))
			require.Equal(t, 1, tables)
		})
	}
}

func TestServerRoleOwnsNothing(t *testing.T) {
	db := DB(t)
	var who string
	require.NoError(t, db.Server.Get(&who, `SELECT current_user`))
	require.Equal(t, ServerRole, who)
	var owned int
	require.NoError(t, db.Server.Get(&owned, `SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole`))
	require.Zero(t, owned)
	_, err := db.Server.Exec(`CREATE TABLE mine (n int)`)
	require.ErrorContains(t, err, "permission denied")
}

func TestEmptyDB(t *testing.T) {
	var tables int
	require.NoError(t, EmptyDB(t).Owner.Get(&tables, `SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'`))
	require.Zero(t, tables)
}

func TestDatabaseGoesWithItsTest(t *testing.T) {
	var name string
	t.Run("inner", func(t *testing.T) {
		require.NoError(t, EmptyDB(t).Server.Get(&name, `SELECT current_database()`))
	})
	var left int
	require.NoError(t, EmptyDB(t).Server.Get(&left, `SELECT count(*) FROM pg_database WHERE datname = $1`, name))
	require.Zero(t, left)
}

func TestClock(t *testing.T) {
	at := time.Date(2026, 12, 31, 23, 59, 59, 0, time.UTC)
	c := NewClock(at)
	require.Equal(t, at, c.Now())
	require.Equal(t, at, c.Now(), "it stands still")
	require.Equal(t, 2027, c.Advance(time.Second).Year())
	c.Set(at)
	require.Equal(t, at, c.Now())
}

func TestEventually(t *testing.T) {
	calls := 0
	Eventually(t, time.Second, func() error {
		if calls++; calls < 3 {
			return errors.New("not yet")
		}
		return nil
	})
	require.Equal(t, 3, calls)

	late := &recorder{TB: t}
	func() {
		defer func() { _ = recover() }()
		Eventually(late, 20*time.Millisecond, func() error { return errors.New("no email") })
	}()
	require.Contains(t, late.output, "no email")
}

// A recorder is a test that records the message of Fatalf.
type recorder struct {
	testing.TB
	output string
}

func (r *recorder) Helper() {}
func (r *recorder) Fatalf(format string, args ...any) {
	r.output = fmt.Sprintf(format, args...)
	panic("ended")
}

func TestAxeFindsWhatIsWrongUnderAStrictPolicy(t *testing.T) {
	page := func(body string) string {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
			fmt.Fprintf(w, `<!doctype html><html lang="en"><title>Give</title><main><h1>Give</h1>%s</main></html>`, body)
		}))
		t.Cleanup(srv.Close)
		return srv.URL
	}
	ctx := Browser(t)

	require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(page(`<label>Name <input></label>`))))
	require.Empty(t, Axe(t, ctx))

	require.NoError(t, chromedp.Run(ctx, chromedp.Navigate(page(`<input type="text">`))))
	found := Axe(t, ctx)
	require.Len(t, found, 1)
	require.Equal(t, "label", found[0].ID)
	require.Contains(t, found[0].String(), `<input type="text">`)
}

// TestBrowserEnds checks that no process of a browser is left after the test that started it.
func TestBrowserEnds(t *testing.T) {
	short.Skip(t, "a browser")
	t.Parallel()
	var profile string
	t.Run("with a browser", func(t *testing.T) {
		process := chromedp.FromContext(Browser(t)).Browser.Process()
		arguments, err := exec.Command("ps", "-ww", "-o", "args=", "-p", fmt.Sprint(process.Pid)).Output()
		require.NoError(t, err)
		profile = regexp.MustCompile(`--user-data-dir=\S+`).FindString(string(arguments))
		require.NotEmpty(t, profile, "%s", arguments)
		require.NotEmpty(t, running(profile))
	})
	Eventually(t, time.Minute, func() error {
		if left := running(profile); left != "" {
			return errors.New("still running: " + left)
		}
		return nil
	})
}

// running returns the process ids of the programs that were started with an argument.
func running(argument string) string {
	ids, _ := exec.Command("pgrep", "-f", "--", argument).Output()
	return strings.TrimSpace(string(ids))
}

// TestClusterOfItsOwn stops a cluster without a checkpoint. Committed rows must exist after the next start,
// at the same address.
func TestClusterOfItsOwn(t *testing.T) {
	t.Parallel()
	c := NewCluster(t, nil)
	c.Owner.MustExec(`CREATE TABLE thing (n integer)`)
	for n := range 20 {
		c.Owner.MustExec(`INSERT INTO thing VALUES ($1)`, n)
	}
	c.Stop()
	require.Error(t, c.Owner.Ping())
	c.Start()
	var n int
	require.NoError(t, c.Owner.Get(&n, `SELECT count(*) FROM thing`))
	require.Equal(t, 20, n)
}
