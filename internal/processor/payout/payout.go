// Package payout owns the payouts of the processor to the bank and their members, and what moved between funds and is carried
// by the next payout. It stores them; package settlement books them in the same transaction.
package payout

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// processorStripe is the only processor today. It stands in payout.processor.
const processorStripe = "stripe"

// Kind says who made a payout. Its values stand in payout.kind.
type Kind string

// The kinds of payout. Only an automatic one has members: the processor does not say what the others pay out.
const (
	Automatic Kind = "automatic" // the processor, by its schedule
	Manual    Kind = "manual"    // a person, with normal delivery
	Instant   Kind = "instant"   // a person, with instant delivery
)

// Status is how far a payout is. Its values stand in payout.status.
type Status string

// The statuses of a payout. A paid one can still fail, for about five bank days.
//
//	pending ── in_transit ── paid ── failed
//	   └── canceled   └── failed
const (
	Pending   Status = "pending"
	InTransit Status = "in_transit"
	Paid      Status = "paid"
	Failed    Status = "failed"
	Canceled  Status = "canceled"
)

// Payout is money that the processor sends to the bank.
type Payout struct {
	Ref        string // the processor's id
	Kind       Kind
	Amount     int64 // in minor units; negative if the processor takes money from the bank
	Currency   money.Currency
	ArrivalOn  time.Time // the day on which the bank is expected to book it, at midnight UTC
	Status     Status
	Descriptor string // on the bank statement; empty for the processor's default
	CreatedAt  time.Time
}

// Store stores payouts.
type Store struct {
	NewID func() uuid.UUID
	Now   func() time.Time
}

// StoreTx stores a payout as the processor shows it, or updates the stored one. members are the transactions that
// an automatic payout pays out; nil for the other kinds. A payout that has failed or was canceled keeps that status:
// what was read before the failure may arrive after it.
func (s Store) StoreTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, p Payout, members []string) error {
	const upsert = `/* payout.StoreTx */
		INSERT INTO payout AS o (id, entity_id, processor, payout_ref, kind, amount, currency, arrival_on, status, descriptor, created_at, members_stored, read_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (entity_id, processor, payout_ref) DO UPDATE
		   SET kind = EXCLUDED.kind, arrival_on = EXCLUDED.arrival_on, descriptor = EXCLUDED.descriptor, read_at = EXCLUDED.read_at,
		       members_stored = o.members_stored OR EXCLUDED.members_stored,
		       status = CASE WHEN o.status IN ('failed', 'canceled') THEN o.status ELSE EXCLUDED.status END
		RETURNING id`
	const insert = `/* payout.StoreTx */
		INSERT INTO payout_member (payout_id, entity_id, transaction_id) SELECT $1, $2, m FROM unnest($3::text[]) m ON CONFLICT DO NOTHING`
	var id uuid.UUID
	automatic := p.Kind == Automatic && members != nil
	err := tx.GetContext(ctx, &id, upsert, s.NewID(), entity, processorStripe, p.Ref, p.Kind, p.Amount, p.Currency,
		p.ArrivalOn.UTC().Format(time.DateOnly), p.Status, p.Descriptor, p.CreatedAt, automatic, s.Now())
	if err != nil || !automatic {
		return err
	}
	_, err = tx.ExecContext(ctx, insert, id, entity, pq.Array(members))
	return err
}

// ForgetTx marks a payout as read that the processor no longer knows. Its kind and its members stay unknown.
func (s Store) ForgetTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, ref string) error {
	const query = `/* payout.ForgetTx */
		UPDATE payout SET read_at = $4, status = CASE WHEN status IN ('pending', 'in_transit') THEN 'paid' ELSE status END
		 WHERE entity_id = $1 AND processor = $2 AND payout_ref = $3`
	_, err := tx.ExecContext(ctx, query, entity, processorStripe, ref, s.Now())
	return err
}

// EndTx stores how a payout ended whose money came back: Failed at the bank, or Canceled.
func EndTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, ref string, status Status) error {
	const query = `/* payout.EndTx */ UPDATE payout SET status = $4 WHERE entity_id = $1 AND processor = $2 AND payout_ref = $3`
	_, err := tx.ExecContext(ctx, query, entity, processorStripe, ref, status)
	return err
}

// ToRead lists the payouts that should be read from the processor, by its ids: at most limit, those not read yet
// first, then those still on their way, the longest unread first.
func ToRead(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, limit int) (refs []string, err error) {
	const query = `/* payout.ToRead */
		SELECT payout_ref FROM payout
		 WHERE entity_id = $1 AND processor = $2 AND (read_at IS NULL OR status IN ('pending', 'in_transit'))
		 ORDER BY read_at NULLS FIRST, created_at DESC LIMIT $3`
	err = sqlx.SelectContext(ctx, q, &refs, query, entity, processorStripe, limit)
	return refs, err
}

// Stored is a stored payout with its members.
type Stored struct {
	ID            uuid.UUID      `db:"id"`
	Ref           string         `db:"payout_ref"`
	Kind          Kind           `db:"kind"` // empty: not read yet, or the processor no longer knows it
	Amount        int64          `db:"amount"`
	Currency      money.Currency `db:"currency"`
	ArrivalOn     time.Time      `db:"arrival_on"`
	Status        Status         `db:"status"`
	Descriptor    string         `db:"descriptor"`
	CreatedAt     time.Time      `db:"created_at"`
	MembersStored bool           `db:"members_stored"` // Members is complete; false for manual, instant and unread payouts
	Members       []string       `db:"-"`              // ids of balance transactions, in order
}

// List lists an entity's payouts that arrive from one day to another, both included, by arrival and reference.
func List(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, from, to time.Time) (payouts []Stored, err error) {
	const query = `/* payout.List */
		` + columns + `
		 WHERE entity_id = $1 AND arrival_on BETWEEN $2 AND $3 ORDER BY arrival_on, payout_ref`
	const members = `/* payout.List */
		SELECT payout_id, transaction_id FROM payout_member WHERE payout_id = ANY($1::uuid[]) ORDER BY payout_id, transaction_id`
	err = sqlx.SelectContext(ctx, q, &payouts, query, entity, from.Format(time.DateOnly), to.Format(time.DateOnly))
	if err != nil || len(payouts) == 0 {
		return nil, err
	}
	ids, position := make([]uuid.UUID, len(payouts)), map[uuid.UUID]int{}
	for i, p := range payouts {
		ids[i], position[p.ID] = p.ID, i
	}
	var rows []struct {
		PayoutID      uuid.UUID `db:"payout_id"`
		TransactionID string    `db:"transaction_id"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, members, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	for _, r := range rows {
		p := &payouts[position[r.PayoutID]]
		p.Members = append(p.Members, r.TransactionID)
	}
	return payouts, nil
}
