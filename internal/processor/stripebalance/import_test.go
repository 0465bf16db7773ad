package stripebalance_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// failingSource fails to list one entity's account.
type failingSource struct {
	stripebalance.Source
	slug string
}

func (r failingSource) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	if e.Slug == r.slug {
		return errors.New("key revoked")
	}
	return r.Source.Transactions(ctx, e, since, until, page)
}

func TestAnEntityThatCannotBeListedDelaysNoOther(t *testing.T) {
	h := program.New(t, program.Options{})
	h.Pay(h.StartedGift(program.ValidForm())) // tsne's
	c := h.Collector
	c.Source = failingSource{h.Stripe, "aina"}
	n, err := c.Sweep(t.Context())
	require.ErrorContains(t, err, "balance of aina: key revoked")
	require.Equal(t, 1, n)
	c.Source = failingSource{h.Stripe, "tsne"}
	_, err = c.Sweep(t.Context())
	require.ErrorContains(t, err, "balance of tsne: key revoked")
	require.NotContains(t, err.Error(), "aina")
}

// TestAnImportMakesEventsDue: an event that has waited for its money several times is applied when the import has booked it,
// not minutes later. Events that wait for something else stay parked.
func TestAnImportMakesEventsDue(t *testing.T) {
	h := program.New(t, program.Options{})
	gift := settledGift(t, h)
	h.DeliverNew()
	h.RetryParked()
	_, err := h.Fake.Refund(intent(gift), 500)
	require.NoError(t, err)
	h.DeliverNew()
	h.DrainAll()
	for range 7 {
		h.RetryParked()
	}
	parked := func() []string {
		return h.Lines(`SELECT DISTINCT format('%s, %s', reason, due_at > now() + interval '30 seconds') FROM stripe_event WHERE state = 'parked' ORDER BY 1`)
	}
	require.Equal(t, []string{"waits for its money to be booked, t"}, parked())
	other := h.StartedGift(program.ValidForm())
	h.Pay(other)
	h.Deliver(h.EventOf(other, "checkout.session.completed"))
	h.DrainAll()
	h.Exec(`UPDATE stripe_event SET due_at = now() + interval '1 hour' WHERE reason = 'waits for its charge'`)
	n, err := h.Collector.ImportDue(t.Context())
	require.NoError(t, err)
	require.Positive(t, n)
	h.DrainAll()
	require.Equal(t, []string{"waits for its charge, t"}, parked())
}

