package donation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/giving/payment"
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
	rows := pg.NewColumns(3)
	for _, c := range charges {
		rows.Add(c.EntityID, c.ChargeRef, c.ReceivedAt)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args()...)
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

// ChargedParts says how a booked charge is split over funds; without parts it is in suspense.
type ChargedParts struct {
	ChargeID   string
	PaymentID  uuid.UUID
	DonationID uuid.UUID // uuid.Nil if it is in suspense
	Parts      []Designation
}

// TakeFeesDueTx returns those of the charges whose fee is due, by charge, and marks their fees as booked.
func TakeFeesDueTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, charges []string) ([]ChargedParts, error) {
	const take = `/* donation.TakeFeesDueTx */
		DELETE FROM fee_due WHERE entity_id = $1 AND charge_id = ANY($2) RETURNING charge_id`
	var taken []string
	if err := tx.SelectContext(ctx, &taken, take, entity, pq.Array(charges)); err != nil || len(taken) == 0 {
		return nil, err
	}
	payments, err := payment.ByChargeTx(ctx, tx, entity, payment.Stripe, taken)
	if err != nil {
		return nil, err
	}
	slices.Sort(taken)
	var ids []uuid.UUID
	split := make([]ChargedParts, len(taken))
	for i, charge := range taken {
		p, booked := payments[charge]
		if !booked {
			return nil, fmt.Errorf("charge %s has a fee due and no payment", charge)
		}
		split[i] = ChargedParts{ChargeID: charge, PaymentID: p.ID}
		if p.Status == payment.Settled {
			split[i].DonationID = *p.DonationID
			ids = append(ids, *p.DonationID)
		}
	}
	parts, err := DesignationsOf(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	for i := range split {
		split[i].Parts = parts[split[i].DonationID]
	}
	return split, nil
}
