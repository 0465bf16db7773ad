package payout

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/donation"
	"konbit/internal/fund"
	"konbit/internal/org"
	"konbit/internal/pg"
)

// Source brings what Stripe lists; stripepay does.
type Source interface {
	// Transactions calls page with each page (at most 100) of an entity's balance transactions made since.
	Transactions(ctx context.Context, entity org.LegalEntity, since time.Time, page func([]Transaction) error) error
}

// Collector fetches and books the fees that are due.
type Collector struct {
	DB     *sqlx.DB
	Setup  *fund.Directory
	Source Source
	Booker Booker
}

// lease is how long one process looks up an entity's fees before another may.
const lease = time.Minute

// Collect books the fees of all entities that have some due, and answers how many. Entities another
// process is looking after are left to it.
func (c Collector) Collect(ctx context.Context) (int, error) {
	due, err := donation.FeesDue(ctx, c.DB)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	setup, err := c.Setup.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	total := 0
	for _, d := range due {
		mine, err := c.claim(ctx, d.EntityID)
		if err != nil {
			return total, err
		}
		if !mine {
			continue
		}
		n, err := c.collect(ctx, setup, d)
		total += n
		if freeErr := c.free(ctx, d.EntityID); err == nil {
			err = freeErr
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

func (c Collector) collect(ctx context.Context, setup *fund.Snapshot, due donation.FeeDue) (total int, err error) {
	entity, err := setup.EntityByID(due.EntityID)
	if err != nil {
		return 0, err
	}
	// Stripe dates a charge and its balance transaction separately; a minute is more than they differ.
	since := due.Since.Add(-time.Minute)
	err = c.Source.Transactions(ctx, entity, since, func(listed []Transaction) error {
		return pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) error {
			n, err := c.Booker.BookFeesTx(ctx, tx, setup, entity.ID, listed)
			total += n
			return err
		})
	})
	return total, err
}

func (c Collector) claim(ctx context.Context, entity uuid.UUID) (mine bool, err error) {
	const query = `/* payout.claim */
		INSERT INTO fee_lookup (entity_id, leased_until) VALUES ($1, now() + make_interval(secs => $2))
		ON CONFLICT (entity_id) DO UPDATE SET leased_until = excluded.leased_until WHERE fee_lookup.leased_until < now()`
	err = pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, entity, lease.Seconds())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		mine = n > 0
		return err
	})
	return mine, err
}

func (c Collector) free(ctx context.Context, entity uuid.UUID) error {
	const query = `/* payout.free */ UPDATE fee_lookup SET leased_until = '-infinity' WHERE entity_id = $1`
	return pg.InTx(ctx, c.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, entity)
		return err
	})
}
