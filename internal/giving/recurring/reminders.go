package recurring

import (
	"context"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
)

// upcomingNotice is how long before a quarterly or yearly charge its reminder is sent.
const upcomingNotice = 7 * 24 * time.Hour

// QueueReminders enqueues the emails that announce something, each once:
//
//	a quarterly or yearly charge within a week
//	a card that expires within a month, of a plan that will be charged again
//
// Each plan is synced first, so that no email announces what is no longer so: the bank may have renewed the card, and the
// subscription may have been changed at Stripe. A plan whose subscription cannot be read is passed over, and tried again
// at the next run. It returns how many plans it processed, and the errors of those that it passed over.
func (ps Plans) QueueReminders(ctx context.Context) (int, error) {
	upcoming, chargesErr := ps.remindOfCharges(ctx)
	expiring, cardsErr := ps.remindOfCards(ctx)
	return upcoming + expiring, errors.Join(chargesErr, cardsErr)
}

func (ps Plans) remindOfCharges(ctx context.Context) (int, error) {
	const query = `/* recurring.remindOfCharges */
		SELECT id FROM plan WHERE status = 'active' AND frequency IN ('quarterly', 'yearly') AND next_at > $1 AND next_at <= $2
		   AND NOT EXISTS (SELECT 1 FROM plan_event e WHERE e.plan_id = plan.id AND e.kind = 'upcoming'
		                    AND e.cause = to_char(plan.next_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')) ORDER BY random() LIMIT $3`
	now := ps.Now()
	return ps.forEachSynced(ctx, query, func(tx *sqlx.Tx, p *plan.Plan) error {
		if p.Status != plan.Active || p.NextAt == nil || p.NextAt.After(now.Add(upcomingNotice)) {
			return nil
		}
		return ps.notifyTx(ctx, tx, p, plan.EventUpcoming, p.NextAt.UTC().Format(time.DateOnly), plan.Detail{})
	}, now, now.Add(upcomingNotice), batchSize)
}

func (ps Plans) remindOfCards(ctx context.Context) (int, error) {
	const query = `/* recurring.remindOfCards */
		SELECT id FROM plan WHERE status IN ('active', 'paused') AND next_at IS NOT NULL AND card_expires BETWEEN $1 AND $2
		   AND NOT EXISTS (SELECT 1 FROM plan_event e WHERE e.plan_id = plan.id AND e.kind = 'card expires'
		                    AND e.cause = plan.card_last4 || ' ' || plan.card_expires::text) ORDER BY random() LIMIT $3`
	now := ps.Now()
	return ps.forEachSynced(ctx, query, func(tx *sqlx.Tx, p *plan.Plan) error {
		if !p.Status.IsRunning() || p.NextAt == nil || p.CardExpires == nil || p.CardExpires.After(now.AddDate(0, 1, 0)) {
			return nil
		}
		cause := *p.CardLast4 + " " + p.CardExpires.Format(time.DateOnly)
		return ps.notifyTx(ctx, tx, p, plan.EventCardExpiring, cause, plan.Detail{Until: p.CardExpires})
	}, now, now.AddDate(0, 1, 0), batchSize)
}
