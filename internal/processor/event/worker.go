package event

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
)

const (
	batchSize     = 100
	idleWait      = 200 * time.Millisecond // how long an event that another process stored may wait
	fetchTimeout  = 10 * time.Second       // of reading one event's objects at the processor
	fetchBudget   = 10 * time.Second       // of reading at the processor after one batch, before the next
	maxWorkers    = 4                      // one or two keep up with the events of few donations
	busyThreshold = 16                     // events in a batch: more arrive than are applied
	maxYield      = 3 * time.Second        // the longest that other work makes way for full batches
	shortYield    = 5 * time.Millisecond   // and for others: while gifts come evenly, one is nearly always applied
)

// Worker applies the stored events of one processor. NewWorker makes one.
type Worker struct {
	DB      *sqlx.DB
	Source  Source
	Catalog *fund.CatalogCache
	Settler donation.Settler
	Booker  settlement.Booker
	Plans   recurring.Plans
	Log     *slog.Logger

	wake       chan struct{}
	yieldSlots chan struct{} // held by callers of Yield that proceed
	active     atomic.Int32  // goroutines that apply a batch
	overloaded atomic.Bool   // the last batch reached busyThreshold
}

// NewWorker returns w, ready to run.
func NewWorker(w *Worker) *Worker {
	w.wake = make(chan struct{}, 1)
	w.yieldSlots = make(chan struct{}, max(runtime.GOMAXPROCS(0)/2, 1))
	return w
}

// Yield blocks up to 3 s while batches of events are full, and up to 5 ms while another is applied. At most GOMAXPROCS/2
// callers proceed at once; done ends a caller's turn. Work that can wait and would slow down donations calls it first.
// The 5 ms include the wait for a turn: where callers queue, they follow each other at once.
func (w *Worker) Yield(ctx context.Context) (done func()) {
	ctx, cancel := context.WithTimeout(ctx, maxYield)
	defer cancel()
	short := time.Now().Add(shortYield)
	select {
	case w.yieldSlots <- struct{}{}:
	case <-ctx.Done():
		return func() {}
	}
	for (w.overloaded.Load() || w.active.Load() > 0 && time.Now().Before(short)) && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(time.Millisecond):
		}
	}
	return func() { <-w.yieldSlots }
}

// Wake says that an event was stored. It never blocks.
func (w *Worker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// Run applies events until ctx ends; a batch under way is finished. It uses as many goroutines as there are processors,
// at most maxWorkers, because each batch keeps one processor of the database busy.
func (w *Worker) Run(ctx context.Context) {
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), maxWorkers) {
		workers.Go(func() { w.run(ctx) })
	}
	workers.Wait()
}

func (w *Worker) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.active.Add(1)
		n, err := w.RunBatch(context.WithoutCancel(ctx))
		w.active.Add(-1)
		w.overloaded.Store(n >= busyThreshold)
		if err != nil {
			w.Log.WarnContext(ctx, "webhook events: the database does not answer", "error", err)
		}
		if n == batchSize && err == nil {
			w.Wake() // there may be enough for another goroutine
			continue
		}
		select {
		case <-ctx.Done():
		case <-w.wake:
		case <-time.After(idleWait):
		}
	}
}

// RunBatch applies one batch of due events and returns how many it claimed. If the batch fails, each of its events is
// applied in a transaction of its own, so that one bad event stops no other; after a lock time-out all are left as they
// are. The commit is asynchronous: the events are stored durably, so a lost batch is applied again, and an email is
// stored by a durable commit before it is sent.
func (w *Worker) RunBatch(ctx context.Context) (claimed int, err error) {
	var batch, needsFetch, ownTransaction []Event
	err = pg.InTxAsyncCommit(ctx, w.DB, func(tx *sqlx.Tx) (err error) {
		if batch, err = w.Source.ClaimDueTx(ctx, tx, batchSize); err != nil || len(batch) == 0 {
			return err
		}
		together := batch
		if len(batch) > 1 {
			together, ownTransaction = splitBatch(batch)
		}
		needsFetch, err = w.handleTx(ctx, tx, together)
		return err
	})
	if pg.IsLockTimeout(err) {
		return 0, err // each of them alone would wait as long
	}
	if err != nil {
		needsFetch, ownTransaction = nil, batch
	}
	for _, e := range ownTransaction {
		if err := w.applyOne(ctx, e); err != nil {
			return len(batch), err
		}
	}
	// Events that are not fetched within the budget are due again later; new charges do not wait for them.
	for began := time.Now(); len(needsFetch) > 0 && time.Since(began) < fetchBudget; needsFetch = needsFetch[1:] {
		if err := w.fetch(ctx, needsFetch[0]); err != nil {
			return len(batch), err
		}
	}
	if len(batch) == 0 {
		return 0, err
	}
	return len(batch), nil
}

// splitBatch separates the events that must have a transaction of their own.
func splitBatch(events []Event) (together, ownTransaction []Event) {
	for _, e := range events {
		if e.Fact.ownTransaction() {
			ownTransaction = append(ownTransaction, e)
		} else {
			together = append(together, e)
		}
	}
	return together, ownTransaction
}

// handleTx applies the events that could be translated and stores the failure of the others.
func (w *Worker) handleTx(ctx context.Context, tx *sqlx.Tx, events []Event) (needsFetch []Event, err error) {
	catalog, err := w.Catalog.Current(ctx)
	if err != nil {
		return nil, err
	}
	var readable, unreadable []Event
	var failures []Result
	for _, e := range events {
		if e.Unreadable != nil {
			unreadable, failures = append(unreadable, e), append(failures, w.failure(ctx, e, e.Unreadable))
		} else {
			readable = append(readable, e)
		}
	}
	if err := w.Source.FinishTx(ctx, tx, unreadable, failures); err != nil {
		return nil, err
	}
	return w.applyTx(ctx, tx, catalog, readable)
}

// applyOne applies one event in a transaction of its own, and stores its failure if it fails.
func (w *Worker) applyOne(ctx context.Context, e Event) error {
	var needsFetch []Event
	err := pg.InTx(ctx, w.DB, func(tx *sqlx.Tx) error {
		claimed, err := w.Source.ClaimTx(ctx, tx, e)
		if err != nil || !claimed {
			return err
		}
		needsFetch, err = w.handleTx(ctx, tx, []Event{e})
		return err
	})
	if err == nil && len(needsFetch) > 0 {
		return w.fetch(ctx, e)
	}
	if err != nil {
		return w.storeFailure(ctx, e, err)
	}
	return nil
}
