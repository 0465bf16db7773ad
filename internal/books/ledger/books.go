package ledger

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// OpenBooksTx opens the books of a legal entity in its currency. If they are open already, it changes nothing; if they
// are open in another currency, it reports fault.Conflict: books never change their currency.
func OpenBooksTx(ctx context.Context, tx *sqlx.Tx, entityID uuid.UUID, currency money.Currency) error {
	const insert = `/* ledger.OpenBooksTx */
		INSERT INTO books (entity_id, currency) VALUES ($1, $2) ON CONFLICT (entity_id) DO NOTHING`
	if _, err := tx.ExecContext(ctx, insert, entityID, currency); err != nil {
		return err
	}
	const query = `/* ledger.OpenBooksTx */ SELECT currency FROM books WHERE entity_id = $1`
	var stored money.Currency
	if err := tx.GetContext(ctx, &stored, query, entityID); err != nil {
		return err
	}
	if stored != currency {
		return fault.Wrap(fault.Conflict, "ledger.other_currency", fmt.Errorf("the books of entity %s are in %s, not %s", entityID, stored, currency))
	}
	return nil
}
