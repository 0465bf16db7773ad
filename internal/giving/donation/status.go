package donation

import (
	"context"
	"sort"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// StatusUpdate is a status change that is not a settlement: the payment is on its way, it failed, or the page expired.
type StatusUpdate struct {
	DonationID, EntityID uuid.UUID
	To                   Status // Processing, Failed or Expired
	Cause                string // a Stripe event or object id
}

// allowedFrom lists the statuses that an update may follow. An update that comes late, or twice, changes nothing.
var allowedFrom = map[Status][]string{
	Processing: {string(Started), string(Expired)}, // never after Failed: a debit fails after it was on its way, in whatever order the events come
	Failed:     {string(Started), string(Processing)},
	Expired:    {string(Started)},
}

// UpdateStatusTx applies updates in order. An update that the current status does not allow is ignored: events come in
// any order, and a settled donation stays settled. An expired donation whose form has begun another one stays expired.
func UpdateStatusTx(ctx context.Context, tx *sqlx.Tx, updates []StatusUpdate, at time.Time) error {
	const query = `/* donation.UpdateStatusTx */
		UPDATE donation SET status = $3 WHERE id = $1 AND entity_id = $2 AND status = ANY($4)
		   AND NOT ($3 = 'processing' AND status = 'expired' AND checkout_superseded(id))`
	updates = append([]StatusUpdate(nil), updates...)
	sort.SliceStable(updates, func(i, j int) bool { return updates[i].DonationID.String() < updates[j].DonationID.String() })
	var steps []statusChange
	for _, m := range updates {
		done, err := tx.ExecContext(ctx, query, m.DonationID, m.EntityID, m.To, pq.Array(allowedFrom[m.To]))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			steps = append(steps, statusChange{m.DonationID, m.To, m.Cause})
		}
	}
	return recordStatusTx(ctx, tx, steps, at)
}

// UnsettledTx returns those of the donations that no payment has settled yet.
func UnsettledTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) ([]uuid.UUID, error) {
	const query = `/* donation.UnsettledTx */ SELECT id FROM donation WHERE id = ANY($1::uuid[]) AND status NOT IN ('settled', 'held')`
	var unsettled []uuid.UUID
	err := tx.SelectContext(ctx, &unsettled, query, pg.UUIDs(ids))
	return unsettled, err
}
