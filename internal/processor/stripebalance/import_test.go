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

// refusing is a source in which one entity's account cannot be listed.
type refusing struct {
	stripebalance.Source
	slug string
}

func (r refusing) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	if e.Slug == r.slug {
		return errors.New("key revoked")
	}
	return r.Source.Transactions(ctx, e, since, until, page)
}

func TestAnEntityThatCannotBeListedHoldsUpNoOther(t *testing.T) {
	h := program.New(t, program.Options{})
	h.Pay(h.StartedGift(program.ValidForm())) // tsne's
	c := h.Collector
	c.Source = refusing{h.Stripe, "aina"}
	n, err := c.Sweep(t.Context())
	require.ErrorContains(t, err, "balance of aina: key revoked")
	require.Equal(t, 1, n)
	c.Source = refusing{h.Stripe, "tsne"}
	_, err = c.Sweep(t.Context())
	require.ErrorContains(t, err, "balance of tsne: key revoked")
	require.NotContains(t, err.Error(), "aina")
}

func TestATransactionThatCannotBeBookedGoesToSuspense(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	gift := settledGift(t, h)
	first, err := h.Fake.Adjust("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	broken, err := h.Fake.Refund(intent(gift), 500)
	require.NoError(t, err)
	last, err := h.Fake.Refund(intent(gift), 200)
	require.NoError(t, err)
	h.Exec(`INSERT INTO charge_change (entity_id, object_id, kind, charge_id, amount, at) VALUES ($1, $2, 'refund', 'ch_other', 1, now())`, gift.EntityID, broken)
	_, err = h.Collector.Sweep(t.Context())
	require.Error(t, err, "it is tried again for a while")
	require.Equal(t, []string{"balance_transactions_stuck"}, h.Lines(`SELECT kind FROM finance_task WHERE closed_at IS NULL`))
	require.Zero(t, h.Count(`SELECT count(*) FROM posting WHERE account_code = '1090'`))
	h.Exec(`UPDATE finance_task SET opened_at = opened_at - interval '2 hours'`)
	importAll(t, h)
	require.NotEmpty(t, first)
	require.Equal(t, []string{"balance_transaction_not_booked refund " + broken},
		h.Lines(`SELECT format('%s %s %s', kind, detail->>'type', detail->>'of') FROM finance_task WHERE closed_at IS NULL`))
	require.Contains(t, balances(h), "operations 1090 500")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM charge_change WHERE object_id = $1 AND amount = 200`, last), "later ones go on")
}

// late is a source that shows one transaction only to who looks from its own date on.
type late struct {
	stripebalance.Source
	id string
	at time.Time
}

func (l late) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	return l.Source.Transactions(ctx, e, since, until, func(listed []settlement.Transaction) error {
		return page(slices.DeleteFunc(listed, func(t settlement.Transaction) bool { return t.ID == l.id && since.Before(l.at.Add(-overlap)) }))
	})
}

func TestPayoutWaitsForItsMembers(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Fake.Advance(time.Minute)
	fee, err := h.Fake.Adjust("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	at := time.Unix(int64(h.Count(`SELECT extract(epoch FROM max(created_at))::bigint + 58 FROM balance_transaction`)), 0)
	h.Fake.Advance(72 * time.Hour)
	_, err = h.Fake.Payout("tsne")
	require.NoError(t, err)
	h.Exec(`UPDATE balance_lookup SET nudged = true, next_look = now()`)
	c := h.Collector
	c.Source = late{h.Stripe, fee, at}
	_, err = c.ImportDue(t.Context())
	require.NoError(t, err)
	require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
	require.Subset(t, balances(h), []string{"general 1015 1772", "operations 1015 40"}, "by its own movements, not in proportion")
}

const overlap = 2 * time.Second // of one look with the one before

// slow is a source whose list for tsne arrives when it may.
type slow struct {
	stripebalance.Source
	listed, may chan struct{}
}

func (s slow) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	err := s.Source.Transactions(ctx, e, since, until, page)
	if e.Slug == "tsne" {
		s.listed <- struct{}{}
		<-s.may
	}
	return err
}

func TestALookThatLostItsTurnStops(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	for range 3 {
		h.Pay(h.StartedGift(program.ValidForm()))
	}
	first, second := h.Collector, h.Collector
	gate := slow{h.Stripe, make(chan struct{}, 2), make(chan struct{})}
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
	close(gate.may)
	require.Equal(t, end{}, <-ended)
	require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM balance_lookup WHERE next_look = 'infinity'`), "and frees nothing of the other's")
}

// After a bad spell or a quiet night a charge's fee is not waited for a quarter of an hour.
func TestAFreshChargeIsLookedForSoon(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	h.Pay(h.StartedGift(program.ValidForm()))
	require.NoError(t, h.Fake.SetFaults(stripefake.Faults{Rate: 1, Kinds: []string{"503"}}))
	next := func() int { // seconds from now, of a look that fails after many others found nothing
		h.Exec(`UPDATE balance_lookup SET idle_looks = 40, next_look = now(), nudged = true`)
		_, err := h.Collector.ImportDue(t.Context())
		require.Error(t, err)
		return h.Count(`SELECT extract(epoch FROM next_look - now())::int FROM balance_lookup JOIN legal_entity e ON e.id = entity_id WHERE slug = 'tsne'`)
	}
	require.LessOrEqual(t, next(), 10)
	h.Exec(`UPDATE balance_lookup SET newest_due = now() - interval '2 hours'`)
	require.Greater(t, next(), 800)
}

