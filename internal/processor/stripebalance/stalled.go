package stripebalance

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/processor/settlement"
)

// stallLimit is how long runs may fail before StalledImports lists the entity; a sweep starts every quarter of an hour.
const stallLimit = 30 * time.Minute

// StalledImport is an entity whose balance is not imported to its end.
type StalledImport struct {
	EntityID uuid.UUID `db:"entity_id"`
	Since    time.Time `db:"since"`
	Reason   string    `db:"reason"`
}

// StalledImports lists the entities for which every run has failed for stallLimit, and those with a charge that has
// waited for its invoice for gracePeriod.
func StalledImports(ctx context.Context, q sqlx.QueryerContext) (all []StalledImport, err error) {
	const query = `/* stripebalance.StalledImports */
		SELECT entity_id, failing_since AS since, failure AS reason FROM balance_lookup WHERE failing_since < now() - make_interval(secs => $1)`
	if err := sqlx.SelectContext(ctx, q, &all, query, stallLimit.Seconds()); err != nil {
		return nil, err
	}
	waiting, err := settlement.ChargesWithoutInvoice(ctx, q, gracePeriod)
	for _, w := range waiting {
		all = append(all, StalledImport{EntityID: w.EntityID, Since: w.Since, Reason: fmt.Sprintf("%d charges wait for their invoice", w.Count)})
	}
	return all, err
}
