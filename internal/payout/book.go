package payout

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/donation"
	"konbit/internal/fund"
	"konbit/internal/ledger"
	"konbit/internal/money"
	"konbit/internal/org"
)

// Transaction is a balance transaction as Stripe lists it. Amount less Fee is Net, all in minor units of
// Currency.
type Transaction struct {
	ID          string
	Type        string // Stripe's: "charge", "payment", "refund" …
	SourceID    string // the charge, refund … it is of
	Amount      int64
	Fee         int64
	Net         int64
	Currency    money.Currency
	CreatedAt   time.Time
	AvailableOn time.Time
}

// Booker books balance transactions.
type Booker struct {
	NewID func() uuid.UUID
	Now   func() time.Time
}

// BookFeesTx books the fees of those transactions that are charges with their gift in the books and
// their fee not. It answers how many. The others are left for another time; a repeat finds nothing due.
func (b Booker) BookFeesTx(ctx context.Context, tx *sqlx.Tx, setup *fund.Snapshot, entityID uuid.UUID, listed []Transaction) (int, error) {
	entity, err := setup.EntityByID(entityID)
	if err != nil {
		return 0, err
	}
	operations, err := setup.Operations(entityID)
	if err != nil {
		return 0, err
	}
	charges, bySource := make([]string, 0, len(listed)), map[string]Transaction{}
	for _, t := range listed {
		if t.Type == "charge" || t.Type == "payment" {
			charges = append(charges, t.SourceID)
			bySource[t.SourceID] = t
		}
	}
	due, err := donation.TakeFeesDueTx(ctx, tx, entityID, charges)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var entries []ledger.Entry
	var kept []Transaction
	for _, charge := range due {
		t := bySource[charge.ChargeID]
		fees, err := feeEntries(entity, operations, setup, t, charge)
		if err != nil {
			return 0, fmt.Errorf("fee of %s: %w", charge.ChargeID, err)
		}
		entries, kept = append(entries, fees...), append(kept, t)
	}
	if _, err := ledger.PostTx(ctx, tx, entries, b.NewID); err != nil {
		return 0, err
	}
	return len(kept), keepTx(ctx, tx, entity, kept, b.Now())
}

// keepTx writes the transactions as booked.
func keepTx(ctx context.Context, tx *sqlx.Tx, entity org.LegalEntity, kept []Transaction, now time.Time) error {
	const query = `/* payout.keepTx */
		INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at)
		SELECT $1, t.id, t.type, t.source_id, t.amount, t.fee, t.net, t.currency, t.created_at, t.available_on, $2
		  FROM unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], $8::bigint[], $9::text[], $10::timestamptz[], $11::timestamptz[])
		       AS t (id, type, source_id, amount, fee, net, currency, created_at, available_on)`
	n := len(kept)
	ids, types, sources, currencies := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	amounts, fees, nets := make([]int64, n), make([]int64, n), make([]int64, n)
	created, available := make([]string, n), make([]string, n)
	for i, t := range kept {
		ids[i], types[i], sources[i], currencies[i] = t.ID, t.Type, t.SourceID, string(t.Currency)
		amounts[i], fees[i], nets[i] = t.Amount, t.Fee, t.Net
		created[i], available[i] = t.CreatedAt.UTC().Format(time.RFC3339Nano), t.AvailableOn.UTC().Format(time.RFC3339Nano)
	}
	_, err := tx.ExecContext(ctx, query, entity.ID, now, pq.Array(ids), pq.Array(types), pq.Array(sources),
		pq.Array(amounts), pq.Array(fees), pq.Array(nets), pq.Array(currencies), pq.Array(created), pq.Array(available))
	return err
}
