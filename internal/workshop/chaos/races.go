package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/mail"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripebalance"

	"konbit/internal/processor/stripepay"
	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

func init() {
	register(Row{
		Name: "races", No: "11", Short: 24, Long: 10_000, Prove: Races,
		Promise: "rounds of fifty calls at once, at two to four replicas, on one form, one event, one refund, one receipt to correct or " +
			"to resend, one job: exactly one succeeds in each",
	})
}

const (
	racers           = 50
	roundsPerProgram = 250 // rounds in one program
	maxReplicas      = 4
	workedOff        = time.Minute            // to process an event delivered by fifty callers
	delivered        = 100 * time.Millisecond // for each email of a round, in addition to a minute
	realShare        = 0.02                   // of the rounds, at least two, use real servers
)

// raceServices are the services of one replica, with its own connections.
type raceServices struct {
	db        *sqlx.DB
	starter   checkout.Starter
	inbox     *webhook.Inbox
	worker    *event.Worker
	collector stripebalance.Importer
	receipts  receipt.Issuer
	resender  mail.Resender
	runner    *jobs.Runner
}

func newRaceServices(t testing.TB, h *program.Program) *raceServices {
	db, err := pg.Open(t.Context(), h.DB.ServerURL, 16)
	require.NoError(t, err)
	t.Cleanup(func() { _ = db.Close() })
	r := &raceServices{db: db, starter: h.Starter, collector: h.Collector, receipts: h.Settler.Receipts}
	r.starter.DB, r.collector.DB = db, db
	r.inbox = &webhook.Inbox{DB: db, Keys: h.Stripe, Now: time.Now, Wake: func() {}}
	r.worker = event.NewWorker(&event.Worker{DB: db, Source: stripepay.EventStore{Stripe: h.Stripe}, Catalog: h.Catalog,
		Settler: h.Settler, Booker: h.Booker, Log: h.Log.Logger()})
	receipts := h.Receipts
	receipts.DB = db
	r.resender = mail.Resender{Receipts: receipts, Queue: h.Queue}
	handlers := jobs.NewHandlers()
	receipts.Register(handlers)
	r.runner, err = jobs.NewRunner(db, handlers, 1, h.Log.Logger(), jobs.Slots(jobs.Emails, racers/maxReplicas))
	require.NoError(t, err)
	return r
}

// raceRun is a program with several replicas, and the gift of the race.
type raceRun struct {
	*program.Program
	t        testing.TB
	r        *rand.Rand
	replicas []*raceServices
	offer    donation.Offer
	pages    int // payment pages created so far
}

// Races makes fifty goroutines do the same thing at once, repeatedly.
func Races(t testing.TB, run Run) {
	live := max(2, int(realShare*float64(run.Count)))
	realRaces(t, run, live)
	for done, season := live, uint64(0); done < run.Count; season++ {
		rounds := min(run.Count-done, roundsPerProgram)
		// Each season has its own program: in one program, fifty sweeps of all balance transactions would
		// take longer and longer.
		require.NoError(t, testkit.Try(t.Context(), t.Name(), func(t testing.TB) { races(t, run, season, rounds) }))
		done += rounds
	}
}

// races runs this many rounds in one program.
func races(t testing.TB, run Run, season uint64, rounds int) {
	h := program.New(t, program.Options{Fake: stripefake.Options{Seed: run.Seed | 1}})
	a := &raceRun{Program: h, t: t, r: rand.New(rand.NewPCG(run.Seed, 8+season<<8)), offer: h.Offer("csio")}
	for range 2 + a.r.IntN(maxReplicas-1) {
		a.replicas = append(a.replicas, newRaceServices(t, h))
	}
	for done := 0; done < rounds; done += 5 {
		d := a.form()
		a.event(d)
		for _, round := range []func(donation.Donation){a.correction, a.resendReceipt, a.refund} {
			round(d)
		}
		run.Progress(5)
	}
	a.jobs(time.Minute + time.Duration(rounds)*delivered)
	require.Empty(t, h.Lines(`SELECT id FROM stripe_event WHERE state = 'set_aside'`))
	all, err := violations(h.DB.Owner, safetyCheckers...)
	require.NoError(t, err)
	require.Empty(t, all)
}

