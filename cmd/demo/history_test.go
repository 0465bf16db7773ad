package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/bankfile"
	"konbit/internal/office/check"
	"konbit/internal/workshop/bankfake"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/visitor"
)

// konbit runs a command of the demo's program.
func konbit(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("sh", append([]string{"-c", `set -a; . "$0/env"; exec "$0/konbit" "$@"`, dir}, args...)...)
	cmd.Dir = t.TempDir() // a directory without .env
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return string(out)
}

func progressOf(t *testing.T, env map[string]string) (p stripefake.HistoryProgress) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body(t, env["STRIPE_API_URL"]+"/_sandbox/history")), &p))
	return p
}

// waitFor waits until the history is as far as reached wants.
func waitFor(t *testing.T, env map[string]string, output *terminal, reached func(stripefake.HistoryProgress) bool) {
	t.Helper()
	for began := time.Now(); !reached(progressOf(t, env)); time.Sleep(20 * time.Millisecond) {
		require.NotContains(t, output.String(), "could not be made")
		require.Less(t, time.Since(began), 5*time.Minute, "%+v", progressOf(t, env))
	}
}

// ownerOf connects to the demo's database as the owner.
func ownerOf(t *testing.T, env map[string]string) *sqlx.DB {
	t.Helper()
	db, err := sqlx.Open("postgres", env["DATABASE_OWNER_URL"])
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// linesOf returns the rows of a query of one text column, sorted by it.
func linesOf(t *testing.T, db *sqlx.DB, query string) (rows []string) {
	t.Helper()
	require.NoError(t, db.Select(&rows, query+` ORDER BY 1`))
	return rows
}

// giveNow gives on the form, as a person does who does not wait for the history.
func giveNow(t *testing.T, env map[string]string) {
	t.Helper()
	form := visitor.FilledForm()
	form.Set("email", "today@donor.example")
	page := visitor.Ask(t, http.MethodPost, env["BASE_URL"]+"/give/csio", form)
	require.Equal(t, http.StatusSeeOther, page.StatusCode, page.Page)
	card := url.Values{"card_number": {"4242424242424242"}, "exp": {"12/49"}, "cvc": {"123"}, "name": {"Ana Today"}}
	paid := visitor.Ask(t, http.MethodPost, page.Header.Get("Location"), card)
	require.Equal(t, http.StatusSeeOther, paid.StatusCode, paid.Page)
}

// TestDemoHistory: somebody gives while the demo makes its history. The demo is stopped, goes on, and repeats nothing. Then
// the books agree with the stand-in, and everything that came from there has its date.
func TestDemoHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	t.Cleanup(func() { _ = reset(context.Background(), config{dir: dir}, io.Discard) })

	env, output, end := startDemo(t, config{dir: dir, history: true})
	waitFor(t, env, output, func(p stripefake.HistoryProgress) bool { return p.Done >= 40 })
	giveNow(t, env)
	require.NoError(t, end())

	env, output, end = startDemo(t, config{dir: dir, history: true})
	require.GreaterOrEqual(t, progressOf(t, env).Done, 40, "it goes on")
	waitFor(t, env, output, func(p stripefake.HistoryProgress) bool { return p.State == "told" })
	db := ownerOf(t, env)
	const unbooked = `SELECT count(*)::text FROM fee_due UNION SELECT 'event ' || id FROM stripe_event WHERE state <> 'done'`
	require.Eventually(t, func() bool { rows := linesOf(t, db, unbooked); return len(rows) == 1 && rows[0] == "0" }, time.Minute, 100*time.Millisecond)
	require.Contains(t, konbit(t, dir, "stripe", "events", "sweep"), "0 undelivered events taken in, 0 balance transactions booked")

	var settled int
	require.NoError(t, db.Get(&settled, `SELECT count(*) FROM donation WHERE status = 'settled' AND source <> 'office'`))
	require.InDelta(t, 150, settled, 10)
	for question, want := range map[string]string{
		`SELECT status || ' ' || (count(*) > 0) FROM donation GROUP BY status`:                                                   "expired true, failed true, settled true",
		`SELECT DISTINCT slug || ' ' || language FROM donation d JOIN organisation o ON o.id = organisation_id`:                  "csio en, csio es, grassroots-international en, grassroots-international es, grassroots-international ht, grassroots-international pt",
		`SELECT DISTINCT frequency FROM donation WHERE status = 'settled'`:                                                       "monthly, once, yearly",
		`SELECT kind FROM finance_task WHERE closed_at IS NULL`:                                                                  "payment_without_gift, plan_payment_disputed, refund_failed, unknown_balance_transaction",
		`SELECT status || ' ' || count(*) FROM payout GROUP BY status`:                                                           "paid 3",
		`SELECT 'more than once' FROM donation d JOIN checkout c ON c.donation_id = d.id GROUP BY c.form_id HAVING count(*) > 1`: "",
		// The dates of Stripe and of the donors.
		`SELECT 'not two months' WHERE (SELECT max(charged_at) - min(charged_at) FROM donation) NOT BETWEEN interval '55 days' AND interval '62 days'`:                           "",
		`SELECT 'begun after the payment' FROM donation WHERE source <> 'office' AND charged_at NOT BETWEEN date_trunc('second', created_at) AND created_at + interval '5 days'`: "",
		`SELECT 'no date' FROM donation WHERE status = 'settled' AND tax_date IS DISTINCT FROM (charged_at AT TIME ZONE 'America/New_York')::date`:                               "",
		`SELECT 'receipt of another year' FROM receipt r JOIN donation d ON d.id = r.donation_id WHERE r.year <> extract(year FROM d.tax_date)`:                                  "",
		`SELECT 'entry of another day' FROM journal_entry e JOIN payment p ON p.intent_ref = e.source_id WHERE e.kind = 'payment'
			AND e.entry_date <> (p.received_at AT TIME ZONE 'America/New_York')::date`: "",
		`SELECT 'no receipt' FROM donation d WHERE status = 'settled' AND given_by IS NULL AND NOT EXISTS (SELECT FROM receipt r WHERE r.donation_id = d.id)`: "",
	} {
		require.Equal(t, want, strings.Join(linesOf(t, db, question), ", "), question)
	}
	standIn := stripefake.State{}
	require.NoError(t, json.Unmarshal([]byte(body(t, env["STRIPE_API_URL"]+"/_sandbox/state")), &standIn))
	require.Len(t, standIn.Refunds, 5)
	require.Len(t, standIn.Payouts, 3)
	require.Len(t, standIn.Disputes, 2)
	require.WithinDuration(t, time.Now(), time.Unix(standIn.Now, 0), 2*time.Second, "the clock never moves")
	requireBankFiles(t, filepath.Join(dir, bankDir))
	require.Eventually(t, func() bool { return strings.Contains(output.String(), "of history are made") }, 5*time.Minute, 100*time.Millisecond)
	require.NotContains(t, output.String(), "could not do")
	n := strconv.Itoa(len(check.Checkers()))
	require.Contains(t, konbit(t, dir, "ledger", "verify"), n+" of "+n+" checkers found nothing")
	require.Equal(t, []string{"grassroots-international 7 posted", "tsne 5 typed", "tsne 7 posted"}, linesOf(t, db, `SELECT e.slug || ' ' || count(r.n) || CASE WHEN b.posted_at IS NULL THEN ' typed' ELSE ' posted' END
		FROM gift_batch b JOIN legal_entity e ON e.id = b.entity_id JOIN gift_batch_row r ON r.batch_id = b.id GROUP BY e.slug, b.id`))
	require.Equal(t, []string{"closed and on the statement", "closed and on the statement"}, linesOf(t, db, `SELECT 'closed and on the statement' FROM deposit_row WHERE closed_at IS NOT NULL AND match_id IS NOT NULL`))
	require.Equal(t, []string{"grassroots-international refund", "tsne refund"}, linesOf(t, db, `SELECT e.slug || ' ' || r.kind FROM approval_request r
		JOIN legal_entity e ON e.id = r.entity_id WHERE r.executed_at IS NULL AND EXISTS (SELECT FROM staff_note n WHERE n.author = r.requested_by)`))
	require.NoError(t, end())

	env, _, end = startDemo(t, config{dir: dir, history: true})
	require.Equal(t, "told", progressOf(t, env).State)
	var again int
	require.NoError(t, ownerOf(t, env).Get(&again, `SELECT count(*) FROM donation WHERE status = 'settled' AND source <> 'office'`))
	require.Equal(t, settled, again, "a demo that is started again has no second history")
	require.NoError(t, end())
}

