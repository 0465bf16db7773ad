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
	if do == nil {
		return g.countAlone(ctx, counters)
	}
	_, err = g.commitIf(ctx, func(tx *sqlx.Tx) (_ bool, err error) {
		if exceeded, err = countTx(ctx, tx, counters); err != nil || len(exceeded) > 0 {
			return false, err
		}
		return true, do(tx)
	})
	return exceeded, err
}

// countAttempt counts an attempt under all its counters and returns the places of those that it exceeds, from 1. All
// attempts lock the counters in the same order of kinds, so two attempts cannot deadlock. An attempt that exceeds one is
// counted in no counter, so an address at its limit does not use up the limit of its network.
const countAttempt = `/* guard.countAttempt */ SELECT count_attempt($1::bytea[], $2::smallint[], $3::float8[], $4::integer[], $5, $6)`

// countAlone counts an attempt in a transaction of its own, and returns the kinds of the limits that it exceeds.
func (g *Guard) countAlone(ctx context.Context, counters []counter) ([]string, error) {
	if len(counters) == 0 {
		return nil, nil
	}
	places, err := pg.Repeatable[int](ctx, g.db, countAttempt, countArgs(counters, false)...)
	return kindsAt(counters, places), err
}

// countTx is countAlone within a transaction.
func countTx(ctx context.Context, tx *sqlx.Tx, counters []counter) (exceeded []string, err error) {
	if len(counters) == 0 {
		return nil, nil
	}
	var places []int
	err = tx.SelectContext(ctx, &places, countAttempt, countArgs(counters, false)...)
	return kindsAt(counters, places), err
}

// countAnywayTx counts an attempt under all its counters, also under those whose limit it exceeds.
func countAnywayTx(ctx context.Context, tx *sqlx.Tx, counters []counter) error {
	if len(counters) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, countAttempt, countArgs(counters, true)...)
	return err
}

func countArgs(counters []counter, anyway bool) []any {
	rows := pg.NewColumns(4)
	for _, c := range counters {
		shard := 0
		if c.limit.Max > shardAbove {
			shard = rand.IntN(shards)
		}
		rows.Add(c.key, shard, c.limit.Window.Seconds()/windowSlices, c.limit.Max)
	}
	return append(rows.Args(), windowSlices, anyway)
}

func kindsAt(counters []counter, places []int) (kinds []string) {
	for _, place := range places {
		kinds = append(kinds, counters[place-1].kind)
	}
	return kinds
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
