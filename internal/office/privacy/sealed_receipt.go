package privacy

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/receipt"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// OpenSealedReceipt returns the copy of an erased donor's receipt by its number, and records who opened it and why. Its
// database connection is the owner's, because the server's role may not read the tables. It returns fault.NotFound if
// there is no copy or it has expired.
func (k Eraser) OpenSealedReceipt(ctx context.Context, number, by, why string) (facts receipt.Facts, err error) {
	const note = `/* privacy.OpenSealedReceipt */ INSERT INTO receipt_hold_reading (receipt_id, read_by, reason) VALUES ($1, $2, $3)`
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		r, err := receipt.ByNumber(ctx, tx, number)
		if err != nil {
			return err
		}
		text, err := k.copyTx(ctx, tx, r.ID)
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

// copyTx returns the facts that the database kept, or those that the server of an earlier release sealed.
func (k Eraser) copyTx(ctx context.Context, tx *sqlx.Tx, receipt uuid.UUID) ([]byte, error) {
	const kept = `/* privacy.copyTx */ SELECT masked, pads FROM receipt_kept WHERE receipt_id = $1`
	const held = `/* privacy.copyTx */ SELECT sealed FROM receipt_hold WHERE receipt_id = $1`
	var masked, sealed []byte
	var pads pq.ByteaArray
	err := tx.QueryRowContext(ctx, kept, receipt).Scan(&masked, &pads)
	if err == nil {
		return k.unmask(masked, pads)
	}
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.GetContext(ctx, &sealed, held, receipt)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return nil, err
	}
	return k.open(sealedReceipt, sealed, receipt)
}

// IsActivePlan reports whether err says that a recurring gift is active.
func IsActivePlan(err error) bool { return Obstacle(err) == phrasePlan }

// IsPendingGift reports whether err says that a donation is pending.
func IsPendingGift(err error) bool { return Obstacle(err) == phraseGift }

// Obstacle returns the phrase of why a person cannot be erased yet, if err says so: a recurring gift is active or a
// donation is pending. Else it returns "".
func Obstacle(err error) string {
	var refused *fault.Error
	if errors.As(err, &refused) && (refused.Phrase == phrasePlan || refused.Phrase == phraseGift) {
		return refused.Phrase
	}
	return ""
}
