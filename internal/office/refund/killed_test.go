package refund_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/office/refund"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// Environment of the process that is killed.
const (
	killedDatabase = "REFUND_TEST_DATABASE"
	killedStripe   = "REFUND_TEST_STRIPE"
	killedOrder    = "REFUND_TEST_ORDER"
)

// TestMain runs the process that is killed, if the environment says so.
func TestMain(m *testing.M) {
	if os.Getenv(killedOrder) == "" {
		os.Exit(m.Run())
	}
	if err := executeOne(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// executeOne executes an order as a server does.
func executeOne() error {
	s, err := stripepay.New(map[string]stripepay.Keys{"tsne": {Secret: program.StripeKeys["tsne"]}}, os.Getenv(killedStripe), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	ctx := context.Background()
	db, err := pg.Open(ctx, os.Getenv(killedDatabase), 2)
	if err != nil {
		return err
	}
	queue, err := jobs.NewQueue()
	if err != nil {
		return err
	}
	refunds := refund.Service{
		DB: db, Queue: queue, Catalog: fund.NewCatalogCache(db, time.Minute, time.Now), Processor: s.Refunds(), NewID: program.NewID, Now: time.Now,
	}
	return refunds.Execute(ctx, uuid.MustParse(os.Getenv(killedOrder)))
}

// TestKilledAtEachStep: a server that executes an order is killed with SIGKILL after the row, after Stripe's
// answer left, and before its own write of the answer. Another one finishes: one refund, in the books once.
func TestKilledAtEachStep(t *testing.T) {
	d := newDesk(t, program.Options{})
	for n, step := range []string{"after the row", "before the answer", "before the write"} {
		t.Run(step, func(t *testing.T) {
			d.t = t
			o := d.order(map[string]int64{"general": int64(100 + n)})
			d.killAt(step, o)
			require.Equal(t, refund.Sent, d.state(o), "the row was committed before the call")
			if n > 0 {
				require.Len(t, d.atStripe(), n+1, "Stripe made it")
			}
			d.execute(o)
			require.Equal(t, refund.Succeeded, d.state(o))
			require.Len(t, d.atStripe(), n+1)
			d.settle()
			require.Equal(t, 1, d.Count(`SELECT count(*) FROM payment_change WHERE object_id = $1 AND amount = $2`, *d.now(o).RefundID, 100+n))
			d.RequireNoFindings()
		})
	}
}

// killAt executes an order in a process of its own and kills the process at a step of its call of POST /v1/refunds.
func (d *desk) killAt(step string, o refund.Order) {
	d.t.Helper()
	var child *exec.Cmd
	kill := func() {
		require.NoError(d.t, child.Process.Kill())
		_, _ = child.Process.Wait()
	}
	killed := make(chan struct{})
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/v1/refunds" {
			d.Fake.ServeHTTP(w, r)
			return
		}
		defer close(killed)
		if step == "after the row" {
			kill()
			return
		}
		answer := httptest.NewRecorder()
		d.Fake.ServeHTTP(answer, r)
		if step == "before the answer" {
			kill()
			return
		}
		tx := d.DB.Owner.MustBegin()
		defer func() { _ = tx.Rollback() }()
		tx.MustExec(`SELECT FROM refund_order WHERE id = $1 FOR UPDATE`, o.ID)
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len())) // the answer is whole before this function ends
		w.WriteHeader(answer.Code)
		_, _ = io.Copy(w, answer.Body)
		w.(http.Flusher).Flush()
		testkit.Eventually(d.t, time.Minute, func() error {
			var waiting int // only the server's role sees its own statements
			err := d.DB.Server.Get(&waiting, `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%storeResultTx%' AND wait_event_type = 'Lock' AND datname = current_database()`)
			if err == nil && waiting == 0 {
				err = fmt.Errorf("the process does not write its answer")
			}
			return err
		})
		kill()
	}))
	defer proxy.Close()
	child = exec.Command(os.Args[0]) //nolint:gosec // the test itself
	child.Env = append(os.Environ(), killedDatabase+"="+d.DB.ServerURL, killedStripe+"="+proxy.URL, killedOrder+"="+o.ID.String())
	child.Stderr = os.Stderr
	require.NoError(d.t, child.Start())
	select {
	case <-killed:
	case <-time.After(time.Minute):
		kill()
		d.t.Fatal("the process called nothing")
	}
}
