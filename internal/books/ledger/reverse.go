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

// Reversal says that an entry was undone or was a mistake. Its fields mean the same as those of Entry.
type Reversal struct {
	Of                     uuid.UUID // the entry to mirror
	Date                   Date
	Source, SourceID, Kind string
	Fact                   Fact
	Dimensions             map[string]string
}

// ReverseTx books the mirror of an entry: the same lines with the opposite sign.
//
//	the same reversal again                    the first one, Repeated
//	another reversal of the same entry         fault.Conflict
//	no such entry                              fault.NotFound
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

// mirrorTx sets the books and the mirrored lines of e. It returns the key of the reversal that the entry has already;
// the zero key if none.
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
