package event

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

const (
	firstRetry   = 500 * time.Millisecond // of an event of a payment without its charge, which has usually come then
	chargeGrace  = 5 * time.Second        // how long the charge may take after that before it is fetched
	maxParkDelay = 10 * time.Minute
)

// fetch reads at the processor what an event only hints at and applies it. If there is nothing yet, the event stays
// parked.
func (w *Worker) fetch(ctx context.Context, e Event) error {
	bounded, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if err := w.fetchAndApply(bounded, e); err != nil {
		return w.storeFailure(ctx, e, err)
	}
	return nil
}

func (w *Worker) fetchAndApply(ctx context.Context, e Event) error {
	catalog, err := w.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	entity, err := catalog.EntityByID(e.EntityID)
	if err != nil {
		return err
	}
	fact, err := w.Source.Fetch(ctx, entity, e)
	if err != nil || fact.IsEmpty() {
		return err
	}
	e.Fact = fact
	return pg.InTx(ctx, w.DB, func(tx *sqlx.Tx) error {
		claimed, err := w.Source.ClaimTx(ctx, tx, e)
		if err != nil || !claimed {
			return err
		}
		_, err = w.applyTx(ctx, tx, catalog, []Event{e})
		return err
	})
}

// parkDelay returns how long an event is parked: from two seconds at the first attempt to ten minutes. Half of the
// delay is random.
func parkDelay(attempts int) time.Duration {
	delay := maxParkDelay
	if attempts < 9 {
		delay = min(2*time.Second<<attempts, maxParkDelay)
	}
	return delay/2 + rand.N(delay)
}

func (w *Worker) storeFailure(ctx context.Context, e Event, why error) error {
	r := w.failure(ctx, e, why)
	return pg.InTx(ctx, w.DB, func(tx *sqlx.Tx) error { return w.Source.FinishTx(ctx, tx, []Event{e}, []Result{r}) })
}

// failure returns what becomes of an event after a failed attempt: it is parked, and set aside with the reason after
// MaxFailures. These are no failures of the event, so it stays parked:
//
//	fault.Unavailable, a transient database error   the processor, the database or the way to them failed
//	fault.NotFound                                  a fund is younger than this process's copy of the catalog
func (w *Worker) failure(ctx context.Context, e Event, why error) Result {
	r := parked(why.Error(), parkDelay(e.Attempts))
	r.Failed = !fault.Is(why, fault.Unavailable) && !fault.Is(why, fault.NotFound) && !pg.IsTransient(why)
	if r.Failed && e.Failures+1 >= MaxFailures {
		r.State = SetAside
		w.Log.ErrorContext(ctx, "webhook event set aside", "event", e.ID, "type", e.Type, "error", why)
	}
	return r
}
