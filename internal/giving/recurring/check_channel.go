package recurring

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/planterms"
)

// checkChangeTx returns planlink.ErrNeedsSession if a request of this kind by this channel needs a session. It is called
// before the request is stored.
//
// While an earlier request of the plan waits for Stripe, a link may only cancel: a smaller change could undo a reduction
// that waits, and a pause could shorten a longer one. The error is planlink.ErrRequestWaits then.
func checkChangeTx(ctx context.Context, tx *sqlx.Tx, p plan.Plan, channel, kind string, d plan.Detail) error {
	if err := planlink.CheckKind(channel, kind); err != nil {
		return err
	}
	if kind == plan.KindCancel || channel == planlink.BySession {
		return nil
	}
	waits, err := waitsTx(ctx, tx, p.ID, plan.KindChange, plan.KindPause, plan.KindSkip, plan.KindResume)
	if err != nil {
		return err
	}
	if waits {
		return planlink.ErrRequestWaits
	}
	if kind != plan.KindChange {
		return nil
	}
	parts, err := planterms.PartsOf(ctx, tx, p, p.Terms)
	if err != nil {
		return err
	}
	return p.CheckChannel(channel, parts, d)
}
