package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
)

// checkChangeTx is CheckChannel where a request is stored. By a link it also returns planlink.ErrNeedsSession while an
// earlier request is not executed: it must not undo a reduction or a pause that waits for Stripe.
func checkChangeTx(ctx context.Context, tx *sqlx.Tx, p plan.Plan, channel string, d plan.Detail) error {
	const query = `/* recurring.checkChangeTx */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind IN ('change', 'pause', 'skip', 'resume') AND carried_at IS NULL AND refused IS NULL)`
	var waits bool
	if err := tx.GetContext(ctx, &waits, query, p.ID); err != nil {
		return err
	}
	parts, err := PartsOf(ctx, tx, p, p.Terms)
	switch {
	case err != nil:
		return err
	case waits && channel != planlink.BySession:
		return planlink.ErrNeedsSession
	}
	return p.CheckChannel(channel, parts, d)
}
