package donation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// feesDueTx notes that the fees of charges are still to be booked.
func feesDueTx(ctx context.Context, tx *sqlx.Tx, charges []IncomingPayment) error {
	const query = `/* donation.feesDueTx */
		INSERT INTO fee_due (entity_id, charge_id, charged_at)
		SELECT c.entity_id, c.charge_id, c.charged_at FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS c (entity_id, charge_id, charged_at)
		ON CONFLICT (entity_id, charge_id) DO NOTHING`
	if len(charges) == 0 {
		return nil
	}
	charges = slices.Clone(charges)
	slices.SortFunc(charges, func(x, y IncomingPayment) int { return strings.Compare(x.ChargeRef, y.ChargeRef) })
	entities, ids, at := make([]uuid.UUID, len(charges)), make(pq.StringArray, len(charges)), make(pq.StringArray, len(charges))
	for i, c := range charges {
		entities[i], ids[i], at[i] = c.EntityID, c.ChargeRef, c.ReceivedAt.UTC().Format(time.RFC3339Nano)
	}
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(entities), ids, at)
	return err
}

// FeeDue says that charges of an entity wait for their fee to be booked.
type FeeDue struct {
	EntityID uuid.UUID `db:"entity_id"`
	Oldest   time.Time `db:"oldest"` // when the first of them was charged
	Newest   time.Time `db:"newest"` // when the last of them was charged
}

// FeesDue lists the entities with charges whose fee is not booked.
func FeesDue(ctx context.Context, q sqlx.QueryerContext) ([]FeeDue, error) {
	const query = `/* donation.FeesDue */ SELECT entity_id, min(charged_at) AS oldest, max(charged_at) AS newest FROM fee_due GROUP BY entity_id ORDER BY entity_id`
	var due []FeeDue
	err := sqlx.SelectContext(ctx, q, &due, query)
	return due, err
}

// ChargedParts is how a booked charge was split over funds; no parts: it stands in suspense.
type ChargedParts struct {
	ChargeID   string
	DonationID uuid.UUID
	Parts      []Designation
}

// TakeFeesDueTx answers those of the charges whose fee is due, and counts them as booked from now on.
func TakeFeesDueTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charges []string) ([]ChargedParts, error) {
	const take = `/* donation.TakeFeesDueTx */
		DELETE FROM fee_due WHERE entity_id = $1 AND charge_id = ANY($2) RETURNING charge_id`
	const gifts = `/* donation.TakeFeesDueTx */
		SELECT id, charge_id FROM donation WHERE entity_id = $1 AND charge_id = ANY($2) AND status = 'settled'`
	var taken []string
	if err := tx.SelectContext(ctx, &taken, take, entity, pq.Array(charges)); err != nil || len(taken) == 0 {
		return nil, err
	}
	var settled []struct {
		ID       uuid.UUID `db:"id"`
		ChargeID string    `db:"charge_id"`
	}
	if err := tx.SelectContext(ctx, &settled, gifts, entity, pq.Array(taken)); err != nil {
		return nil, err
	}
	ids, byCharge := make([]uuid.UUID, len(settled)), map[string]uuid.UUID{}
	for i, g := range settled {
		ids[i], byCharge[g.ChargeID] = g.ID, g.ID
	}
	parts, err := DesignationsOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	slices.Sort(taken)
	split := make([]ChargedParts, len(taken))
	for i, charge := range taken {
		id := byCharge[charge]
		split[i] = ChargedParts{charge, id, parts[id]}
	}
	return split, nil
}

// ByCharge is the id of the gift an entity's charge paid; uuid.Nil when it paid none.
func ByCharge(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, charge string) (uuid.UUID, error) {
	const query = `/* donation.ByCharge */ SELECT id FROM donation WHERE entity_id = $1 AND charge_id = $2`
	var ids []uuid.UUID
	if err := sqlx.SelectContext(ctx, q, &ids, query, entity, charge); err != nil || len(ids) == 0 {
		return uuid.Nil, err
	}
	return ids[0], nil
}
