package guard

import (
	"context"
	"errors"
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

// The kinds of limits under which an attempt to give counts, in the order in which their counters are locked.
const (
	kindKnown        = "known" // the known browsers of a mailbox
	kindKnownNetwork = "known-network"
	kindAddress      = "address"
	kindSolved       = "solved" // challenges solved from one address
	kindNetwork      = "network"
	kindHard         = "hard"          // hard challenges solved in one network
	kindEmailNetwork = "email-network" // an email address in one network
	kindWait         = "wait"
	kindWaitNetwork  = "wait-network"
	kindEmail        = "email" // an email address in all networks
	kindPage         = "page"
)

// counter is one limit and the key under which an attempt counts.
type counter struct {
	kind  string
	key   []byte
	limit Limit
}

// appendCounter appends a counter for a limit, unless the limit is off.
func (g *Guard) appendCounter(others []counter, kind, of string, l Limit) []counter {
	if l.IsOff() {
		return others
	}
	return append(others, counter{kind, g.counterKey(kind, of, l), l})
}

// errRefused rolls the counting of a refused attempt back.
var errRefused = errors.New("guard: refused")

// commitIf commits what do did if do returns true, and otherwise rolls it back.
func (g *Guard) commitIf(ctx context.Context, do func(tx *sqlx.Tx) (bool, error)) (bool, error) {
	err := pg.InTx(ctx, g.db, func(tx *sqlx.Tx) error {
		allowed, err := do(tx)
		if err == nil && !allowed {
			err = errRefused
		}
		return err
	})
	if errors.Is(err, errRefused) {
		return false, nil
	}
	return err == nil, err
}

// count counts an attempt if it is within all its limits, and then calls do, unless it is nil, in the same transaction.
// It returns the kinds of the limits that the attempt exceeds; an attempt that exceeds one is counted in none.
func (g *Guard) count(ctx context.Context, counters []counter, do func(tx *sqlx.Tx) error) (exceeded []string, err error) {
	_, err = g.commitIf(ctx, func(tx *sqlx.Tx) (_ bool, err error) {
		if exceeded, err = countTx(ctx, tx, counters); err != nil || len(exceeded) > 0 || do == nil {
			return len(exceeded) == 0, err
		}
		return true, do(tx)
	})
	return exceeded, err
}

// countTx counts an attempt under all its limits and returns the kinds of those that it exceeds. All attempts lock the
// counters in the same order of kinds, so two attempts cannot deadlock. The caller rolls back an attempt that it
// refuses, so an address at its limit uses up nothing of the network it shares.
func countTx(ctx context.Context, tx *sqlx.Tx, counters []counter) (exceeded []string, err error) {
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
		SELECT a.place
		  FROM asked a
		  JOIN counted c USING (key)
		 CROSS JOIN LATERAL (
		    SELECT sum(o.n) AS n FROM guard_count o
		     WHERE o.key = a.key AND o.slice BETWEEN a.slice - $1 AND a.slice AND (o.slice, o.shard) <> (a.slice, a.shard)
		 ) others
		 WHERE c.n + coalesce(others.n, 0) > a.most ORDER BY a.place`
	if len(counters) == 0 {
		return nil, nil
	}
	rows := pg.NewColumns(4)
	for _, c := range counters {
		shard := 0
		if c.limit.Max > shardAbove {
			shard = rand.IntN(shards)
		}
		rows.Add(c.key, shard, c.limit.Window.Seconds()/windowSlices, c.limit.Max)
	}
	var places []int
	err = tx.SelectContext(ctx, &places, query, rows.Args(windowSlices)...)
	for _, place := range places {
		exceeded = append(exceeded, counters[place-1].kind)
	}
	return exceeded, err
}

// countWayTx counts an attempt under all its limits. If one limit is exceeded, it counts the attempt under none of
// them, even if the transaction commits.
func countWayTx(ctx context.Context, tx *sqlx.Tx, counters []counter) (exceeded []string, err error) {
	const begin = `/* guard.countWayTx */ SAVEPOINT way`
	const undo = `/* guard.countWayTx */ ROLLBACK TO SAVEPOINT way`
	if _, err = tx.ExecContext(ctx, begin); err != nil {
		return nil, err
	}
	if exceeded, err = countTx(ctx, tx, counters); err == nil && len(exceeded) > 0 {
		_, err = tx.ExecContext(ctx, undo)
	}
	return exceeded, err
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