// TestDemoWithGiftsGetsNoHistory: a demo that was used without a history does not get one afterwards.
func TestDemoWithGiftsGetsNoHistory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	t.Cleanup(func() { _ = reset(context.Background(), config{dir: dir}, io.Discard) })
	env, _, end := startDemo(t, config{dir: dir})
	require.Equal(t, "none", progressOf(t, env).State)
	form := url.Values{"mode": {"setup"}, "currency": {"usd"}, "success_url": {"https://give.example/thanks"}, "customer_creation": {"always"}}
	page, err := http.NewRequest(http.MethodPost, env["STRIPE_API_URL"]+"/v1/checkout/sessions", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	page.SetBasicAuth(env["STRIPE_SECRET_KEY_TSNE"], "")
	page.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(page)
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.NoError(t, end())

	env, output, _ := startDemo(t, config{dir: dir, history: true})
	require.Eventually(t, func() bool { return strings.Contains(output.String(), "gets no history") }, time.Minute, 50*time.Millisecond)
	require.Equal(t, "none", progressOf(t, env).State)
}

// requireBankFiles checks that the bank's files of each month and format can be read, balance, and hold payouts and rent.
func requireBankFiles(t *testing.T, dir string) {
	t.Helper()
	var all []string
	testkit.Eventually(t, time.Minute, func() (err error) {
		if all, err = filepath.Glob(filepath.Join(dir, "*")); err == nil && len(all) < 2*2*len(bankfake.Formats()) {
			err = fmt.Errorf("%d files", len(all))
		}
		return err
	})
	texts := ""
	for _, path := range all {
		file, err := os.Open(path)
		require.NoError(t, err)
		read, err := bankfile.Read(file, filepath.Base(path), bankfile.Options{})
		require.NoError(t, err, path)
		require.NoError(t, file.Close())
		require.Empty(t, read.Findings, path)
		for _, st := range read.Statements {
			for _, l := range st.Lines {
				texts += l.Text + "\n"
			}
		}
	}
	require.Contains(t, texts, "STRIPE TRANSFER")
	require.Contains(t, texts, "RENT")
}
