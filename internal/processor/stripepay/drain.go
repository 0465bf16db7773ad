package stripepay

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
)

const (
	batchSize     = 100
	idleWait      = 200 * time.Millisecond // how long an event stored by another process may wait
	maxFailures   = 5                      // of an event; waiting for a parent is no failure
	chargeGrace   = 5 * time.Second        // how long the charge of a paid session may take before it is asked for
	maxParkDelay  = 10 * time.Minute
	fetchBudget   = 10 * time.Second // at Stripe after one batch, before the next
	maxWorkers    = 4                // events of few gifts are worked off by one or two
	busyThreshold = 16               // events in a batch: they come faster than they are worked off
	maxYield      = 3 * time.Second  // the longest that others make way
)

// Drain works stored events off.
type Drain struct {
	DB            *sqlx.DB
	Stripe        *Stripe
	Catalog       *fund.CatalogCache
	Settler       donation.Settler
	Booker        settlement.Booker
	Plans         recurring.Plans
	Log           *slog.Logger
	wake          chan struct{}
	yieldSlots    chan struct{} // of those who yield
	activeWorkers atomic.Int32  // hands at a batch
	overloaded    atomic.Bool   // the last batch was a crowd
}

// NewDrain makes a drain of what is set.
func NewDrain(d *Drain) *Drain {
	d.wake = make(chan struct{}, 1)
	d.yieldSlots = make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1))
	return d
}

// Yield waits for a moment when no event is being worked off and none crowd in, and for a turn, but seconds at most: work that can
// wait and would take the processor from gifts asks it first. As many as every second processor have a turn at once; done ends it.
func (d *Drain) Yield(ctx context.Context) (done func()) {
	ctx, cancel := context.WithTimeout(ctx, maxYield)
	defer cancel()
	select {
	case d.yieldSlots <- struct{}{}:
	case <-ctx.Done():
		return func() {}
	}
	for (d.overloaded.Load() || d.activeWorkers.Load() > 0) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(2 * time.Millisecond):
		}
	}
	return func() { <-d.yieldSlots }
}

// Wake tells that an event was stored. It never blocks.
func (d *Drain) Wake() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// Run works events off until ctx ends, with as many hands as there are processors, for a batch keeps one of the database's busy; a
// batch under way is finished.
func (d *Drain) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxWorkers) {
		workers.Go(func() { d.run(ctx) })
	}
	workers.Wait()
}

func (d *Drain) run(ctx context.Context) {
	for ctx.Err() == nil {
		d.activeWorkers.Add(1)
		n, err := d.Once(context.WithoutCancel(ctx))
		d.activeWorkers.Add(-1)
		d.overloaded.Store(n >= busyThreshold)
		if err != nil {
			d.Log.WarnContext(ctx, "stripe events: the database does not answer", "error", err)
		}
		if n == batchSize && err == nil {
			d.Wake() // there may be enough for another hand
			continue
		}
		select {
		case <-ctx.Done():
		case <-d.wake:
		case <-time.After(idleWait):
		}
	}
}

// Once works off one batch and answers how many events it took up. A batch that fails is done again event
// by event, so that one bad event stops no other; one that waited for a lock for too long is left as it is. It is not flushed: the events were, and a letter is kept by a commit that is, before
// it is sent.
func (d *Drain) Once(ctx context.Context) (taken int, err error) {
	var batch, needsFetch, ownTransaction []event
	err = pg.InTxAsyncCommit(ctx, d.DB, func(tx *sqlx.Tx) (err error) {
		if batch, err = dueTx(ctx, tx, batchSize); err != nil || len(batch) == 0 {
			return err
		}
		needsFetch, ownTransaction, err = d.handleTx(ctx, tx, batch)
		return err
	})
	if pg.IsLockTimeout(err) {
		return 0, err // each of them alone would wait as long
	}
	if err != nil {
		needsFetch, ownTransaction = nil, batch
	}
	for _, e := range ownTransaction {
		if err := d.single(ctx, e); err != nil {
			return len(batch), err
		}
	}
	// What is left of many looks comes again when its time comes; new charges do not wait for it.
	for began := time.Now(); len(needsFetch) > 0 && time.Since(began) < fetchBudget; needsFetch = needsFetch[1:] {
		e := needsFetch[0]
		if err := d.fetch(ctx, e); err != nil {
			return len(batch), err
		}
	}
	if len(batch) == 0 {
		return 0, err
	}
	return len(batch), nil
}

// single handles one event on its own, and notes its failure if it fails again.
func (d *Drain) single(ctx context.Context, e event) error {
	var needsFetch []event
	err := pg.InTx(ctx, d.DB, func(tx *sqlx.Tx) error {
		mine, err := claimTx(ctx, tx, e)
		if err != nil || !mine {
			return err
		}
		needsFetch, _, err = d.handleTx(ctx, tx, []event{e})
		return err
	})
	if err == nil && len(needsFetch) > 0 {
		return d.fetch(ctx, e)
	}
	if err != nil {
		return d.fail(ctx, e, err)
	}
	return nil
}

// look asks Stripe for what an event only hints at and applies that. Nothing found: the event stays parked.
func (d *Drain) fetch(ctx context.Context, e event) error {
	bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := d.fetchAndApply(bounded, e); err != nil {
		return d.fail(ctx, e, err)
	}
	return nil
}

func (d *Drain) fetchAndApply(ctx context.Context, e event) error {
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	entity, err := catalog.EntityByID(e.EntityID)
	if err != nil {
		return err
	}
	told, err := translateEvent(e)
	if err != nil {
		return err
	}
	seen, err := d.Stripe.fetchEffect(ctx, entity, told, e)
	if err != nil || seen.isEmpty() {
		return err
	}
	return pg.InTx(ctx, d.DB, func(tx *sqlx.Tx) error {
		mine, err := claimTx(ctx, tx, e)
		if err != nil || !mine {
			return err
		}
		_, err = d.applyTx(ctx, tx, catalog, []event{e}, []eventEffect{seen})
		return err
	})
}

// parkFor grows from two seconds to ten minutes, spread by half.
func parkDelay(tries int) time.Duration {
	wait := maxParkDelay
	if tries < 9 {
		wait = min(2*time.Second<<tries, maxParkDelay)
	}
	return wait/2 + rand.N(wait)
}

// fail notes a failed try.
func (d *Drain) fail(ctx context.Context, e event, why error) error {
	r := d.failure(ctx, e, why)
	return pg.InTx(ctx, d.DB, func(tx *sqlx.Tx) error { return finishTx(ctx, tx, []event{e}, []result{r}) })
}

// failure is where an event goes that failed: parked, and after mostFailures set aside with its reason, unless
// what failed is Stripe, the database or the way to them.
func (d *Drain) failure(ctx context.Context, e event, why error) result {
	r := parked(why.Error(), parkDelay(e.Tries))
	// A fund younger than this process's directory is not found for a moment; that is no failure either.
	r.failed = !fault.Is(why, fault.Unavailable) && !fault.Is(why, fault.NotFound) && !pg.IsTransient(why)
	if r.failed && e.Failures+1 >= maxFailures {
		r.state = "set_aside"
		d.Log.ErrorContext(ctx, "stripe event set aside", "event", e.ID, "type", e.Type, "error", why)
	}
	return r
}
