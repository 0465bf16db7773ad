package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// The settings of the cluster are durable: every row measures a database that keeps its commits.
func init() {
	testkit.Durable(map[string]string{"shared_preload_libraries": "pg_stat_statements", "fsync": "on",
		"synchronous_commit": "on", "full_page_writes": "on", "track_commit_timestamp": "on"})
}

// An environment is one Konbit to be measured: the real program, with gifts that wait for payment.
type environment struct {
	*e2e.Stack
	t      testing.TB
	model  []byte            // a charge.succeeded in Stripe's form
	ids    map[string]string // of that charge, by kind
	donors atomic.Int64      // of the row whole
}

func newEnvironment(t testing.TB, o e2e.Options) *environment {
	t.Helper()
	w := &environment{Stack: e2e.Start(t, o), t: t}
	stopped := o.Stopped
	if stopped {
		w.Restart()
	}
	require.NoError(t, w.Stripe().SetMode(stripefake.Hold))
	page := w.give("model")
	require.NoError(t, w.Stripe().Pay(path.Base(page), stripefake.GoodCard))
	for _, body := range w.Stripe().Bodies("tsne") {
		var e struct {
			ID, Type string
			Data     struct {
				Object struct {
					ID, PaymentIntent string
					Metadata          map[string]string
				}
			}
		}
		require.NoError(t, json.Unmarshal(bytes.ReplaceAll(body, []byte(`"payment_intent"`), []byte(`"PaymentIntent"`)), &e))
		if e.Type == "charge.succeeded" {
			w.model = body
			w.ids = map[string]string{"event": e.ID, "charge": e.Data.Object.ID, "intent": e.Data.Object.PaymentIntent}
			for _, value := range e.Data.Object.Metadata {
				if _, err := uuid.Parse(value); err == nil {
					w.ids["gift"] = value
				}
			}
		}
	}
	require.Len(t, w.ids, 4)
	w.settleModel()
	if stopped {
		w.Kill()
	}
	return w
}

// settleModel settles the model gift with its fees, so that its jobs do not run during a measurement.
func (w *environment) settleModel() {
	w.t.Helper()
	require.NoError(w.t, w.Stripe().Drain(w.t.Context()))
	testkit.Eventually(w.t, time.Minute, func() error {
		var left int
		err := w.DB.Owner.Get(&left, `SELECT (SELECT count(*) FROM stripe_event WHERE state <> 'done') + (SELECT count(*) FROM fee_due)
			+ (SELECT count(*) FROM river_job WHERE state <> 'completed') + (SELECT count(*) FROM donation WHERE status <> 'settled')`)
		if err == nil && left > 0 {
			err = fmt.Errorf("%d jobs of one gift are not done", left)
		}
		return err
	})
}

// give submits the form and returns the address of the payment page.
func (w *environment) give(donor string) string {
	w.t.Helper()
	form := giveForm(donor)
	for again := 0; ; again++ {
		response, err := program.Client().Post(w.URL()+"/give/csio", "application/x-www-form-urlencoded", strings.NewReader(form))
		require.NoError(w.t, err)
		_ = response.Body.Close()
		if response.StatusCode == http.StatusServiceUnavailable && again < 10 { // slow disk; donors try again too
			time.Sleep(time.Second)
			continue
		}
		require.Equal(w.t, http.StatusSeeOther, response.StatusCode)
		return response.Header.Get("Location")
	}
}

// giveForm returns the smallest valid form: 20 dollars to the organisation's first fund.
func giveForm(donor string) string {
	return url.Values{"form": {uuid.NewString()}, "amount": {"20"}, "frequency": {"once"}, "first_name": {"Donor"}, "last_name": {donor},
		"email": {fmt.Sprintf("donor-%s@donor.example", donor)}}.Encode()
}

// A paidGift is a started gift in the database, with the event that Stripe will send about its payment.
type paidGift struct {
	gift  uuid.UUID
	event string
	body  []byte
}

// insertPaidGifts inserts n started gifts of n donors and creates the events of their charges. The stand-in does not
// know these charges, so their fees stay due.
func (w *environment) insertPaidGifts(n int) []paidGift {
	w.t.Helper()
	all := make([]paidGift, n)
	donors := make([]uuid.UUID, n)
	gifts := make([]uuid.UUID, n)
	for i := range all {
		donors[i], gifts[i] = uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
		hex := strings.ReplaceAll(gifts[i].String(), "-", "")
		all[i] = paidGift{gifts[i], "evt_" + hex, w.chargeEvent(gifts[i], hex)}
	}
	for first := 0; first < n; first += 5000 {
		last := min(first+5000, n)
		w.insertGifts(donors[first:last], gifts[first:last])
	}
	_, err := w.DB.Owner.Exec(`ANALYZE`)
	require.NoError(w.t, err)
	return all
}

// chargeEvent returns the charge.succeeded of a gift.
func (w *environment) chargeEvent(gift uuid.UUID, hex string) []byte {
	return []byte(strings.NewReplacer(w.ids["event"], "evt_"+hex, w.ids["charge"], "ch_"+hex, w.ids["intent"], "pi_"+hex,
		w.ids["gift"], gift.String()).Replace(string(w.model)))
}

