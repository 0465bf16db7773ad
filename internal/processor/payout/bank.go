package payout

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
)

const bankColumns = `SELECT o.id, o.payout_ref, coalesce(o.kind, '') AS kind, o.amount, o.currency, o.arrival_on, o.status, o.descriptor, o.members_stored FROM payout o `

// AwaitBank returns the payouts of an entity that no line of the bank has (view bank_cleared), but those that failed, by arrival.
func AwaitBank(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (all []Stored, err error) {
	const query = `/* payout.AwaitBank */ ` + bankColumns + `WHERE o.entity_id = $1 AND o.status NOT IN ('failed', 'canceled')
		AND NOT EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = o.entity_id AND c.kind = 'payout' AND c.ref = o.payout_ref) ORDER BY o.arrival_on, o.payout_ref`
	err = sqlx.SelectContext(ctx, q, &all, query, entity)
	return all, err
}

// AwaitReturn returns the payouts of an entity that a line of the bank has, failed afterwards, and have no line for what went back.
func AwaitReturn(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (all []Stored, err error) {
	const query = `/* payout.AwaitReturn */ ` + bankColumns + `WHERE o.entity_id = $1 AND o.status = 'failed'
		AND EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = o.entity_id AND c.kind = 'payout' AND c.ref = o.payout_ref)
		AND NOT EXISTS (SELECT FROM bank_cleared c WHERE c.entity_id = o.entity_id AND c.kind = 'payout_returned' AND c.ref = o.payout_ref)
		ORDER BY o.arrival_on, o.payout_ref`
	err = sqlx.SelectContext(ctx, q, &all, query, entity)
	return all, err
}

// LockTx locks a payout of an entity until the transaction ends; fault.NotFound if there is none.
func LockTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, ref string) error {
	const query = `/* payout.LockTx */ SELECT id FROM payout WHERE entity_id = $1 AND processor = $2 AND payout_ref = $3 FOR NO KEY UPDATE`
	var id uuid.UUID
	err := tx.GetContext(ctx, &id, query, entity, processorStripe, ref)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "problem.404.text", nil)
	}
	return err
}
