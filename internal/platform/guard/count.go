package guard

import (
	"context"
	"math/rand/v2"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// slices is how finely a window is counted. The slice that a window only partly covers counts whole, so a limit
// is never passed in any window and may hold for a tenth of it longer.
const windowSlices = 10

// A limit of more than wide is counted in several rows at once, so that a busy page does not wait for one; it may
// then be passed by as many attempts as are judged in the same instant.
const (
	shardAbove = 100
	shards     = 8
)

// counter is one limit an attempt falls under.
type counter struct {
	key   []byte
	limit Limit
}

// countTx counts an attempt under all its limits and tells whether it keeps to each. Every attempt asks in the
// same order of kinds, so none waits for another that waits for it. An attempt that passes a limit is to be
// rolled back: what is refused counts nowhere, so one address at its limit uses up nothing of its neighbours'.
func countTx(ctx context.Context, tx *sqlx.Tx, counters []counter) (kept bool, err error) {
	const query = `/* guard.countTx */
		WITH asked AS (
		    SELECT place, key, shard, length, most, floor(extract(epoch FROM now()) / length)::bigint AS slice
		      FROM unnest($1::bytea[], $2::smallint[], $3::float8[], $4::integer[]) WITH ORDINALITY AS a (key, shard, length, most, place)
		), counted AS (
		    INSERT INTO guard_count AS c (key, slice, shard, n, until)
		    SELECT key, slice, shard, 1, now() + make_interval(secs => length * ($5 + 2)) FROM asked ORDER BY place
		    ON CONFLICT (key, slice, shard) DO UPDATE SET n = c.n + 1
		    RETURNING key, n
		)
		SELECT coalesce(bool_and(c.n + coalesce(others.n, 0) <= a.most), true)
		  FROM asked a
		  JOIN counted c USING (key)
		 CROSS JOIN LATERAL (
		    SELECT sum(o.n) AS n FROM guard_count o
		     WHERE o.key = a.key AND o.slice BETWEEN a.slice - $5 AND a.slice AND (o.slice, o.shard) <> (a.slice, a.shard)
		 ) others`
	var keys [][]byte
	var shard, most []int64
	var length []float64
	for _, c := range counters {
		keys, most = append(keys, c.key), append(most, int64(c.limit.Max))
		length = append(length, c.limit.Window.Seconds()/windowSlices)
		s := 0
		if c.limit.Max > shardAbove {
			s = rand.IntN(shards)
		}
		shard = append(shard, int64(s))
	}
	if len(keys) == 0 {
		return true, nil
	}
	err = tx.GetContext(ctx, &kept, query, pq.Array(keys), pq.Array(shard), pq.Array(length), pq.Array(most), windowSlices)
	return kept, err
}

// forgetTx drops what no window reaches any more.
func deleteExpiredTx(ctx context.Context, tx *sqlx.Tx) error {
	for _, query := range []string{
		`/* guard.forgetTx */ DELETE FROM guard_count WHERE until < now()`,
		`/* guard.forgetTx */ DELETE FROM guard_failure WHERE at < now() - interval '25 hours'`,
		`/* guard.forgetTx */ DELETE FROM guard_step_used WHERE until < now()`,
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return err
		}
	}
	return nil
}
