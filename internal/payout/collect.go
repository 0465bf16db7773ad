package payout

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/donation"
	"konbit/internal/fault"
	"konbit/internal/fund"
	"konbit/internal/ledger"
	"konbit/internal/org"
	"konbit/internal/pg"
)

// Source brings what Stripe lists; stripepay does.
type Source interface {
	// Transactions calls page with each page (at most 100, newest first) of an entity's balance transactions made since.
	Transactions(ctx context.Context, entity org.LegalEntity, since time.Time, page func([]Transaction) error) error
	// Members lists the balance transactions an automatic payout pays out, itself left out.
	Members(ctx context.Context, entity org.LegalEntity, payoutID string) ([]string, error)
}

// Collector fetches balance transactions and books them.
type Collector struct {
	DB     *sqlx.DB
	Setup  *fund.Directory
	Source Source
	Booker Booker
}

const (
	// lease is how long a process that looks through an entity's balance may stay silent before another looks instead. It
	// is renewed with each page and each chunk, so that the end of a killed one is not waited for long.
	lease = 30 * time.Second
	// A look reads the last seconds again, a sweep the last day: transactions of one moment may be listed one
	// after the other, and nobody promises that a late one is dated late.
	overlap      = 2 * time.Second
	sweepOverlap = 24 * time.Hour
	// chunk is how many transactions are booked at once.
	chunk = 100
)

// Collect books what is new at Stripe for the entities that have a reason to look: a charge whose fee is due,
// or an event that told of money. It answers how many transactions were booked.
func (c Collector) Collect(ctx context.Context) (int, error) { return c.collect(ctx, false) }

// Sweep is Collect for every entity, with or without a reason, and from further back.
func (c Collector) Sweep(ctx context.Context) (int, error) { return c.collect(ctx, true) }

func (c Collector) collect(ctx context.Context, all bool) (int, error) {
	setup, err := c.Setup.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	due, err := donation.FeesDue(ctx, c.DB)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, entity := range setup.Entities() {
		fees := dueOf(due, entity.ID)
		look, err := claim(ctx, c.DB, entity.ID, fees, all)
		if err != nil {
			return total, err
		}
		if look == nil {
			continue
		}
		since := look.ReadThrough.Add(-overlap)
		if all {
			since = look.ReadThrough.Add(-sweepOverlap)
		}
		if fees != nil && fees.Oldest.Add(-overlap).Before(since) {
			since = fees.Oldest.Add(-overlap) // its charge was told of so late that it was never listed
		}
		n, through, err := c.look(ctx, setup, entity, since)
		total += n
		if freeErr := free(ctx, c.DB, entity.ID, n, through, err == nil); err == nil {
			err = freeErr
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func dueOf(due []donation.FeeDue, entity uuid.UUID) *donation.FeeDue {
	for _, d := range due {
		if d.EntityID == entity {
			return &d
		}
	}
	return nil
}

// look lists what Stripe has since, oldest first, and books it in chunks. It answers how many were new and
// through which moment everything is booked.
func (c Collector) look(ctx context.Context, setup *fund.Snapshot, entity org.LegalEntity, since time.Time) (total int, through time.Time, err error) {
	through = since
	var listed []Transaction
	err = c.Source.Transactions(ctx, entity, since, func(page []Transaction) error {
		listed = append(listed, page...)
		return renew(ctx, c.DB, entity.ID)
	})
	if err != nil {
		return 0, through, err
	}
	slices.Reverse(listed)
	for part := range slices.Chunk(listed, chunk) {
		if err := renew(ctx, c.DB, entity.ID); err != nil {
			return total, through, err
		}
		if err := c.members(ctx, entity, part); err != nil {
			return total, through, err
		}
		var n int
		err := pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) (err error) {
			n, err = c.Booker.BookTx(ctx, tx, setup, entity.ID, part)
			return err
		})
		if err != nil {
			return total, through, c.stuck(ctx, entity, part, err)
		}
		total += n
		if last := part[len(part)-1].CreatedAt; last.After(through) {
			through = last
		}
	}
	return total, through, nil
}

// members asks which transactions the new payouts of a list pay out, before any transaction is opened.
func (c Collector) members(ctx context.Context, entity org.LegalEntity, part []Transaction) error {
	for i, t := range part {
		if t.movement() != paidOut || !t.Automatic {
			continue
		}
		booked, err := isBooked(ctx, c.DB, entity.ID, t.ID)
		if err != nil {
			return err
		}
		if booked {
			continue
		}
		if part[i].Members, err = c.Source.Members(ctx, entity, t.SourceID); err != nil {
			return err
		}
	}
	return nil
}

// stuck opens a task about a list that cannot be booked. Later movements wait behind it, because they may
// build on it; settling gifts does not.
func (c Collector) stuck(ctx context.Context, entity org.LegalEntity, part []Transaction, why error) error {
	if pg.Passing(why) || fault.Is(why, fault.Unavailable) {
		return why
	}
	task := ledger.Task{EntityID: entity.ID, Kind: "balance_transactions_stuck", Subject: part[0].ID, Detail: map[string]string{"reason": why.Error()}}
	return errors.Join(why, pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) error {
		return ledger.OpenTaskTx(ctx, tx, task, c.Booker.NewID, c.Booker.Now())
	}))
}
