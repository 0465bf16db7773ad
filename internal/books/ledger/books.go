package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// OpenBooksTx opens the books of a legal entity in its currency; again changes nothing. Another currency
// than they were opened in is a fault.Conflict: books never change theirs.
func OpenBooksTx(ctx context.Context, tx *sqlx.Tx, entityID uuid.UUID, currency money.Currency) error {
	const insert = `/* ledger.OpenBooksTx */
		INSERT INTO books (entity_id, currency) VALUES ($1, $2) ON CONFLICT (entity_id) DO NOTHING`
	if _, err := tx.ExecContext(ctx, insert, entityID, currency); err != nil {
		return err
	}
	const query = `/* ledger.OpenBooksTx */ SELECT currency FROM books WHERE entity_id = $1`
	var kept money.Currency
	if err := tx.GetContext(ctx, &kept, query, entityID); err != nil {
		return err
	}
	if kept != currency {
		return fault.Wrap(fault.Conflict, "ledger.other_currency", fmt.Errorf("the books of entity %s are in %s, not %s", entityID, kept, currency))
	}
	return nil
}
