package payout

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
	"konbit/internal/platform/money"
)

// Source brings what Stripe lists; stripepay does.
type Source interface {
	// Holds tells whether an entity has an account at Stripe at all.
	Holds(entity org.LegalEntity) bool
	// Transactions calls page with each page (at most 100, newest first) of an entity's balance transactions made since, and before
	// until unless that is zero.
	Transactions(ctx context.Context, entity org.LegalEntity, since, until time.Time, page func([]Transaction) error) error
	// Members lists the balance transactions an automatic payout pays out, itself left out.
	Members(ctx context.Context, entity org.LegalEntity, payoutID string) ([]Member, error)
	// Balance is what Stripe holds for an entity in each currency, available and pending, in minor units.
	Balance(ctx context.Context, entity org.LegalEntity) (map[money.Currency]int64, error)
	// Transaction reads one balance transaction, as Transactions lists it.
	Transaction(ctx context.Context, entity org.LegalEntity, id string) (Transaction, error)
	// Bill reads the bill that a charge paid.
	Bill(ctx context.Context, entity org.LegalEntity, id string) (donation.Invoice, error)
	// Lost reads a dispute; nil unless the bank decided it against us.
	Lost(ctx context.Context, entity org.LegalEntity, dispute string) (*Lost, error)
}

// Collector fetches balance transactions and books them.
type Collector struct {
	DB      *sqlx.DB
	Catalog *fund.CatalogCache
	Source  Source
	Booker  Booker
}

const (
	// lease is how long a process that looks through an entity's balance may stay silent before another looks instead. It
	// is renewed with each page and each chunk, so that the end of a killed one is not waited for long.
	lease = 30 * time.Second
	// A look reads the last seconds again, a sweep the last minute, the first sweep of a day (by UTC) more than a day: transactions of
	// one moment may be listed one after the other, and nobody promises that a late one is dated late. What is paid out before that is
	// found by its payout. So each transaction is listed about twice, however many sweeps there are.
	overlap      = 2 * time.Second
	sweepOverlap = time.Minute
	dayOverlap   = 26 * time.Hour
	// span is how much time is listed at once; a sweep is one list.
	span = 48 * time.Hour
	// chunk is how many transactions are booked at once.
	chunk = 100
)

// Collect books what is new at Stripe for the entities that have a reason to look: a charge whose fee is due,
// or an event that told of money. It answers how many transactions were booked.
func (c Collector) Collect(ctx context.Context) (int, error) { return c.collect(ctx, false) }

// Sweep is Collect for every entity, with or without a reason, and from further back, most so the first time in a day. It observes the balances, too.
func (c Collector) Sweep(ctx context.Context) (int, error) { return c.collect(ctx, true) }

func (c Collector) collect(ctx context.Context, all bool) (int, error) {
	catalog, err := c.Catalog.Current(ctx)
	if err != nil {
		return 0, err
	}
	due, err := donation.FeesDue(ctx, c.DB)
	if err != nil {
		return 0, err
	}
	total := 0
	var failed []error
	for _, entity := range catalog.Entities() {
		if !c.Source.Holds(entity) {
			continue
		}
		n, err := c.entity(ctx, catalog, entity, dueOf(due, entity.ID), all)
		if total += n; err != nil {
			failed = append(failed, fmt.Errorf("balance of %s: %w", entity.Slug, err))
		}
	}
	return total, errors.Join(failed...)
}

// entity looks through one entity's balance, if there is a reason to and nobody else does.
func (c Collector) entity(ctx context.Context, catalog *fund.Catalog, entity org.LegalEntity, due *donation.FeeDue, all bool) (int, error) {
	claimed, err := claim(ctx, c.DB, entity.ID, c.Booker.NewID(), due, all)
	if err != nil || claimed == nil {
		return 0, err
	}
	l := look{Collector: c, lookup: claimed, catalog: catalog, entity: entity, unread: map[string]error{}}
	since := claimed.ReadThrough.Add(-overlap)
	if all {
		since = claimed.ReadThrough.Add(-sweepOverlap)
		if claimed.NewDay {
			since = claimed.ReadThrough.Add(-dayOverlap)
		}
	}
	if due != nil && due.Oldest.Add(-overlap).Before(since) {
		since = due.Oldest.Add(-overlap) // its charge was told of so late that it was never listed
	}
	through, err := l.since(ctx, since)
	if missing := (*unlisted)(nil); errors.As(err, &missing) && !l.twice {
		l.twice, l.left = true, left{}
		through, err = l.since(ctx, missing.at.Add(-overlap))
	}
	if all && !stops(err) {
		err = errors.Join(err, l.waited(ctx))
	}
	if err == nil && all {
		err = l.observe(ctx, through)
	}
	if err == nil && all {
		err = l.losses(ctx)
	}
	freed := claimed.free(ctx, c.DB, l.booked, through, err)
	if errors.Is(err, errTaken) {
		err = nil // what another has booked, or will
	}
	if errors.Is(freed, errTaken) {
		freed = nil
	}
	return l.booked, errors.Join(err, freed)
}

func dueOf(due []donation.FeeDue, entity uuid.UUID) *donation.FeeDue {
	for _, d := range due {
		if d.EntityID == entity {
			return &d
		}
	}
	return nil
}
