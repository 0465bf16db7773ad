package payout

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
)

// lookup is how far an entity's balance was read, and whose turn it is to read on.
type lookup struct {
	EntityID    uuid.UUID `db:"entity_id"`
	Holder      uuid.UUID `db:"holder"`
	ReadThrough time.Time `db:"read_through"`
	Begun       time.Time `db:"begun"`   // where the first look of all began
	NewDay      bool      `db:"new_day"` // no sweep has come to its end today
}

// errTaken: another process looks through the balance by now. Nothing is wrong, and nothing is left to do here.
var errTaken = errors.New("payout: the balance is looked through by another process")

// claim takes an entity's balance to look through, for a while, if there is a reason to and nobody else does.
// The first look of all begins with the first gift: what Stripe had before belongs to the opening balance. Looks that
// find nothing come less and less often, until a newer fee is due or an event nudges. In a crowd of gifts (idle_looks is -1) they
// come when their time does, not for each newer fee, for what is listed at once and again should be little beside what is new.
func claim(ctx context.Context, db *sqlx.DB, entity, holder uuid.UUID, due *donation.FeeDue, all bool) (*lookup, error) {
	const begin = `/* payout.claim */
		INSERT INTO balance_lookup (entity_id, read_through, begun, next_look)
		VALUES ($1, least($2::timestamptz, now()), least($2::timestamptz, now()), now()) ON CONFLICT (entity_id) DO NOTHING`
	const take = `/* payout.claim */
		UPDATE balance_lookup SET leased_until = now() + make_interval(secs => $2), holder = $5, newest_due = coalesce($3::timestamptz, newest_due), nudged = false
		 WHERE entity_id = $1 AND leased_until < now()
		   AND ($4 OR $3::timestamptz > coalesce(newest_due, '-infinity') AND idle_looks >= 0
		        OR next_look <= now() AND (nudged OR $3::timestamptz IS NOT NULL))
		RETURNING entity_id, holder, read_through, begun, NOT EXISTS (
		    SELECT 1 FROM balance_observation o WHERE o.entity_id = $1 AND o.at >= date_trunc('day', now(), 'UTC')) AS new_day`
	var oldest, newest *time.Time
	if due != nil {
		oldest, newest = &due.Oldest, &due.Newest
	}
	var taken []lookup
	err := pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, begin, entity, oldest); err != nil {
			return err
		}
		return tx.SelectContext(ctx, &taken, take, entity, lease.Seconds(), newest, all, holder)
	})
	if err != nil || len(taken) == 0 {
		return nil, err
	}
	return &taken[0], nil
}

// renew tells that the process that claimed an entity's balance is alive, and through which moment everything is booked by now;
// errTaken when another has claimed it since.
func (l *lookup) renew(ctx context.Context, db *sqlx.DB, through time.Time) error {
	const query = `/* payout.renew */
		UPDATE balance_lookup SET leased_until = now() + make_interval(secs => $3), read_through = greatest(read_through, $4)
		 WHERE entity_id = $1 AND holder = $2`
	return l.exec(ctx, db, query, l.EntityID, l.Holder, lease.Seconds(), through)
}

// exec changes the row of a look that is still ours.
func (l *lookup) exec(ctx context.Context, db *sqlx.DB, query string, args ...any) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, errTaken)
		}
		return nil
	})
}

// free gives an entity's balance back. While there is a reason to look, looks that find nothing or fail grow
// apart: to ten seconds within an hour of a charge whose fee is waited for, later to a quarter of an hour. failed is why it did not come
// to its end; since when none did is kept, for the checkers to see.
func (l *lookup) free(ctx context.Context, db *sqlx.DB, booked int, through time.Time, failed error) error {
	const query = `/* payout.free */
		UPDATE balance_lookup
		   SET leased_until = '-infinity', holder = NULL, read_through = greatest(read_through, $3),
		       idle_looks = CASE WHEN $4::integer >= $6::integer THEN -1 WHEN $4 > 0 THEN 0 ELSE idle_looks + 1 END, nudged = nudged OR $5 <> '',
		       failing_since = CASE WHEN $5 <> '' THEN coalesce(failing_since, now()) END, failure = nullif($5, ''),
		       next_look = now() + least(make_interval(secs => CASE WHEN $4::integer >= $6::integer THEN 9 ELSE 3 * 2 ^ least(CASE WHEN $4 > 0 THEN 0 ELSE idle_looks END, 12) END),
		                                 CASE WHEN newest_due > now() - interval '1 hour' THEN interval '10 seconds' ELSE interval '15 minutes' END)
		 WHERE entity_id = $1 AND holder = $2`
	why := ""
	if failed != nil {
		why = string([]rune(strings.ToValidUTF8(failed.Error(), ""))[:min(len([]rune(failed.Error())), 500)])
	}
	return l.exec(ctx, db, query, l.EntityID, l.Holder, through, booked, why, chunk)
}

// NudgeTx asks for a look at an entity's balance soon: an event told of money that is not booked yet.
func NudgeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) error {
	const query = `/* payout.NudgeTx */ UPDATE balance_lookup SET nudged = true, next_look = least(next_look, now()) WHERE entity_id = $1 AND (NOT nudged OR next_look > now())`
	_, err := tx.ExecContext(ctx, query, entity)
	return err
}

// movedTx tells whether a movement of the object's is booked, in suspense too.
func (s *session) movedTx(ctx context.Context, tx *sqlx.Tx, object string) (moved bool, err error) {
	const query = `/* payout.movedTx */ SELECT EXISTS (SELECT 1 FROM balance_transaction WHERE entity_id = $1 AND source_id = $2)`
	err = tx.GetContext(ctx, &moved, query, s.entity.ID, object)
	return moved, err
}

// Stall is an entity whose balance is not booked to its end.
type Stall struct {
	EntityID uuid.UUID `db:"entity_id"`
	Since    time.Time `db:"since"`
	Why      string    `db:"why"`
}

// Stalls lists the entities whose balance no look has booked to its end for longer than two sweeps take, and those with a charge that
// has waited for its bill for longer than patience.
func Stalls(ctx context.Context, q sqlx.QueryerContext) (all []Stall, err error) {
	const query = `/* payout.Stalls */
		SELECT entity_id, failing_since AS since, failure AS why FROM balance_lookup WHERE failing_since < now() - make_interval(secs => $1)
		UNION ALL
		SELECT entity_id, min(at), count(*) || ' charges wait for their bill' FROM pending_charge
		 WHERE bill IS NOT NULL AND cleared_at IS NULL AND at < now() - make_interval(secs => $2) GROUP BY entity_id`
	err = sqlx.SelectContext(ctx, q, &all, query, stalled.Seconds(), patience.Seconds())
	return all, err
}

// stalled is how long looks may fail before somebody is told; a sweep comes every quarter of an hour.
const stalled = 30 * time.Minute
