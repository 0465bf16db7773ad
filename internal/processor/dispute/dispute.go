// Package dispute owns what the processor says about disputes (table dispute): how much, why, until when evidence is due, and
// where it stands. It opens the task to answer one.
//
//	inquiry ──┬── closed
//	          └── open ──┬── answered ──┬── won
//	                     └──────────────┴── lost ── won after lost
//
// Package settlement books the money that a dispute moves. The times at which it was withdrawn, won or lost follow the books
// (a trigger of migration 00140), so a dispute is listed although no event told of it.
//
// The task closes when evidence was sent or the dispute has ended. A payment of a recurring gift has a task of its own
// (package recurring), and one of another program may be ignored, so these get none here.
package dispute

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/platform/money"
)

// taskDisputed is the kind of the task to answer a dispute. Subject: the dispute.
var taskDisputed = task.Register(task.Kind{
	Code: "payment_disputed", Severity: task.Urgent, For: task.Finance, Link: task.Link{Object: task.Dispute}, Closes: task.Automatically,
})

// Told is a dispute as the processor shows it.
type Told struct {
	EntityID  uuid.UUID
	Ref       string
	ChargeRef string
	Amount    int64 // minor units
	Currency  money.Currency
	Reason    string     // as the processor names it
	Status    string     // likewise
	DueAt     *time.Time // when evidence is due; nil if none is asked for
	OpenedAt  time.Time
	At        time.Time // when the processor told this
}

// Store stores disputes.
type Store struct {
	NewID func() uuid.UUID
	Now   func() time.Time
}

// StoreTx stores what the processor told, unless it told something later before, and opens or closes the task. The processor
// gives times in seconds: of what it told within one second, the status that is nearer to the end stays.
func (s Store) StoreTx(ctx context.Context, tx *sqlx.Tx, t Told) error {
	const stage = `coalesce(array_position('{warning_needs_response,warning_under_review,needs_response,under_review}'::text[], `
	const upsert = `/* dispute.StoreTx */
		INSERT INTO dispute AS d (entity_id, ref, charge_ref, amount, currency, opened_at, reason, status, due_at, told_at)
		VALUES ($1, $2, $3, $4, $5, $6, NULLIF($7, ''), $8, $9, $10)
		ON CONFLICT (entity_id, ref) DO UPDATE
		   SET reason = EXCLUDED.reason, status = EXCLUDED.status, due_at = EXCLUDED.due_at, told_at = EXCLUDED.told_at
		 WHERE d.told_at IS NULL OR d.told_at < EXCLUDED.told_at
		    OR d.told_at = EXCLUDED.told_at AND ` + stage + `d.status), 5) <= ` + stage + `EXCLUDED.status), 5)`
	_, err := tx.ExecContext(ctx, upsert, t.EntityID, t.Ref, t.ChargeRef, t.Amount, t.Currency, t.OpenedAt, t.Reason, t.Status, t.DueAt, t.At)
	if err != nil {
		return err
	}
	return s.FollowTx(ctx, tx, t.EntityID, t.Ref)
}

// FollowTx opens or closes the task about a dispute, as it stands now.
func (s Store) FollowTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, ref string) error {
	const query = `/* dispute.FollowTx */
		SELECT r.state, r.charge_ref, r.amount, r.currency, r.due_at, dispute_without_task(r.entity_id, r.charge_ref) AS no_task
		  FROM dispute_row r WHERE r.entity_id = $1 AND r.ref = $2`
	var found []struct {
		State    State          `db:"state"`
		Charge   string         `db:"charge_ref"`
		Amount   int64          `db:"amount"`
		Currency money.Currency `db:"currency"`
		DueAt    *time.Time     `db:"due_at"`
		NoTask   bool           `db:"no_task"`
	}
	if err := tx.SelectContext(ctx, &found, query, entity, ref); err != nil || len(found) == 0 {
		return err
	}
	d := found[0]
	if !d.State.AsksForEvidence() || d.NoTask {
		return task.CloseTx(ctx, tx, entity, taskDisputed, ref, s.Now())
	}
	detail := map[string]string{"charge": d.Charge, "amount": strconv.FormatInt(d.Amount, 10), "currency": string(d.Currency)}
	if d.DueAt != nil {
		detail["answer by"] = d.DueAt.UTC().Format(time.RFC3339)
	}
	return task.OpenTx(ctx, tx, task.Task{EntityID: entity, Kind: taskDisputed, Subject: ref, Detail: detail}, s.NewID, s.Now())
}
