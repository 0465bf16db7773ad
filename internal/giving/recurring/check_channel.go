package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
)

// checkChangeTx calls CheckChannel before a request is stored. While an earlier request of the plan waits for Stripe, it
// refuses a request by link with planlink.ErrNeedsSession, because that request could undo the earlier reduction or
// pause.
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