func TestATransactionThatCannotBeBookedGoesToSuspense(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	gift := settledGift(t, h)
	first, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	broken, err := h.Fake.Refund(intent(gift), 500)
	require.NoError(t, err)
	last, err := h.Fake.Refund(intent(gift), 200)
	require.NoError(t, err)
	h.Exec(`ALTER TABLE payment_change ADD CONSTRAINT defect CHECK (object_id <> '` + broken + `')`)
	_, err = h.Collector.Sweep(t.Context())
	require.Error(t, err, "it is retried for the grace period")
	require.Equal(t, []string{"balance_transactions_stuck"}, h.Lines(`SELECT kind FROM finance_task WHERE closed_at IS NULL`))
	require.Zero(t, h.Count(`SELECT count(*) FROM posting WHERE account_code = '1090'`))
	h.Exec(`UPDATE finance_task SET opened_at = opened_at - interval '2 hours'`)
	_, err = h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	found := h.CheckerRows()
	require.Len(t, found, 1, "only that the receipt stands for what is in suspense")
	require.Equal(t, "A18", found[0].Checker)
	require.NotEmpty(t, first)
	require.Equal(t, []string{"balance_transaction_not_booked refund " + broken},
		h.Lines(`SELECT format('%s %s %s', kind, detail->>'type', detail->>'of') FROM finance_task WHERE closed_at IS NULL`))
	require.Contains(t, balances(h), "operations 1090 500")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment_change WHERE object_id = $1 AND amount = 200`, last), "later transactions are booked")
}

// lateSource lists one transaction only if the list starts near the transaction's own time.
type lateSource struct {
	stripebalance.Source
	id string
	at time.Time
}

func (l lateSource) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	return l.Source.Transactions(ctx, e, since, until, func(listed []settlement.Transaction) error {
		return page(slices.DeleteFunc(listed, func(t settlement.Transaction) bool { return t.ID == l.id && since.Before(l.at.Add(-overlap)) }))
	})
}

func TestPayoutWaitsForItsMembers(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Fake.Advance(time.Minute)
	fee, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	at := time.Unix(int64(h.Count(`SELECT extract(epoch FROM max(created_at))::bigint + 58 FROM balance_transaction`)), 0)
	h.Fake.Advance(72 * time.Hour)
	_, err = h.Fake.Payout("tsne")
	require.NoError(t, err)
	h.Exec(`UPDATE balance_lookup SET nudged = true, next_look = now()`)
	c := h.Collector
	c.Source = lateSource{h.Stripe, fee, at}
	_, err = c.ImportDue(t.Context())
	require.NoError(t, err)
	require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
	require.Subset(t, balances(h), []string{"general 1015 1772", "operations 1015 40"}, "by its members, not in proportion")
}

const overlap = 2 * time.Second // as importOverlap

// blockingSource returns its list for tsne when the test allows it.
type blockingSource struct {
	stripebalance.Source
	listed, allowed chan struct{}
}

func (s blockingSource) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	err := s.Source.Transactions(ctx, e, since, until, page)
	if e.Slug == "tsne" {
		s.listed <- struct{}{}
		<-s.allowed
	}
	return err
}

func TestARunThatLostItsLeaseStops(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	for range 3 {
		h.Pay(h.StartedGift(program.ValidForm()))
	}
	first, second := h.Collector, h.Collector
	gate := blockingSource{h.Stripe, make(chan struct{}, 2), make(chan struct{})}
	first.Source = gate
	type end struct {
		n   int
		err error
	}
	ended := make(chan end)
	go func() {
		n, err := first.Sweep(context.Background())
		ended <- end{n, err}
	}()
	<-gate.listed
	h.Exec(`UPDATE balance_lookup SET leased_until = now() - interval '1 second'`) // a page took too long
	n, err := second.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, n)
	h.Exec(`UPDATE balance_lookup SET next_look = 'infinity'`)
	close(gate.allowed)
	require.Equal(t, end{}, <-ended)
	require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM balance_lookup WHERE next_look = 'infinity'`), "it does not release the other's lease")
}

// TestAFreshChargeIsImportedSoon: after failures or idle runs a new charge's fee does not wait for a quarter of an
// hour.
func TestAFreshChargeIsImportedSoon(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Pay(h.StartedGift(program.ValidForm()))
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}}))
	next := func() int { // seconds until the next run, after a failure that follows many idle runs
		h.Exec(`UPDATE balance_lookup SET idle_looks = 40, next_look = now(), nudged = true`)
		_, err := h.Collector.ImportDue(t.Context())
		require.Error(t, err)
		return h.Count(`SELECT extract(epoch FROM next_look - now())::int FROM balance_lookup JOIN legal_entity e ON e.id = entity_id WHERE slug = 'tsne'`)
	}
	require.LessOrEqual(t, next(), 10)
	h.Exec(`UPDATE balance_lookup SET newest_due = now() - interval '2 hours'`)
	require.Greater(t, next(), 800)
}

// TestALongImportContinues: a long time without imports is listed in spans from the oldest, and an interrupted import
// does not read again what is booked.
func TestALongImportContinues(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	settledGift(t, h)
	h.Exec(`UPDATE balance_lookup SET read_through = now() - interval '10 days'`)
	spans := 0
	c := h.Collector
	c.Source = countingSource{h.Stripe, &spans}
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7, spans, "ten days in spans of two, and one list of the balance check")
}

// countingSource counts tsne's lists and fails if a list other than the last has no end.
type countingSource struct {
	stripebalance.Source
	lists *int
}

func (c countingSource) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	if e.Slug == "tsne" {
		*c.lists++
		if until.IsZero() == (time.Since(since) > 48*time.Hour) {
			return errors.New("a list must end unless it is the last")
		}
	}
	return c.Source.Transactions(ctx, e, since, until, page)
}

