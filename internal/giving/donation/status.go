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

// Mark is news of a gift that is no settlement: its payment is on its way, failed, or its page ran out.
type StatusUpdate struct {
	DonationID, EntityID uuid.UUID
	To                   Status // Processing, Failed or Expired
	Cause                string // a Stripe event or object id
}

// before lists the statuses a mark may follow. Whatever comes late, or twice, changes nothing.
var allowedFrom = map[Status][]string{
	Processing: {string(Started), string(Expired)}, // never after Failed: the failure is the later news, in whatever order it came
	Failed:     {string(Started), string(Processing)},
	Expired:    {string(Started)},
}

// UpdateStatusTx applies marks in order. A mark that does not fit where the gift stands is no error: events come
// in any order, and the settled charge has the last word.
func UpdateStatusTx(ctx context.Context, tx *sqlx.Tx, marks []StatusUpdate, at time.Time) error {
	const query = `/* donation.UpdateStatusTx */
		UPDATE donation SET status = $3 WHERE id = $1 AND entity_id = $2 AND status = ANY($4)
		   AND NOT ($3 = 'processing' AND EXISTS (SELECT 1 FROM donation o
		            WHERE o.form_id = donation.form_id AND o.id <> donation.id
		              AND o.status IN ('started', 'processing', 'settled', 'held')))`
	marks = append([]StatusUpdate(nil), marks...)
	sort.SliceStable(marks, func(i, j int) bool { return marks[i].DonationID.String() < marks[j].DonationID.String() })
	var steps []statusChange
	for _, m := range marks {
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

// UnsettledTx lists those of the gifts whose charge has not settled them yet.
func UnsettledTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) ([]uuid.UUID, error) {
	const query = `/* donation.UnsettledTx */ SELECT id FROM donation WHERE id = ANY($1::uuid[]) AND status NOT IN ('settled', 'held')`
	var unsettled []uuid.UUID
	err := tx.SelectContext(ctx, &unsettled, query, pg.UUIDs(ids))
	return unsettled, err
}
