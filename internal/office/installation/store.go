package installation

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
)

// The facts. Rows hold these values.
const (
	factKey     = "secret key"
	factAddress = "base url"
)

// Read returns what is recorded.
func Read(ctx context.Context, q sqlx.QueryerContext) (r Recorded, err error) {
	const query = `/* installation.Read */ SELECT fact, value, recorded_at FROM installation WHERE fact IN ($1, $2)` // planned once
	var rows []struct {
		Fact  string    `db:"fact"`
		Value string    `db:"value"`
		At    time.Time `db:"recorded_at"`
	}
	if err = sqlx.SelectContext(ctx, q, &rows, query, factKey, factAddress); err != nil {
		return r, err
	}
	for _, row := range rows {
		switch row.Fact {
		case factKey:
			r.Key, r.KeySince = row.Value, row.At
		case factAddress:
			r.Address, r.AddressAt = row.Value, row.At
		}
	}
	return r, nil
}

// RecordMissing records the current key and the address, unless they are recorded, and returns what is recorded. base
// may be nil.
func RecordMissing(ctx context.Context, db *sqlx.DB, keys keyring.Ring, base *url.URL) (Recorded, error) {
	r, err := Read(ctx, db)
	if err != nil || (r.Key != "" || keys.IsEmpty()) && (r.Address != "" || base == nil) {
		return r, err
	}
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if !keys.IsEmpty() {
			if err := insertTx(ctx, tx, factKey, keys.Fingerprints()[0].String()); err != nil {
				return err
			}
		}
		if base != nil {
			return insertTx(ctx, tx, factAddress, address(base))
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	return Read(ctx, db) // another process may have been first
}

func insertTx(ctx context.Context, tx *sqlx.Tx, fact, value string) error {
	const query = `/* installation.insertTx */ INSERT INTO installation (fact, value) VALUES ($1, $2) ON CONFLICT (fact) DO NOTHING`
	_, err := tx.ExecContext(ctx, query, fact, value)
	return err
}

// SetAddress records the address of the pages. Its database connection is the owner's.
func SetAddress(ctx context.Context, db *sqlx.DB, base *url.URL) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return setTx(ctx, tx, factAddress, address(base)) })
}

// SetKey records the current key. Its database connection is the owner's.
func SetKey(ctx context.Context, db *sqlx.DB, keys keyring.Ring) error {
	if keys.IsEmpty() {
		return ErrKey
	}
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error { return setTx(ctx, tx, factKey, keys.Fingerprints()[0].String()) })
}

// setTx records a fact. The time changes only if the value does.
func setTx(ctx context.Context, tx *sqlx.Tx, fact, value string) error {
	const query = `/* installation.setTx */
		INSERT INTO installation AS i (fact, value) VALUES ($1, $2)
		ON CONFLICT (fact) DO UPDATE SET value = excluded.value, recorded_at = clock_timestamp() WHERE i.value <> excluded.value`
	_, err := tx.ExecContext(ctx, query, fact, value)
	return err
}

// Record records what is missing, and another address of the pages, about which it returns a line of text. It returns
// ErrKey, and changes nothing, if the recorded key is not in the ring, and ErrNoKey if the ring is empty although a key is
// recorded and the address is another one: the settings are then those of another installation, or may be. base may be
// nil. Its database connection is the owner's.
func Record(ctx context.Context, db *sqlx.DB, keys keyring.Ring, base *url.URL) (changed string, err error) {
	known, err := Read(ctx, db)
	if err != nil {
		return "", err
	}
	if err := known.CheckOwner(keys, base, false); err != nil {
		return "", err
	}
	if known, err = RecordMissing(ctx, db, keys, base); err != nil || known.CheckAddress(base) == nil {
		return "", err
	}
	if err := SetAddress(ctx, db, base); err != nil {
		return "", err
	}
	return fmt.Sprintf("BASE_URL is now %s; it was %s. A server with the former address sends no emails.\n", base, known.Address), nil
}

// Check returns ErrKey if the recorded key is not in the ring.
func Check(ctx context.Context, q sqlx.QueryerContext, keys keyring.Ring) error {
	known, err := Read(ctx, q)
	if err != nil {
		return err
	}
	return known.CheckKey(keys)
}

// CheckOwner is Recorded.CheckOwner with what is recorded.
func CheckOwner(ctx context.Context, q sqlx.QueryerContext, keys keyring.Ring, base *url.URL, standIn bool) error {
	known, err := Read(ctx, q)
	if err != nil {
		return err
	}
	return known.CheckOwner(keys, base, standIn)
}

// CheckAddress returns ErrAddress if the address of the pages is not the recorded one.
func CheckAddress(ctx context.Context, q sqlx.QueryerContext, base *url.URL) error {
	known, err := Read(ctx, q)
	if err != nil {
		return err
	}
	return known.CheckAddress(base)
}