// TestALostRaceIsNoTask: two processes may list the same transactions. The one that finds them booked opens no task.
func TestALostRaceIsNoTask(t *testing.T) {
	h := program.New(t, program.Options{})
	g := settledGift(t, h)
	refund, err := h.Fake.Refund(intent(g), 500)
	require.NoError(t, err)
	ended := make(chan error, 1)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		listed := []settlement.Transaction{}
		err := h.Stripe.Transactions(t.Context(), h.Offer("csio").Entity, time.Now().Add(-time.Hour), time.Time{}, func(page []settlement.Transaction) error {
			listed = append(listed, page...)
			return nil
		})
		if err != nil {
			return err
		}
		if _, err := h.Booker.BookTx(t.Context(), tx, h.CurrentCatalog(), g.EntityID, listed); err != nil {
			return err
		}
		go func() {
			_, err := h.Collector.Sweep(context.Background())
			ended <- err
		}()
		time.Sleep(300 * time.Millisecond)
		return nil
	}))
	require.NoError(t, <-ended)
	require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment_change WHERE object_id = $1`, refund))
	require.Zero(t, h.Count(`SELECT count(*) FROM balance_lookup WHERE leased_until > now()`), "the next run may start at once")
}

// TestADayOfSweepsListsATransactionFewTimes: a sweep lists what is new and what came just before; the first of a day
// also lists the day before.
func TestADayOfSweepsListsATransactionFewTimes(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	times := map[string]int{}
	c := h.Collector
	c.Booker.Now, c.Source = h.Fake.Now, listCounter{h.Stripe, times}
	for range 24 {
		h.Pay(h.StartedGift(program.ValidForm()))
		h.Fake.Advance(time.Hour)
		_, err := c.Sweep(t.Context())
		require.NoError(t, err)
	}
	require.Len(t, times, 25)
	for id, n := range times {
		require.LessOrEqual(t, n, 4, "%s: by its sweep, the balance check, the next sweep, and the first sweep of a day if one starts here", id)
	}
}

// listCounter counts how often each transaction is listed.
type listCounter struct {
	stripebalance.Source
	times map[string]int
}

func (s listCounter) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	return s.Source.Transactions(ctx, e, since, until, func(listed []settlement.Transaction) error {
		for _, t := range listed {
			s.times[t.ID]++
		}
		return page(listed)
	})
}

// TestTheFirstSweepOfADayFindsLateTransactions: one that is listed an hour after its date is found by the first sweep
// of the next day.
func TestTheFirstSweepOfADayFindsLateTransactions(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Fake.Advance(time.Hour)
	hidden, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	h.Fake.Advance(time.Hour)
	h.Pay(h.StartedGift(program.ValidForm()))
	c := h.Collector
	c.Booker.Now, c.Source = h.Fake.Now, hidingSource{h.Stripe, hidden}
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	booked := func() int {
		return h.Count(`SELECT count(*) FROM balance_transaction WHERE source_id = $1 OR id = $1`, hidden)
	}
	c.Source = h.Stripe
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	before := booked()
	h.Exec(`ALTER TABLE balance_observation DISABLE TRIGGER insert_only`)
	h.Exec(`UPDATE balance_observation SET at = at - interval '1 day'`)
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, []int{before, booked()})
}

// hidingSource does not list one transaction.
type hidingSource struct {
	stripebalance.Source
	id string
}

func (s hidingSource) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	return s.Source.Transactions(ctx, e, since, until, func(listed []settlement.Transaction) error {
		return page(slices.DeleteFunc(listed, func(t settlement.Transaction) bool { return t.ID == s.id || t.SourceID == s.id }))
	})
}

// TestBusyTimesListManyAtOnce: after a run that booked a whole batch, the next run starts at its time, not with the
// next fee.
func TestBusyTimesListManyAtOnce(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	for range 100 {
		_, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -1)
		require.NoError(t, err)
	}
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM balance_lookup WHERE idle_looks = -1 AND next_look > now() AND next_look <= now() + interval '10 seconds'`))
	h.Exec(`UPDATE balance_lookup SET next_look = now() + interval '1 hour' WHERE idle_looks = -1`) // however slow this machine is
	importDue := func() int {
		n, err := h.Collector.ImportDue(t.Context())
		require.NoError(t, err)
		return n
	}
	h.Exec(`UPDATE balance_lookup SET newest_due = now() - interval '1 hour'`)
	h.SettledGift(program.ValidForm())
	require.Zero(t, importDue())
	h.Exec(`UPDATE balance_lookup SET next_look = now()`)
	require.Equal(t, 1, importDue())
	h.Exec(`UPDATE balance_lookup SET newest_due = now() - interval '1 hour', next_look = now() + interval '1 hour'`)
	h.SettledGift(program.ValidForm())
	require.Equal(t, 1, importDue(), "a single new charge is imported at once")
}
