package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Renews tells whether a payment for a bill is of a plan that has begun, and nobody is at a form. Of a bill that is not known yet its
// customer tells. An empty invoice pays no bill.
func IsRenewal(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoice, customer string) (renews bool, err error) {
	const query = `/* recurring.IsRenewal */
		SELECT coalesce((SELECT NOT first FROM instalment WHERE entity_id = $1 AND invoice_id = $2),
		                EXISTS (SELECT 1 FROM plan WHERE entity_id = $1 AND customer_id = $3 AND begun_at IS NOT NULL))`
	if invoice == "" {
		return false, nil
	}
	err = sqlx.GetContext(ctx, q, &renews, query, entity, invoice, customer)
	return renews, err
}
