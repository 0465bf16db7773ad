package privacy

import (
	"context"
	"crypto/hmac"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// RecordTracesTx compares all stored addresses with the keyed hashes of erased addresses and stores which rows contain
// an erased one, for checker A17. A row that is newer than the erasure belongs to a new person. It replaces what the
// last call stored. Erase of the same erasure removes such rows.
func (k Eraser) RecordTracesTx(ctx context.Context, tx *sqlx.Tx) error {
	const forget = `/* privacy.RecordTracesTx */ DELETE FROM erasure_trace`
	const insert = `/* privacy.RecordTracesTx */
		INSERT INTO erasure_trace (place, subject)
		SELECT DISTINCT s.place, s.subject FROM stored_address s
		  JOIN unnest($1::text[], $2::timestamptz[]) AS e (address, at) ON e.address = s.address AND s.since < e.at`
	if _, err := tx.ExecContext(ctx, forget); err != nil {
		return err
	}
	if err := k.markTracedTx(ctx, tx); err != nil {
		return err
	}
	erased, err := erasedAtTx(ctx, tx)
	if err != nil || len(erased) == 0 {
		return err
	}
	found, n, err := k.erasedAddressesTx(ctx, tx, erased)
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.ExecContext(ctx, insert, found.Args()...)
	return err
}

// markTracedTx records that the addresses were compared on this day.
func (k Eraser) markTracedTx(ctx context.Context, tx *sqlx.Tx) error {
	const forget = `/* privacy.markTracedTx */ DELETE FROM erasure_trace_run`
	const insert = `/* privacy.markTracedTx */ INSERT INTO erasure_trace_run (day, mac) VALUES ($1, $2)`
	day, err := checkerDayTx(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, forget); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, insert, day, k.traceMACs(day)[0])
	return err
}

// TracedTodayTx reports whether RecordTracesTx ran on this day. The server's role alone cannot
// forge this record.
func (k Eraser) TracedTodayTx(ctx context.Context, tx *sqlx.Tx) (bool, error) {
	const query = `/* privacy.TracedTodayTx */ SELECT mac FROM erasure_trace_run WHERE day = $1`
	day, err := checkerDayTx(ctx, tx)
	if err != nil {
		return false, err
	}
	var macs [][]byte
	if err := tx.SelectContext(ctx, &macs, query, day); err != nil {
		return false, err
	}
	return slices.ContainsFunc(k.traceMACs(day), func(own []byte) bool {
		return slices.ContainsFunc(macs, func(mac []byte) bool { return hmac.Equal(mac, own) })
	}), nil
}

// checkerDayTx returns the day of the nightly check, which begins at 08:00 UTC.
func checkerDayTx(ctx context.Context, tx *sqlx.Tx) (day string, err error) {
	const query = `/* privacy.checkerDayTx */ SELECT to_char(now() AT TIME ZONE 'UTC' - interval '8 hours', 'YYYY-MM-DD')`
	err = tx.GetContext(ctx, &day, query)
	return day, err
}

// erasedAddressesTx returns the stored addresses that were erased and when, and their number. It hashes each address as
// it reads it: a pause after the last row would end the transaction (pg.IdleInTxTimeout).
func (k Eraser) erasedAddressesTx(ctx context.Context, tx *sqlx.Tx, erased map[string]time.Time) (found *pg.Columns, n int, err error) {
	const stored = `/* privacy.erasedAddressesTx */ SELECT DISTINCT address FROM stored_address`
	found = pg.NewColumns(2)
	rows, err := tx.QueryContext(ctx, stored)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var address string
		if err := rows.Scan(&address); err != nil {
			return nil, 0, err
		}
		for _, mac := range k.macs(address) {
			if at, ok := erased[string(mac)]; ok {
				found.Add(address, at)
				n++
			}
		}
	}
	return found, n, rows.Err()
}

// tracedTx returns the addresses in the rows that the last RecordTracesTx found.
func tracedTx(ctx context.Context, tx *sqlx.Tx) (addresses []string, err error) {
	const query = `/* privacy.tracedTx */
		SELECT DISTINCT s.address FROM erasure_trace t JOIN stored_address s ON s.place = t.place AND s.subject = t.subject
		 WHERE EXISTS (SELECT FROM erasure_trace)`
	err = tx.SelectContext(ctx, &addresses, query)
	return addresses, err
}

// erasedAtTx returns when each address was last erased, by its keyed hash.
func erasedAtTx(ctx context.Context, tx *sqlx.Tx) (map[string]time.Time, error) {
	const query = `/* privacy.erasedAtTx */ SELECT mac, at FROM erased_address`
	var rows []struct {
		MAC []byte    `db:"mac"`
		At  time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &rows, query)
	erased := make(map[string]time.Time, len(rows))
	for _, r := range rows {
		erased[string(r.MAC)] = r.At
	}
	return erased, err
}
