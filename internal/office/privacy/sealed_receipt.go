package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// OpenSealedReceipt returns the sealed copy of a receipt by its number, and records who opened it and why. Its
// database connection is the owner's, because the server's role may not read the table. It returns fault.NotFound if
// there is no copy or it has expired.
func (k Eraser) OpenSealedReceipt(ctx context.Context, number, by, why string) (facts receipt.Facts, err error) {
	const query = `/* privacy.OpenSealedReceipt */ SELECT sealed FROM receipt_hold WHERE receipt_id = $1`
	const note = `/* privacy.OpenSealedReceipt */ INSERT INTO receipt_hold_reading (receipt_id, read_by, reason) VALUES ($1, $2, $3)`
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		r, err := receipt.ByNumber(ctx, tx, number)
		if err != nil {
			return err
		}
		var sealed []byte
		if err := tx.GetContext(ctx, &sealed, query, r.ID); errors.Is(err, sql.ErrNoRows) {
			return fault.New(fault.NotFound, "problem.404.text", nil)
		} else if err != nil {
			return err
		}
		text, err := k.open("receipt", sealed, r.ID)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(text, &facts); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, note, r.ID, by, why)
		return err
	})
	return facts, err
}

// IsActivePlan reports whether err says that a recurring gift is active.
func IsActivePlan(err error) bool { return hasPhrase(err, phrasePlan) }

// IsPendingGift reports whether err says that a donation is pending.
func IsPendingGift(err error) bool { return hasPhrase(err, phraseGift) }

func hasPhrase(err error, phrase string) bool {
	var refused *fault.Error
	return errors.As(err, &refused) && refused.Phrase == phrase
}