// insertGifts copies the model gift.
func (w *environment) insertGifts(donors, gifts []uuid.UUID) {
	tx := w.DB.Owner.MustBegin()
	defer tx.Rollback() // after a commit it is a no-op
	for _, step := range []string{
		`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
		 SELECT u.donor, d.entity_id, 'd' || replace(u.donor::text, '-', '') || '@donor.example', 'Donor', 'Example', 'en', now()
		   FROM unnest($1::uuid[], $2::uuid[]) AS u (donor, gift) JOIN donation d ON d.id = $3`,
		`INSERT INTO checkout (donation_id, form_id, form_hash, session_id, session_url, expires_at)
		 SELECT u.gift, u.gift, form_hash, 'cs_' || replace(u.gift::text, '-', ''), session_url, now() + interval '1 hour'
		   FROM unnest($1::uuid[], $2::uuid[]) AS u (donor, gift) JOIN checkout c ON c.donation_id = $3`,
		`INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, source)
		 SELECT u.gift, entity_id, organisation_id, u.donor, replace(u.gift::text, '-', ''), 'started', frequency,
			amount, covered, currency, language, anonymous, news, now(), 'form'
		   FROM unnest($1::uuid[], $2::uuid[]) AS u (donor, gift) JOIN donation d ON d.id = $3`,
		`INSERT INTO donation_contact (donation_id, first_name, last_name, email, phone, address_line1, address_line2, city, region, postal_code, country, note)
		 SELECT u.gift, first_name, last_name, 'd' || replace(u.donor::text, '-', '') || '@donor.example', phone, address_line1, address_line2, city, region, postal_code, country, note
		   FROM unnest($1::uuid[], $2::uuid[]) AS u (donor, gift) JOIN donation_contact c ON c.donation_id = $3`,
		`INSERT INTO designation (donation_id, n, entity_id, fund_id, amount, covered)
		 SELECT u.gift, n, entity_id, fund_id, amount, covered
		   FROM unnest($1::uuid[], $2::uuid[]) AS u (donor, gift) JOIN designation p ON p.donation_id = $3`,
		`INSERT INTO donation_step (donation_id, at, status, cause)
		 SELECT u.gift, now(), 'started', 'form' FROM unnest($1::uuid[], $2::uuid[]) AS u (donor, gift) WHERE $3::uuid IS NOT NULL`,
	} {
		_, err := tx.Exec(step, pg.UUIDs(donors), pg.UUIDs(gifts), w.ids["gift"])
		require.NoError(w.t, err)
	}
	require.NoError(w.t, tx.Commit())
}

// signedWebhooks signs the events with the current time, because old signatures are refused.
func (w *environment) signedWebhooks(all []paidGift) []request {
	requests, now := make([]request, len(all)), time.Now()
	for i, p := range all {
		requests[i] = webhookRequest(host(w.URL()), p.body, now)
	}
	return requests
}

// webhookRequest returns a webhook of tsne's account.
func webhookRequest(host string, body []byte, at time.Time) request {
	return post(host, "/hooks/stripe/tsne", body, "Content-Type: application/json", "Stripe-Signature: "+stripefake.Sign(at, body, "whsec_tsne"))
}

// settle sends the webhooks of n gifts and waits until each is booked with its receipt and its email job. It
// returns the gifts a second, counted from the first byte sent.
func (w *environment) settle(senders, n int) float64 {
	w.t.Helper()
	gifts := w.insertPaidGifts(n)
	asks, target := w.signedWebhooks(gifts), w.countReceipts()+n
	began := time.Now()
	load(w.t, host(w.URL()), senders, http.StatusOK, asks)
	w.waitForReceipts(target)
	rate := float64(n) / time.Since(began).Seconds()
	w.checkComplete(gifts)
	return rate
}

// countReceipts returns how many receipts have their number.
func (w *environment) countReceipts() (n int) {
	w.t.Helper()
	require.NoError(w.t, w.DB.Owner.Get(&n, `SELECT coalesce(sum(last), 0) FROM receipt_counter`))
	return n
}

// waitForReceipts waits until this many receipts have their number.
func (w *environment) waitForReceipts(target int) {
	w.t.Helper()
	for deadline := time.Now().Add(10 * time.Minute); w.countReceipts() < target; time.Sleep(2 * time.Millisecond) {
		require.False(w.t, time.Now().After(deadline), "%d of %d receipts have their number", w.countReceipts(), target)
	}
}

// checkComplete checks that all work was measured: each gift settled, booked, with its receipt and the job of its
// email.
func (w *environment) checkComplete(gifts []paidGift) {
	w.t.Helper()
	ids := make([]uuid.UUID, len(gifts))
	for i := range gifts {
		ids[i] = gifts[i].gift
	}
	var whole int
	require.NoError(w.t, w.DB.Owner.Get(&whole, `
		SELECT count(*) FROM donation d JOIN receipt r ON r.donation_id = d.id
		  JOIN journal_entry e ON e.source_id = d.payment_intent_id AND e.kind = 'payment'
		  JOIN river_job j ON j.kind = 'receipt_letter' AND j.args->>'receipt_id' = r.id::text
		 WHERE d.id = ANY($1::uuid[]) AND d.status = 'settled'`, pg.UUIDs(ids)))
	require.Equal(w.t, len(gifts), whole, "gifts settled and booked, with a receipt and its email job")
}

// dropEmails deletes email jobs, so that the next sample does not include their work, and waits for running ones.
func (w *environment) dropEmails() {
	w.t.Helper()
	_, err := w.DB.Owner.Exec(`DELETE FROM river_job WHERE state <> 'running'`)
	require.NoError(w.t, err)
	testkit.Eventually(w.t, time.Minute, func() error {
		var left int
		if err := w.DB.Owner.Get(&left, `SELECT count(*) FROM river_job WHERE state = 'running'`); err != nil || left == 0 {
			return err
		}
		return fmt.Errorf("%d jobs are under way", left)
	})
}
