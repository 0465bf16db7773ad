package bench

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// whole measures all the work of a gift, not its settling alone. Each donor has an address and a network of their own, as
// behind a proxy, so that the limits count and refuse nobody. The time ends when nothing is left to do.
var whole = Row{
	Name: "whole",
	Claim: "a whole gift: POST /give with the limits on, payment, all events that Stripe sends about it, settling, fees, its email " +
		"accepted by a mail server that discards it, seal; 32 donors at once",
	Measure: func(t testing.TB, m *Meter) {
		settings := maps.Clone(limitsOn)
		settings["SMTP_URL"] = "smtp://" + discardServer(t)
		w := newEnvironment(t, e2e.Options{Settings: settings})
		require.NoError(t, w.Stripe().SetMode(stripefake.Normal))
		w.giveWhole(m.Size(200, 50)) // no sample includes the first read of a table
		n := m.Size(2000, 400)
		m.Interleave(func() {
			logBefore, keptBefore := w.logBytes(), w.keptBytes()
			began := time.Now()
			w.giveWhole(n)
			m.Note("konbit", float64(n)/time.Since(began).Seconds())
			m.Note("log", (w.logBytes()-logBefore)/float64(n)/1000)
			m.Note("kept", (w.keptBytes()-keptBefore)/float64(n)/1000)
		})
		m.Absolute("", "gifts/s", "konbit", AtLeast(150))
		m.Absolute("log written", "kB/gift", "log", AtMost(35))
		m.Absolute("kept", "kB/gift", "kept", AtMost(25))
	},
}

// giveWhole lets n donors give, 32 at once, and waits until all work is done.
func (w *environment) giveWhole(n int) {
	w.t.Helper()
	target := w.countReceipts() + n
	var given atomic.Int64
	var failed atomic.Pointer[error]
	var donors sync.WaitGroup
	for range senders {
		donors.Go(func() {
			for failed.Load() == nil && int(given.Add(1)) <= n {
				donor := int(w.donors.Add(1))
				if err := w.giveAndPay(donor); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	donors.Wait()
	if err := failed.Load(); err != nil {
		w.t.Fatalf("bench: %v", *err)
	}
	w.waitForReceipts(target)
	w.waitUntilDone()
}

// giveAndPay submits the form of a donor and pays on the page to which the answer leads.
func (w *environment) giveAndPay(donor int) error {
	form := giveForm(fmt.Sprint("whole", donor))
	response, err := w.submit(form, donor)
	for again := 0; err == nil && response.StatusCode == http.StatusServiceUnavailable && again < 10; again++ { // slow disk; donors try again too
		time.Sleep(time.Second)
		response, err = w.submit(form, donor)
	}
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusSeeOther {
		return fmt.Errorf("the form of donor %d is answered %s", donor, response.Status)
	}
	page, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		return err
	}
	return w.Stripe().Pay(path.Base(page.Path), stripefake.GoodCard)
}

// submit posts a form from the donor's own network.
func (w *environment) submit(form string, donor int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.URL()+"/give/csio", strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Forwarded-For", addressOf(donor))
	response, err := program.Client().Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	return response, err
}

// waitUntilDone waits until no event, fee or job is left and all entries are sealed.
func (w *environment) waitUntilDone() {
	w.t.Helper()
	testkit.Eventually(w.t, 10*time.Minute, func() error {
		var left int
		err := w.DB.Owner.Get(&left, `SELECT (SELECT count(*) FROM stripe_event WHERE state <> 'done') + (SELECT count(*) FROM fee_due)
			+ (SELECT count(*) FROM river_job WHERE state <> 'completed')
			+ (SELECT count(*) FROM journal_entry) - (SELECT count(*) FROM ledger_seal)`)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d events, fees, jobs and seals are left", left)
		}
		return err
	})
}

// logBytes returns how many bytes PostgreSQL has written to its log.
func (w *environment) logBytes() (n float64) {
	w.t.Helper()
	require.NoError(w.t, w.DB.Owner.Get(&n, `SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn`))
	return n
}

// keptBytes returns the size of the database without the space of rows that no longer count.
func (w *environment) keptBytes() (n float64) {
	w.t.Helper()
	w.DB.Owner.MustExec(`VACUUM`)
	require.NoError(w.t, w.DB.Owner.Get(&n, `SELECT pg_database_size(current_database())`))
	return n
}
