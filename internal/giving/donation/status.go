package donation

import (
	"context"
	"database/sql"
	"errors"
	"sort"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/notice"
	"konbit/internal/platform/pg"
)

// StatusUpdate is a status change that is not a settlement: the payment is on its way, it failed, or the page expired.
type StatusUpdate struct {
	DonationID, EntityID uuid.UUID
	To                   Status // Processing, Failed or Expired
	Cause                string // a Stripe event or object id; "form" if the form was submitted again
}

// allowedFrom lists the statuses that an update may follow. An update that comes late, or twice, changes nothing.
var allowedFrom = map[Status][]string{
	// Never after Failed: a debit that failed was on its way before, also if its events come in another order.
	Processing: {string(Started), string(Expired)},
	Failed:     {string(Started), string(Processing)},
	Expired:    {string(Started)},
}

// UpdateStatusTx applies updates in order. An update that the current status does not allow is ignored: events come in
// any order, and a settled donation stays settled. An expired donation whose form has begun another one stays expired.
// Of a donation that was found paid (IsFoundPaid), the event that says that it is processing is recorded too.
// A notice goes to the donor of a donation that fails: they authorised it, and their page promised a receipt.
func UpdateStatusTx(ctx context.Context, tx *sqlx.Tx, notices notice.Recorder, updates []StatusUpdate, at time.Time) error {
	const query = `/* donation.UpdateStatusTx */
		UPDATE donation SET status = $3 WHERE id = $1 AND entity_id = $2
		   AND (status = ANY($4) OR $3 = 'processing' AND $5 <> 'form' AND status = 'processing' AND ` + isFoundPaid + `)
		   AND NOT ($3 = 'processing' AND status = 'expired' AND checkout_superseded(id))
		RETURNING amount, currency`
	updates = append([]StatusUpdate(nil), updates...)
	sort.SliceStable(updates, func(i, j int) bool { return updates[i].DonationID.String() < updates[j].DonationID.String() })
	var steps []statusChange
	var failed []notice.Notice
	for _, m := range updates {
		told := notice.Notice{DonationID: m.DonationID, Kind: notice.Failed, Cause: m.Cause, At: at}
		err := tx.QueryRowxContext(ctx, query, m.DonationID, m.EntityID, m.To, pq.Array(allowedFrom[m.To]), m.Cause).Scan(&told.AmountMinor, &told.Currency)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		steps = append(steps, statusChange{m.DonationID, m.To, m.Cause})
		if m.To == Failed {
			failed = append(failed, told)
		}
	}
	if err := recordStatusTx(ctx, tx, steps, at); err != nil {
		return err
	}
	return notices.RecordTx(ctx, tx, failed...)
}

// isFoundPaid is the condition of IsFoundPaid on a row of donation that is processing.
const isFoundPaid = `NOT EXISTS (SELECT 1 FROM donation_step s WHERE s.donation_id = donation.id AND s.status = 'processing' AND s.cause <> 'form')`

// IsFoundPaid reports whether a donation is processing only because its payment page was found paid when its form was
// submitted again. It is false as soon as an event says that a bank debit is on its way.
func IsFoundPaid(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (found bool, err error) {
	const query = `/* donation.IsFoundPaid */ SELECT EXISTS (SELECT 1 FROM donation WHERE id = $1 AND status = 'processing' AND ` + isFoundPaid + `)`
	err = sqlx.GetContext(ctx, q, &found, query, id)
	return found, err
}

// UnsettledTx returns those of the donations that no payment has settled yet.
func UnsettledTx(ctx context.Context, tx *sqlx.Tx, ids []uuid.UUID) ([]uuid.UUID, error) {
	const query = `/* donation.UnsettledTx */ SELECT id FROM donation WHERE id = ANY($1::uuid[]) AND status NOT IN ('settled', 'held')`
	var unsettled []uuid.UUID
	err := tx.SelectContext(ctx, &unsettled, query, pg.UUIDs(ids))
	return unsettled, err
}
