package recurring

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/instalment"
)

// IsRenewal reports whether a payment attempt for an invoice is a later payment of a plan, so that no donor waits on a
// payment page. For an invoice that is not recorded yet, it is if the customer has a plan whose first payment was made.
// It returns false if invoice is empty.
func IsRenewal(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, invoice, customer string) (renewal bool, err error) {
	const query = `/* recurring.IsRenewal */
		SELECT EXISTS (SELECT 1 FROM plan WHERE entity_id = $1 AND customer_id = $2 AND begun_at IS NOT NULL)`
	if invoice == "" {
		return false, nil
	}
	known, err := instalment.ByID(ctx, q, entity, []string{invoice})
	if err != nil || len(known) > 0 {
		return err == nil && !known[0].First, err
	}
	err = sqlx.GetContext(ctx, q, &renewal, query, entity, customer)
	return renewal, err
}
