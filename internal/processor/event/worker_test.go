package event_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// pay pays n different donations and returns them.
func pay(h *program.Program, n int) []donation.Donation {
	gifts := make([]donation.Donation, n)
	for i := range gifts {
		f := program.ValidForm()
		f.Contact.Email = fmt.Sprintf("donor%d@example.org", i)
		gifts[i] = h.StartedGift(f)
		h.Pay(gifts[i])
	}
	return gifts
}

// permutations returns all orders of n things.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{{}}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), at, n-1))
		}
	}
	return all
}

// unfinished returns the events that are not done.
func unfinished(h *program.Program) []string {
	return h.Lines(`SELECT type || ' ' || state || ': ' || coalesce(reason, '') FROM stripe_event WHERE state <> 'done'`)
}

// oneOfEach requires that the books hold n ordinary donations, each once.
func oneOfEach(t *testing.T, h *program.Program, n int) {
	t.Helper()
	assert.Equal(t, n, h.Count(`SELECT count(*) FROM journal_entry`))
	assert.Equal(t, n, h.Count(`SELECT count(*) FROM receipt`))
	assert.Equal(t, n, h.Count(`SELECT coalesce(max(number), 0) FROM receipt`))
	assert.Equal(t, n, h.Count(`SELECT count(*) FROM river_job WHERE kind = 'receipt_letter'`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM finance_task`))
	assert.Empty(t, unfinished(h))
}

func TestTenTimesAtOnce(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gifts := pay(h, 5)
	var all sync.WaitGroup
	for _, d := range gifts {
		e := h.EventOf(d, "charge.succeeded")
		for range 10 {
			all.Go(func() {
				assert.Equal(t, http.StatusOK, h.PostWebhook("tsne", e.Body, stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...)))
			})
		}
	}
	for range 2 { // two workers, as of two replicas
		all.Go(func() {
			for range 30 {
				_, err := h.EventWorker.RunBatch(t.Context())
				assert.NoError(t, err)
			}
		})
	}
	all.Wait()
	h.DrainAll()
	for _, d := range gifts {
		assert.Equal(t, program.SettledOnce, h.State(d))
	}
	oneOfEach(t, h, len(gifts))
}

// siblings are the events that Stripe sends about one payment.
var siblings = []string{"checkout.session.completed", "payment_intent.succeeded", "charge.succeeded", "payment_intent.created"}

// TestEveryOrder delivers each donation's events in another order, one by one with a batch after each, or all before
// one batch. For half of the donations charge.succeeded never arrives and the charge is fetched.
func TestEveryOrder(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events   []string
		oneByOne bool
	}{
		"one by one":                     {siblings, true},
		"all at once":                    {siblings, false},
		"one by one, without the charge": {[]string{siblings[0], siblings[1], siblings[3]}, true},
		"at once, without the charge":    {[]string{siblings[0], siblings[1], siblings[3]}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := program.New(t, program.Options{})
			orders := permutations(len(test.events))
			gifts := pay(h, len(orders))
			for i, order := range orders {
				for _, n := range order {
					h.Deliver(h.EventOf(gifts[i], test.events[n]))
					if test.oneByOne {
						h.DrainAll()
					}
				}
			}
			for range 3 {
				h.RetryParked()
			}
			for i, d := range gifts {
				assert.Equal(t, program.SettledOnce, h.State(d), "order %v", orders[i])
			}
			oneOfEach(t, h, len(gifts))
			before := h.State(gifts[0])
			for _, n := range slices.Backward(orders[0]) { // once more
				h.Deliver(h.EventOf(gifts[0], test.events[n]))
			}
			h.DrainAll()
			assert.Equal(t, before, h.State(gifts[0]))
		})
	}
}

func TestPaymentIntentAloneIsFetched(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := pay(h, 1)[0]
	h.Deliver(h.EventOf(d, "payment_intent.succeeded"))
	h.DrainAll()
	assert.Equal(t, donation.Started, h.Gift(d.ID).Status, "the charge's own event is waited for a little")
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}}))
	for range 7 { // a failure of Stripe is no failure of the event
		h.RetryParked()
	}
	assert.Equal(t, 0, h.Count(`SELECT count(*) FROM stripe_event WHERE state = 'set_aside'`))
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{}))
	h.RetryParked()
	assert.Equal(t, program.SettledOnce, h.State(d))
}

func TestAnotherVersionIsFetched(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := pay(h, 1)[0]
	h.Deliver(h.AlterEvent(h.EventOf(d, "charge.succeeded"), func(event, charge map[string]any) {
		event["api_version"] = "2031-01-01"
		charge["amount_captured"] = 1 // only the id of an object of another version is trusted
	}))
	h.DrainAll()
	h.RetryParked()
	assert.Equal(t, program.SettledOnce, h.State(d))
}

func TestPoisonEventsStopNoOther(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	gifts := pay(h, 10)
	var bad []program.Event
	for i, d := range gifts {
		e := h.EventOf(d, "charge.succeeded")
		if i%2 == 0 {
			spoil := []func(event, charge map[string]any){
				func(_, charge map[string]any) { charge["amount_captured"] = nil },
				func(_, charge map[string]any) { charge["currency"] = "doubloons" },
				func(_, charge map[string]any) { charge["created"] = "yesterday" },
				func(event, _ map[string]any) { event["data"] = map[string]any{"object": []int{1}} },
				func(_, charge map[string]any) { charge["metadata"] = strings.Repeat("x", 100_000) },
			}[i/2]
			bad = append(bad, h.AlterEvent(e, spoil))
			h.Deliver(bad[len(bad)-1])
		}
		h.Deliver(e)
	}
	h.DrainAll()
	for _, d := range gifts {
		assert.Equal(t, program.SettledOnce, h.State(d), "at once, with the poison beside it")
	}
	for range 6 {
		h.RetryParked()
	}
	for _, e := range bad {
		assert.Equal(t, []string{"set_aside 5 true"}, h.Lines(`SELECT format('%s %s %s', state, failures, (reason <> '')::text) FROM stripe_event WHERE id = $1`, e.ID))
	}
	assert.NotContains(t, strings.Join(h.Lines(`SELECT coalesce(reason, '') FROM stripe_event`), " "), "example.org", "a reason names nobody")
}

func TestAGiftNotHereYetIsWaitedFor(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := pay(h, 1)[0]
	e := h.EventOf(d, "charge.succeeded")
	h.Exec(`CREATE TABLE hidden AS SELECT * FROM donation`)
	for _, table := range []string{"designation", "donation_contact", "donation_step", "checkout"} {
		h.Exec(`CREATE TABLE hidden_` + table + ` AS SELECT * FROM ` + table)
		h.Exec(`ALTER TABLE ` + table + ` DISABLE TRIGGER USER`)
		h.Exec(`DELETE FROM ` + table)
	}
	h.Exec(`DELETE FROM donation`)
	h.Deliver(e)
	h.DrainAll()
	for range 7 { // waiting is no failure, even for a long time
		h.RetryParked()
	}
	assert.Equal(t, []string{"parked 0"}, h.Lines(`SELECT format('%s %s', state, failures) FROM stripe_event`))
	assert.Zero(t, h.Count(`SELECT count(*) FROM journal_entry`))
	tx, err := h.DB.Owner.Beginx() // the donation appears
	require.NoError(t, err)
	for _, restore := range []string{
		`INSERT INTO checkout SELECT * FROM hidden_checkout`, `INSERT INTO donation SELECT * FROM hidden`, `INSERT INTO designation SELECT * FROM hidden_designation`,
		`INSERT INTO donation_contact SELECT * FROM hidden_donation_contact`, `INSERT INTO donation_step SELECT * FROM hidden_donation_step`,
	} {
		_, err := tx.Exec(restore)
		require.NoError(t, err)
	}
	require.NoError(t, tx.Commit())
	h.RetryParked()
	assert.Equal(t, program.SettledOnce, h.State(d))
}

// TestADatabaseThatWasAwayIsNoFailureOfTheEvent ends the worker's connection during each attempt to settle.
func TestADatabaseThatWasAwayIsNoFailureOfTheEvent(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	d := pay(h, 1)[0]
	h.Exec(`CREATE FUNCTION killed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$`)
	h.Exec(`CREATE TRIGGER killed AFTER INSERT ON receipt FOR EACH ROW EXECUTE FUNCTION killed()`)
	h.Deliver(h.EventOf(d, "charge.succeeded"))
	for range 7 {
		h.Exec(`UPDATE stripe_event SET due_at = now() WHERE state = 'parked'`)
		_, _ = h.EventWorker.RunBatch(t.Context()) // storing the failure may fail too
	}
	assert.Equal(t, []string{"0"}, h.Lines(`SELECT failures::text FROM stripe_event`))
	h.Exec(`DROP TRIGGER killed ON receipt`)
	h.RetryParked()
	assert.Equal(t, program.SettledOnce, h.State(d))
	oneOfEach(t, h, 1)
}

func TestStatusUpdates(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	late := h.SettledGift(program.ValidForm())
	d := h.StartedGift(program.ValidForm())
	h.Fake.Advance(time.Hour) // the payment page ends
	h.Deliver(h.EventOf(d, "checkout.session.expired"))
	h.DrainAll()
	assert.Equal(t, donation.Expired, h.Gift(d.ID).Status)

	expired := h.AlterEvent(h.EventOf(d, "checkout.session.expired"), func(_, session map[string]any) {
		session["metadata"] = map[string]any{"konbit_donation": late.ID.String()}
	})
	h.Deliver(expired)
	h.DrainAll()
	assert.Equal(t, donation.Settled, h.Gift(late.ID).Status, "what was settled stays so")
}
