package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
)

// checkChangeTx returns planlink.ErrNeedsSession if a request of this kind by this channel needs a session. It is called
// before the request is stored.
//
// While an earlier request of the plan waits for Stripe, a link may only cancel: a smaller change could undo a reduction
// that waits, and a pause could shorten a longer one. The error is planlink.ErrRequestWaits then.
func checkChangeTx(ctx context.Context, tx *sqlx.Tx, p plan.Plan, channel, kind string, d plan.Detail) error {
	const query = `/* recurring.checkChangeTx */
		SELECT EXISTS (SELECT 1 FROM plan_request WHERE plan_id = $1 AND kind IN ('change', 'pause', 'skip', 'resume') AND carried_at IS NULL AND refused IS NULL)`
	if err := planlink.CheckKind(channel, kind); err != nil {
		return err
	}
	if kind == kindCancel || channel == planlink.BySession {
		return nil
	}
	var waits bool
	if err := tx.GetContext(ctx, &waits, query, p.ID); err != nil {
		return err
	}
	if waits {
		return planlink.ErrRequestWaits
	}
	if kind != kindChange {
		return nil
	}
	parts, err := PartsOf(ctx, tx, p, p.Terms)
	if err != nil {
		return err
	}
	return p.CheckChannel(channel, parts, d)
}