// race starts all racers at once, each at one of the replicas, and returns their errors.
func (a *raceRun) race(do func(r *raceServices) error) []error {
	return race(racers, func(i int) error { return do(a.replicas[i%len(a.replicas)]) })
}

func race(n int, do func(i int) error) []error {
	errs, gun := make([]error, n), make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-gun
			errs[i] = do(i)
		})
	}
	close(gun)
	all.Wait()
	return errs
}

// requireOneSuccess checks that one racer has no error and that all others have the expected error.
func (a *raceRun) requireOneSuccess(errs []error, wantErr error) {
	a.t.Helper()
	winners := 0
	for _, err := range errs {
		switch {
		case err == nil:
			winners++
		case !errors.Is(err, wantErr):
			require.NoError(a.t, err)
		}
	}
	require.Equal(a.t, 1, winners)
}

// form submits one form from all racers: one gift, and the same page in every answer with a page.
func (a *raceRun) form() donation.Donation {
	form := program.ValidForm()
	request, err := form.Check(a.offer)
	require.NoError(a.t, err)
	var mu sync.Mutex
	answers := map[string]donation.Donation{}
	for _, err := range a.race(func(r *raceServices) error {
		d, err := r.starter.Start(a.t.Context(), a.offer, request)
		if err == nil {
			mu.Lock()
			answers[d.ID.String()+" "+*d.SessionID] = d.Donation
			mu.Unlock()
		}
		return err
	}) {
		require.True(a.t, err == nil || fault.Is(err, fault.Unavailable) || pg.IsTransient(err), "%v", err)
	}
	if len(answers) == 0 { // a busy machine may ask all of them to try again later
		d, err := a.SubmitFor("csio", form)
		require.NoError(a.t, err)
		answers[d.ID.String()] = d.Donation
	}
	require.Len(a.t, answers, 1)
	require.Equal(a.t, 1, a.Count(`SELECT count(*) FROM checkout WHERE form_id = $1`, form.FormID))
	pages := a.Fake.Objects("tsne", "checkout.session", a.pages)
	a.pages += len(pages)
	open := 0
	for _, raw := range pages {
		var page struct{ Status string }
		require.NoError(a.t, json.Unmarshal(raw, &page))
		if page.Status == "open" {
			open++
		}
	}
	require.Equal(a.t, 1, open, "payment pages that can be paid")
	for _, d := range answers {
		return d
	}
	return donation.Donation{}
}

// event delivers and processes one event from all racers: one effect.
func (a *raceRun) event(d donation.Donation) {
	a.Pay(d)
	a.deliverEvent(a.EventOf(d, "charge.succeeded"))
	require.Equal(a.t, program.SettledOnce, a.State(d))
}

// deliverEvent delivers an event from all racers, while every replica processes events.
func (a *raceRun) deliverEvent(e program.Event) {
	signature := stripefake.Sign(time.Now(), e.Body, program.WebhookSecrets["tsne"]...)
	var working sync.WaitGroup
	bounded, end := context.WithTimeout(a.t.Context(), 2*workedOff) // ends a batch that hangs after the test has reported it
	defer end()
	ctx, stop := context.WithCancel(bounded)
	for _, r := range a.replicas {
		working.Go(func() {
			for ctx.Err() == nil {
				_, _ = r.worker.RunBatch(bounded)
			}
		})
	}
	for _, err := range a.race(func(r *raceServices) error {
		return r.inbox.Receive(a.t.Context(), a.offer.Entity.ID, "tsne", e.Body, signature)
	}) {
		require.NoError(a.t, err)
	}
	defer working.Wait()
	defer stop()
	a.waitForNone(workedOff, `SELECT state || ' after ' || tries || ': ' || coalesce(reason, '') FROM stripe_event WHERE id = $1 AND state <> 'done'`, e.ID)
	stop()
	working.Wait()
	require.Equal(a.t, 1, a.Count(`SELECT count(*) FROM stripe_event WHERE id = $1 AND failures = 0`, e.ID))
}

