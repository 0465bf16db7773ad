package stripebalance

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
)

// importLease is the right to import one entity's balance, and the cursor from which the import goes on. It is the
// entity's row of table balance_lookup, whose other columns are:
//
//	leased_until   when the lease ends unless renewed; -infinity if no process has it
//	nudged         an import was requested (RequestImportTx), or the last run failed
//	next_look      when the next run may start
//	newest_due     the newest charge whose fee was due when the lease was last acquired
//	failing_since  since when no run has ended without an error, and why (failure); null if the last one has
type importLease struct {
	EntityID    uuid.UUID `db:"entity_id"`
	Holder      uuid.UUID `db:"holder"`
	ReadThrough time.Time `db:"read_through"` // every transaction up to this time was booked when the lease was acquired
	Begun       time.Time `db:"begun"`        // where the first run of all began
	Pace        pace      `db:"idle_looks"`   // after the last run
	NewDay      bool      `db:"new_day"`      // no sweep has ended today (UTC)
}

// errLeaseLost is the error that another process imports the balance now. The run ends; nothing is wrong.
var errLeaseLost = errors.New("stripebalance: another process imports this balance")

// begin stores the time from which an entity's balance is imported, unless it is stored. It returns false if there is no
// reason to begin yet. What the processor held before that time belongs to the opening balance.
//
//	a charge's fee is due       the time of the oldest such charge
//	a sweep without a charge    now
//	an import without a charge  no reason to begin
//
// Both times are from the processor's clock. With the time of a clock that is ahead, the cursor would stand after
// transactions that the processor makes later: no list and no comparison would contain them. If the database's clock is
// behind, the import begins at the database's time: the table accepts no later one, and an earlier one only lists more.
func (i Importer) begin(ctx context.Context, entity org.LegalEntity, due *donation.FeeDue, sweep bool) (begun bool, err error) {
	const find = `/* stripebalance.begin */ SELECT EXISTS (SELECT FROM balance_lookup WHERE entity_id = $1)`
	const insert = `/* stripebalance.begin */
		INSERT INTO balance_lookup (entity_id, read_through, begun, next_look)
		VALUES ($1, least($2::timestamptz, now()), least($2::timestamptz, now()), now()) ON CONFLICT (entity_id) DO NOTHING`
	if err := i.DB.GetContext(ctx, &begun, find, entity.ID); err != nil || begun {
		return begun, err
	}
	var at time.Time
	switch {
	case due != nil:
		at = due.Oldest
	case sweep:
		if at, err = i.Source.Now(ctx, entity); err != nil {
			return false, err
		}
	default:
		return false, nil
	}
	err = pg.InTx(ctx, i.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, insert, entity.ID, at)
		return err
	})
	return err == nil, err
}

// acquireLease leases an entity's balance to holder for leaseTTL. It returns nil if another process has the lease or if
// there is no reason to import. A run starts:
//
//	sweep                         always
//	fee due                       at once if a charge is newer than the newest one seen; but at next_look if the pace is busy
//	event about money, or a fee   at next_look
//
// next_look moves further away with each run that books nothing (release).
func acquireLease(ctx context.Context, db *sqlx.DB, entity, holder uuid.UUID, due *donation.FeeDue, sweep bool) (*importLease, error) {
	const take = `/* stripebalance.acquireLease */
		UPDATE balance_lookup SET leased_until = now() + make_interval(secs => $2), holder = $5, newest_due = coalesce($3::timestamptz, newest_due), nudged = false
		 WHERE entity_id = $1 AND leased_until < now()
		   AND ($4 OR $3::timestamptz > coalesce(newest_due, '-infinity') AND idle_looks <> $6
		        OR next_look <= now() AND (nudged OR $3::timestamptz IS NOT NULL))
		RETURNING entity_id, holder, read_through, begun, idle_looks, NOT EXISTS (
		    SELECT 1 FROM balance_observation o WHERE o.entity_id = $1 AND o.at >= date_trunc('day', now(), 'UTC')) AS new_day`
	var newest *time.Time
	if due != nil {
		newest = &due.Newest
	}
	var taken []importLease
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		return tx.SelectContext(ctx, &taken, take, entity, leaseTTL.Seconds(), newest, sweep, holder, pace{busy: true})
	})
	if err != nil || len(taken) == 0 {
		return nil, err
	}
	return &taken[0], nil
}

// renew extends the lease by leaseTTL and stores through, the time up to which every transaction is booked. It returns
// errLeaseLost if another process has acquired the lease since.
func (l *importLease) renew(ctx context.Context, db *sqlx.DB, through time.Time) error {
	const query = `/* stripebalance.renew */
		UPDATE balance_lookup SET leased_until = now() + make_interval(secs => $3), read_through = greatest(read_through, $4)
		 WHERE entity_id = $1 AND holder = $2`
	return l.exec(ctx, db, query, l.EntityID, l.Holder, leaseTTL.Seconds(), through)
}

// exec runs a statement that changes or inserts a row only while the lease is ours; errLeaseLost if it did neither.
func (l *importLease) exec(ctx context.Context, db *sqlx.DB, query string, args ...any) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errLeaseLost)
		}
		return nil
	})
}

// release gives the lease back and sets when the next run may start: after the delay of the new pace, but at most
// maxFreshDelay within freshChargeAge of the newest charge whose fee is due. failed is why the run did not end; since when
// no run has ended is stored for the checkers.
func (l *importLease) release(ctx context.Context, db *sqlx.DB, booked int, through time.Time, failed error) error {
	const query = `/* stripebalance.release */
		UPDATE balance_lookup
		   SET leased_until = '-infinity', holder = NULL, read_through = greatest(read_through, $3), idle_looks = $4, nudged = nudged OR $5 <> '',
		       failing_since = CASE WHEN $5 <> '' THEN coalesce(failing_since, now()) END, failure = nullif($5, ''),
		       next_look = now() + make_interval(secs => CASE WHEN newest_due > now() - make_interval(secs => $7)
		                                                      THEN least($6::float8, $8::float8) ELSE $6::float8 END)
		 WHERE entity_id = $1 AND holder = $2`
	reason := ""
	if failed != nil {
		text := []rune(strings.ToValidUTF8(failed.Error(), ""))
		reason = string(text[:min(len(text), 500)])
	}
	next := l.Pace.after(booked)
	return l.exec(ctx, db, query, l.EntityID, l.Holder, through, next, reason,
		next.delay().Seconds(), freshChargeAge.Seconds(), maxFreshDelay.Seconds())
}

// RequestImportTx requests an import of an entity's balance soon: an event reported money that is not booked yet.
func RequestImportTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) error {
	const query = `/* stripebalance.RequestImportTx */
		UPDATE balance_lookup SET nudged = true, next_look = least(next_look, now()) WHERE entity_id = $1 AND (NOT nudged OR next_look > now())`
	_, err := tx.ExecContext(ctx, query, entity)
	return err
}
