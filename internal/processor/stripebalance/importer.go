package stripebalance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/processor/settlement"
)

// Importer lists balance transactions and has them booked.
type Importer struct {
	DB      *sqlx.DB
	Catalog *fund.CatalogCache
	Source  Source
	Booker  settlement.Booker
	// Booked is called after a run that booked transactions of an entity: events may wait for them.
	Booked func(ctx context.Context, entity uuid.UUID) error
}

const (
	// leaseTTL is how long a lease lasts without renewal. A run renews it with each page and each batch, so another
	// process can go on soon after a crash.
	leaseTTL = 30 * time.Second

	// How far before the cursor a run lists again: transactions of the same moment may become visible one after the
	// other, and Stripe does not promise that a late one gets a late date. A transaction that is older still is found
	// through its payout. Each transaction is listed about twice, however many sweeps run.
	importOverlap     = 2 * time.Second
	sweepOverlap      = time.Minute
	firstSweepOverlap = 26 * time.Hour // in the first sweep of a UTC day

	// listSpan is how much time one list covers. A sweep normally needs one list.
	listSpan = 48 * time.Hour

	// batchSize is how many transactions are booked in one database transaction.
	batchSize = 100
)

// ImportDue imports for the entities that have a reason: a charge whose fee is due, or an event about money
// (RequestImportTx). It returns the number of transactions booked.
func (i Importer) ImportDue(ctx context.Context) (int, error) { return i.importEntities(ctx, false) }

// Sweep imports for every entity, with or without a reason, and lists from further back than ImportDue. It also
// retries pending charges, compares Stripe's balance with the books, and books disputes lost without an event.
func (i Importer) Sweep(ctx context.Context) (int, error) { return i.importEntities(ctx, true) }

func (i Importer) importEntities(ctx context.Context, sweep bool) (int, error) {
	catalog, err := i.Catalog.Current(ctx)
	if err != nil {
		return 0, err
	}
	due, err := donation.FeesDue(ctx, i.DB)
	if err != nil {
		return 0, err
	}
	total := 0
	var failed []error
	for _, entity := range catalog.Entities() {
		if !i.Source.HasAccount(entity) {
			continue
		}
		n, err := i.importEntity(ctx, catalog, entity, dueOf(due, entity.ID), sweep)
		if total += n; err != nil {
			failed = append(failed, fmt.Errorf("balance of %s: %w", entity.Slug, err))
		}
	}
	return total, errors.Join(failed...)
}

// importEntity imports one entity's balance if it gets the lease. It returns the number of transactions booked.
func (i Importer) importEntity(ctx context.Context, catalog *fund.Catalog, entity org.LegalEntity, due *donation.FeeDue, sweep bool) (int, error) {
	if begun, err := i.begin(ctx, entity, due, sweep); err != nil || !begun {
		return 0, err
	}
	lease, err := acquireLease(ctx, i.DB, entity.ID, i.Booker.NewID(), due, sweep)
	if err != nil || lease == nil {
		return 0, err
	}
	r := importRun{Importer: i, importLease: lease, catalog: catalog, entity: entity, unreadInvoices: map[string]error{}}
	err = r.run(ctx, r.startOf(due, sweep), sweep)
	released := lease.release(ctx, i.DB, r.booked, r.through, err)
	if errors.Is(err, errLeaseLost) {
		err = nil // the other process books the rest
	}
	if errors.Is(released, errLeaseLost) {
		released = nil
	}
	if r.booked > 0 {
		err = errors.Join(err, i.Booked(ctx, entity.ID))
	}
	return r.booked, errors.Join(err, released)
}

// startOf returns the time from which a run lists.
func (r *importRun) startOf(due *donation.FeeDue, sweep bool) time.Time {
	start := r.ReadThrough.Add(-importOverlap)
	switch {
	case sweep && r.NewDay:
		start = r.ReadThrough.Add(-firstSweepOverlap)
	case sweep:
		start = r.ReadThrough.Add(-sweepOverlap)
	}
	if due != nil && due.Oldest.Add(-importOverlap).Before(start) {
		return due.Oldest.Add(-importOverlap) // a late event announced the charge after the cursor had passed it
	}
	return start
}

func dueOf(due []donation.FeeDue, entity uuid.UUID) *donation.FeeDue {
	for _, d := range due {
		if d.EntityID == entity {
			return &d
		}
	}
	return nil
}