// waitForNone waits until a query has no rows. If that takes too long, it fails the test and prints the rows.
func (a *raceRun) waitForNone(within time.Duration, query string, args ...any) {
	a.t.Helper()
	testkit.Eventually(a.t, within, func() error {
		left := a.Lines(query, args...)
		if len(left) == 0 {
			return a.t.Context().Err()
		}
		return fmt.Errorf("%d rows remain, one of them %s", len(left), left[0])
	})
}

// correction corrects one receipt from all racers: one receipt replaces it.
func (a *raceRun) correction(d donation.Donation) {
	valid := a.validReceipt(d)
	a.requireOneSuccess(a.race(func(r *raceServices) error {
		return pg.InTx(a.t.Context(), r.db, func(tx *sqlx.Tx) error {
			_, err := r.receipts.CorrectTx(a.t.Context(), tx, valid.ID, receipt.Correction{FirstName: "Anna"}, "racer", time.Now())
			return err
		})
	}), receipt.ErrReceiptVoid)
	require.Equal(a.t, 1, a.Count(`SELECT count(*) FROM receipt WHERE facts->'replaces' IS NOT NULL AND donation_id = $1`, d.ID))
}

// resendReceipt resends one receipt from all racers after it was sent: one job remains.
func (a *raceRun) resendReceipt(d donation.Donation) {
	valid := a.validReceipt(d)
	require.NoError(a.t, a.replicas[0].resender.Mail(a.t.Context(), valid.ID))
	a.requireOneSuccess(a.race(func(r *raceServices) error { return r.resender.Resend(a.t.Context(), valid, "racer") }), mail.ErrWaiting)
	require.Equal(a.t, 1, a.Count(`SELECT count(*) FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE l.subject_id = $1 AND cause = 'resend'`, valid.ID))
}

// refund refunds the gift in Stripe's dashboard; all racers deliver the event and import the balance: it is booked
// once.
func (a *raceRun) refund(d donation.Donation) {
	intent := *a.Gift(d.ID).PaymentIntentID
	refund, err := a.Fake.Refund(intent, 0)
	require.NoError(a.t, err)
	a.deliverEvent(a.EventOf(d, "charge.refunded"))
	booked := func() int {
		return a.Count(`SELECT count(*) FROM balance_transaction b JOIN journal_entry e ON e.source_id = b.id WHERE b.source_id = $1`, refund)
	}
	for deadline := time.Now().Add(time.Minute); booked() == 0; {
		if time.Now().After(deadline) {
			a.t.Fatalf("refund %s is not booked", refund)
		}
		a.race(func(r *raceServices) error {
			_, err := r.collector.Sweep(a.t.Context())
			return err
		})
	}
	require.Equal(a.t, 1, booked())
	require.Zero(a.t, a.Count(`SELECT count(*) FROM receipt r WHERE donation_id = $1 AND NOT EXISTS (SELECT 1 FROM receipt_void v WHERE v.receipt_id = r.id)`, d.ID))
}

// validReceipt returns a gift's valid receipt.
func (a *raceRun) validReceipt(d donation.Donation) receipt.Receipt {
	a.t.Helper()
	r, err := receipt.ValidOf(a.t.Context(), a.DB.Server, d.ID)
	require.NoError(a.t, err)
	require.NotNil(a.t, r)
	return *r
}

// jobs makes every email of the rounds wait for all replicas' workers at once: each is sent once.
func (a *raceRun) jobs(within time.Duration) {
	for _, r := range a.replicas {
		require.NoError(a.t, r.runner.Start())
	}
	a.waitForNone(within, `SELECT kind || ' ' || state || ': ' || coalesce(errors[array_upper(errors, 1)]->>'error', '') FROM river_job WHERE state <> 'completed'`)
	for _, r := range a.replicas {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(a.t.Context()), 20*time.Second)
		require.NoError(a.t, r.runner.Stop(ctx))
		cancel()
	}
	require.Len(a.t, a.Mail.Messages(), a.Count(`SELECT count(*) FROM letter_delivery WHERE accepted_at IS NOT NULL`), "emails handed over")
}
