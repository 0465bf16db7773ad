package payment

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// columns lists what a query reads of a payment. Absent references are read as empty texts.
const columns = `id, entity_id, donation_id, method, coalesce(processor, '') AS processor, coalesce(charge_ref, '') AS charge_ref,
	coalesce(intent_ref, '') AS intent_ref, asset_account, amount, currency, received_at, status, created_at`

// InsertTx writes payments, in the order of their ids so that two batches lock in the same order. A payment that is
// written already, by its id or by its charge, is left as it is.
func InsertTx(ctx context.Context, tx *sqlx.Tx, payments []Payment) error {
	const query = `/* payment.InsertTx */
		INSERT INTO payment (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency,
			received_at, status, created_at)
		SELECT p.id, p.entity_id, p.donation_id, p.method, nullif(p.processor, ''), nullif(p.charge_ref, ''), nullif(p.intent_ref, ''),
		       p.asset_account, p.amount, p.currency, p.received_at, p.status, p.created_at
		  FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[],
		              $10::text[], $11::timestamptz[], $12::text[], $13::timestamptz[])
		       AS p (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency,
		             received_at, status, created_at)
		ON CONFLICT DO NOTHING`
	if len(payments) == 0 {
		return nil
	}
	payments = slices.Clone(payments)
	slices.SortFunc(payments, func(a, b Payment) int {
		return strings.Compare(a.EntityID.String()+a.ChargeRef, b.EntityID.String()+b.ChargeRef)
	})
	rows := pg.NewColumns(13)
	for _, p := range payments {
		rows.Add(p.ID, p.EntityID, p.DonationID, string(p.Method), p.Processor, p.ChargeRef, p.IntentRef, string(p.AssetAccount),
			p.AmountMinor, string(p.Currency), p.ReceivedAt, string(p.Status), p.CreatedAt)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args()...)
	return err
}

// ByID returns the payment of that id; nil if there is none.
func ByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (*Payment, error) {
	const query = `/* payment.ByID */ SELECT ` + columns + ` FROM payment WHERE id = $1`
	var found []Payment
	if err := sqlx.SelectContext(ctx, q, &found, query, id); err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// ByChargeTx returns the payments of a processor's charges, by charge. A charge that is not booked is missing from the
// map.
func ByChargeTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, processor string, chargeRefs []string) (map[string]Payment, error) {
	const query = `/* payment.ByChargeTx */ SELECT ` + columns + ` FROM payment
		WHERE entity_id = $1 AND processor = $2 AND charge_ref = ANY($3)`
	var found []Payment
	if err := tx.SelectContext(ctx, &found, query, entity, processor, pq.Array(chargeRefs)); err != nil {
		return nil, err
	}
	payments := make(map[string]Payment, len(found))
	for _, p := range found {
		payments[p.ChargeRef] = p
	}
	return payments, nil
}

// SettledOf returns the payments that settled donations, by donation.
func SettledOf(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (map[uuid.UUID]Payment, error) {
	const query = `/* payment.SettledOf */ SELECT ` + columns + ` FROM payment WHERE donation_id = ANY($1::uuid[]) AND status = 'settled'`
	var found []Payment
	if err := sqlx.SelectContext(ctx, q, &found, query, pg.UUIDs(donations)); err != nil {
		return nil, err
	}
	payments := make(map[uuid.UUID]Payment, len(found))
	for _, p := range found {
		payments[*p.DonationID] = p
	}
	return payments, nil
}
