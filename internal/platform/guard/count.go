package guard

import (
	"context"
	"math/rand/v2"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// windowSlices is the number of slices in which a window is counted. The oldest slice counts in full although the
// window covers only a part of it. So a limit is never exceeded in any window, and may hold for a tenth of the window
// longer.
const windowSlices = 10

// A limit above shardAbove is counted in several rows, so that attempts on a busy page do not wait for one row. It
// may then be exceeded by the attempts that are judged at the same instant.
const (
	shardAbove = 100
	shards     = 8
)

// counter is one limit and the key under which an attempt counts.
type counter struct {
	key   []byte
	limit Limit
}

// countTx counts an attempt under all its limits and reports whether it is within each. All attempts lock the
// counters in the same order of kinds, so two attempts cannot deadlock. The caller rolls back an attempt that is over
// a limit: a refused attempt is not counted, so an address at its limit uses up nothing of the network it shares.
func countTx(ctx context.Context, tx *sqlx.Tx, counters []counter) (allowed bool, err error) {
	const query = `/* guard.countTx */
		WITH asked AS (
		    SELECT place, key, shard, length, most, floor(extract(epoch FROM now()) / length)::bigint AS slice
		      FROM unnest($2::bytea[], $3::smallint[], $4::float8[], $5::integer[]) WITH ORDINALITY AS a (key, shard, length, most, place)
		), counted AS (
		    INSERT INTO guard_count AS c (key, slice, shard, n, until)
		    SELECT key, slice, shard, 1, now() + make_interval(secs => length * ($1 + 2)) FROM asked ORDER BY place
		    ON CONFLICT (key, slice, shard) DO UPDATE SET n = c.n + 1
		    RETURNING key, n
		)
		SELECT coalesce(bool_and(c.n + coalesce(others.n, 0) <= a.most), true)
		  FROM asked a
		  JOIN counted c USING (key)
		 CROSS JOIN LATERAL (
		    SELECT sum(o.n) AS n FROM guard_count o
		     WHERE o.key = a.key AND o.slice BETWEEN a.slice - $1 AND a.slice AND (o.slice, o.shard) <> (a.slice, a.shard)
		 ) others`
	if len(counters) == 0 {
		return true, nil
	}
	rows := pg.NewColumns(4)
	for _, c := range counters {
		shard := 0
		if c.limit.Max > shardAbove {
			shard = rand.IntN(shards)
		}
		rows.Add(c.key, shard, c.limit.Window.Seconds()/windowSlices, c.limit.Max)
	}
	err = tx.GetContext(ctx, &allowed, query, rows.Args(windowSlices)...)
	return allowed, err
}

// deleteExpiredTx deletes counts and failures that no window covers any more.
func deleteExpiredTx(ctx context.Context, tx *sqlx.Tx) error {
	for _, query := range []string{
		`/* guard.deleteExpiredTx */ DELETE FROM guard_count WHERE until < now()`,
		`/* guard.deleteExpiredTx */ DELETE FROM guard_failure WHERE at < now() - interval '25 hours'`,
		`/* guard.deleteExpiredTx */ DELETE FROM guard_step_used WHERE until < now()`,
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}
