package bench

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit"
)

// emails measures the whole pipeline of an email in the program: job, receipt, text and document, stored row, SMTP, result.
var emails = Row{
	Name: "emails",
	Claim: "receipts that wait, sent by one server, from the job to the answer of a mail server that discards them; what PostgreSQL writes " +
		"to its log for an email, and what stays on disk",
	Measure: func(t testing.TB, m *Meter) {
		w := newEnvironment(t, e2e.Options{Settings: map[string]string{"SMTP_URL": "smtp://" + discardServer(t)}})
		w.sendWaiting(m.Size(200, 50)) // no sample includes the first read of a table, or the model
		n := m.Size(4000, 1000)
		m.Interleave(func() {
			took, log, kept := w.sendWaiting(n)
			m.Note("konbit", float64(n)/took.Seconds())
			m.Note("log", log/float64(n)/1000)
			m.Note("kept", kept/float64(n)/1000)
		})
		m.Absolute("", "emails/s", "konbit", AtLeast(500))
		m.Absolute("log written", "kB/email", "log", AtMost(4.5))
		m.Absolute("kept", "kB/email", "kept", AtMost(2))
	},
}

// holdReceipts keeps jobs of receipts back, and releaseReceipts lets them run.
const (
	holdReceipts = `CREATE OR REPLACE FUNCTION bench_hold() RETURNS trigger LANGUAGE plpgsql AS
		$$ BEGIN NEW.state := 'scheduled'; NEW.scheduled_at := now() + interval '1 day'; RETURN NEW; END $$;
		CREATE TRIGGER bench_hold BEFORE INSERT ON river_job FOR EACH ROW WHEN (NEW.kind = 'receipt_letter') EXECUTE FUNCTION bench_hold()`
	releaseReceipts = `UPDATE river_job SET state = 'available', scheduled_at = now() WHERE kind = 'receipt_letter' AND state = 'scheduled'`
)

// sendWaiting settles n gifts, lets their receipts go at once, and returns how long it took until all were accepted, and
// how many bytes were written to the log and stayed.
func (w *environment) sendWaiting(n int) (took time.Duration, log, kept float64) {
	w.t.Helper()
	w.DB.Owner.MustExec(holdReceipts)
	gifts, target := w.insertPaidGifts(n), w.countReceipts()+n
	load(w.t, host(w.URL()), senders, http.StatusOK, w.signedWebhooks(gifts))
	w.waitForReceipts(target)
	w.DB.Owner.MustExec(`DROP TRIGGER bench_hold ON river_job`)
	testkit.Eventually(w.t, 5*time.Minute, func() error {
		var left int
		err := w.DB.Owner.Get(&left, `SELECT (SELECT count(*) FROM stripe_event WHERE state <> 'done')
			+ (SELECT count(*) FROM journal_entry) - (SELECT count(*) FROM ledger_seal)`)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d events and seals are left", left)
		}
		return err
	})
	accepted := w.countAccepted() + n
	keptBefore, logBefore := w.keptBytes(), w.logBytes()
	w.DB.Owner.MustExec(`ANALYZE`)
	began := time.Now()
	w.DB.Owner.MustExec(releaseReceipts)
	for deadline := time.Now().Add(10 * time.Minute); w.countAccepted() < accepted; time.Sleep(25 * time.Millisecond) {
		require.False(w.t, time.Now().After(deadline), "%d of %d emails were accepted", w.countAccepted(), accepted)
	}
	took = time.Since(began)
	log = w.logBytes() - logBefore
	return took, log, w.keptBytes() - keptBefore
}

// countAccepted returns how many emails a mail server accepted.
func (w *environment) countAccepted() (n int) {
	w.t.Helper()
	require.NoError(w.t, w.DB.Owner.Get(&n, `SELECT count(*) FROM letter_delivery WHERE accepted_at IS NOT NULL`))
	return n
}
