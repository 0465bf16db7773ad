package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
)

// Reversal is the fact that an entry came undone, or was a mistake. Its fields mean what those of Entry mean.
type Reversal struct {
	Of                     uuid.UUID // the entry to mirror
	Date                   Date
	Source, SourceID, Kind string
	Fact                   Fact
	Dimensions             map[string]string
}

// ReverseTx books the mirror of an entry: the same lines with the other sign. The same reversal again is
// answered with the first one, as in PostTx; another reversal of the same entry is a fault.Conflict, and an entry that
// isn't there fault.NotFound.
func ReverseTx(ctx context.Context, tx *sqlx.Tx, r Reversal, newID func() uuid.UUID) (Posted, error) {
	e := Entry{Date: r.Date, Source: r.Source, SourceID: r.SourceID, Kind: r.Kind, Fact: r.Fact, Reverses: r.Of, Dimensions: r.Dimensions}
	earlier, err := mirrorTx(ctx, tx, &e)
	if err != nil {
		return Posted{}, err
	}
	if earlier != (key{}) && earlier != e.key() {
		return Posted{}, fault.Wrap(fault.Conflict, "ledger.reversed_already", fmt.Errorf("entry %s was reversed by %s", r.Of, earlier))
	}
	posted, err := PostTx(ctx, tx, []Entry{e}, newID)
	if err != nil {
		return Posted{}, err
	}
	return posted[0], nil
}

// mirrorTx gives e the books and the mirrored lines of the entry it reverses, and answers with the key of the reversal
// there already is, if any.
func mirrorTx(ctx context.Context, tx *sqlx.Tx, e *Entry) (earlier key, err error) {
	const original = `/* ledger.mirrorTx */
		SELECT e.entity_id, e.currency, coalesce(r.entity_id, $2), coalesce(r.source, ''), coalesce(r.source_id, ''), coalesce(r.kind, '')
		  FROM journal_entry e LEFT JOIN journal_entry r ON r.reverses = e.id
		 WHERE e.id = $1`
	err = tx.QueryRowContext(ctx, original, e.Reverses, uuid.Nil).
		Scan(&e.EntityID, &e.Currency, &earlier.entity, &earlier.source, &earlier.sourceID, &earlier.kind)
	if errors.Is(err, sql.ErrNoRows) {
		return earlier, fault.Wrap(fault.NotFound, "ledger.no_entry", fmt.Errorf("there is no entry %s", e.Reverses))
	}
	if err != nil {
		return earlier, err
	}
	const lines = `/* ledger.mirrorTx */ 
		SELECT account_code, fund_id, amount, dimensions, foreign_currency, foreign_amount, rate FROM posting WHERE entry_id = $1 ORDER BY n`
	rows, err := tx.QueryContext(ctx, lines, e.Reverses)
	if err != nil {
		return earlier, err
	}
	defer rows.Close()
	for rows.Next() {
		var p Posting
		var details storedDetails
		if err := rows.Scan(append([]any{&p.Account, &p.FundID, &p.Amount}, details.into()...)...); err != nil {
			return earlier, err
		}
		if err := details.of(&p); err != nil {
			return earlier, err
		}
		e.Postings = append(e.Postings, p.mirrored())
	}
	return earlier, rows.Err()
}