// Years nobody looked at are listed span by span from the oldest, and what is booked is not read again after an interruption.
func TestALongLookGoesOnWhereItWasInterrupted(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	settledGift(t, h)
	h.Exec(`UPDATE balance_lookup SET read_through = now() - interval '10 days'`)
	spans := 0
	c := h.Collector
	c.Source = counting{h.Stripe, &spans}
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 7, spans, "ten days by two, and what came while the balance was asked for")
}

// counting is a source that counts tsne's lists and holds that only the last is open to the future.
type counting struct {
	stripebalance.Source
	lists *int
}

func (c counting) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	if e.Slug == "tsne" {
		*c.lists++
		if until.IsZero() == (time.Since(since) > 48*time.Hour) {
			return errors.New("a list must end unless it is the last")
		}
	}
	return c.Source.Transactions(ctx, e, since, until, page)
}

// Two processes may list the same. The one that finds the other's rows in its way did nothing wrong, and neither did they.
func TestARaceThatIsLostIsNoTask(t *testing.T) {
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
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM charge_change WHERE object_id = $1`, refund))
	require.Zero(t, h.Count(`SELECT count(*) FROM balance_lookup WHERE leased_until > now()`), "the next look may come at once")
}

// A sweep lists what is new, and what came just before; the first of a day, once more, what the day before had.
func TestADayOfSweepsListsATransactionFewTimes(t *testing.T) {
	h := program.New(t, program.Options{})
	h.Starter.Now = h.Fake.Now
	settledGift(t, h)
	times := map[string]int{}
	c := h.Collector
	c.Booker.Now, c.Source = h.Fake.Now, telling{h.Stripe, times}
	for range 24 {
		h.Pay(h.StartedGift(program.ValidForm()))
		h.Fake.Advance(time.Hour)
		_, err := c.Sweep(t.Context())
		require.NoError(t, err)
	}
	require.Len(t, times, 25)
	for id, n := range times {
		require.LessOrEqual(t, n, 4, "%s: found, beside the balance, with the next, and by the first sweep of a day, should one begin here", id)
	}
}

// telling is a source that counts how often each transaction is listed.
type telling struct {
	stripebalance.Source
	times map[string]int
}

func (s telling) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	return s.Source.Transactions(ctx, e, since, until, func(listed []settlement.Transaction) error {
		for _, t := range listed {
			s.times[t.ID]++
		}
		return page(listed)
	})
}

// One that shows up an hour after its date is found by the first sweep of the next day.
func TestTheFirstSweepOfADayFindsWhatCameLate(t *testing.T) {
	h := program.New(t, program.Options{})
	h.Starter.Now = h.Fake.Now
	settledGift(t, h)
	h.Fake.Advance(time.Hour)
	hidden, err := h.Fake.Adjust("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	h.Fake.Advance(time.Hour)
	h.Pay(h.StartedGift(program.ValidForm()))
	c := h.Collector
	c.Booker.Now, c.Source = h.Fake.Now, hiding{h.Stripe, hidden}
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	kept := func() int {
		return h.Count(`SELECT count(*) FROM balance_transaction WHERE source_id = $1 OR id = $1`, hidden)
	}
	c.Source = h.Stripe
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	before := kept()
	h.Exec(`ALTER TABLE balance_observation DISABLE TRIGGER insert_only`)
	h.Exec(`UPDATE balance_observation SET at = at - interval '1 day'`)
	_, err = c.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1}, []int{before, kept()})
}

// hiding is a source that does not list one transaction yet.
type hiding struct {
	stripebalance.Source
	id string
}

func (s hiding) Transactions(ctx context.Context, e org.LegalEntity, since, until time.Time, page func([]settlement.Transaction) error) error {
	return s.Source.Transactions(ctx, e, since, until, func(listed []settlement.Transaction) error {
		return page(slices.DeleteFunc(listed, func(t settlement.Transaction) bool { return t.ID == s.id || t.SourceID == s.id }))
	})
}

// When a page's worth was found at once, more is on its way: the next look waits for its time, not for the next fee.
func TestLooksInACrowdListManyAtOnce(t *testing.T) {
	h := program.New(t, program.Options{})
	settledGift(t, h)
	for range 100 {
		_, err := h.Fake.Adjust("tsne", "stripe_fee", "usd", -1)
		require.NoError(t, err)
	}
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM balance_lookup WHERE idle_looks = -1 AND next_look > now() AND next_look <= now() + interval '10 seconds'`))
	h.Exec(`UPDATE balance_lookup SET next_look = now() + interval '1 hour' WHERE idle_looks = -1`) // whatever this machine is slowed by
	collect := func() int {
		n, err := h.Collector.ImportDue(t.Context())
		require.NoError(t, err)
		return n
	}
	h.Exec(`UPDATE balance_lookup SET newest_due = now() - interval '1 hour'`)
	h.SettledGift(program.ValidForm())
	require.Zero(t, collect())
	h.Exec(`UPDATE balance_lookup SET next_look = now()`)
	require.Equal(t, 1, collect())
	h.Exec(`UPDATE balance_lookup SET newest_due = now() - interval '1 hour', next_look = now() + interval '1 hour'`)
	h.SettledGift(program.ValidForm())
	require.Equal(t, 1, collect(), "one alone is looked for at once")
}
