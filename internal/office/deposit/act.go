package deposit

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/office/bank"
	"konbit/internal/people/audit"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// BeginTx makes a deposit, in the session of a person of the entity's finance, with everything that waits, at most MaxItems: the oldest.
// The same form sent again is the same deposit. It reports ErrEmpty if nothing waits.
func BeginTx(ctx context.Context, tx *sqlx.Tx, id, entity uuid.UUID, c money.Currency, submission uuid.UUID) (Deposit, error) {
	const insert = `/* deposit.BeginTx */
		INSERT INTO deposit (id, entity_id, currency, submission) VALUES ($1, $2, $3, $4) ON CONFLICT (submission) DO NOTHING`
	const find = `/* deposit.BeginTx */ SELECT ` + depositColumns + `WHERE id = (SELECT d.id FROM deposit d WHERE d.submission = $1)`
	done, err := tx.ExecContext(ctx, insert, id, entity, c, submission)
	if err != nil {
		return Deposit{}, explained(err)
	}
	added, err := done.RowsAffected()
	if err != nil {
		return Deposit{}, err
	}
	if added == 0 {
		d, err := one(ctx, tx, find, submission)
		if err == nil && d.EntityID != entity {
			err = ErrForm
		}
		return d, err
	}
	waiting, err := Waiting(ctx, tx, entity, c)
	if err != nil {
		return Deposit{}, err
	}
	taken, err := takeTx(ctx, tx, id, idsOf(waiting))
	if err != nil {
		return Deposit{}, err
	}
	if taken == 0 {
		return Deposit{}, ErrEmpty
	}
	d, err := one(ctx, tx, find, submission)
	if err != nil {
		return d, err
	}
	return d, recordTx(ctx, tx, "deposit.begun", d, map[string]any{"items": taken, "amount": d.Amount().Minor, "currency": c})
}

// takeTx puts those of the gifts into a deposit that still wait, and returns how many.
func takeTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, gifts []uuid.UUID) (int64, error) {
	const query = `/* deposit.takeTx */
		UPDATE deposit_item i SET deposit_id = $1 FROM (
			SELECT w.gift_id FROM deposit_item w WHERE w.gift_id = ANY($2::uuid[]) AND w.deposit_id IS NULL AND w.left_at IS NULL ORDER BY w.gift_id FOR UPDATE) q
		 WHERE i.gift_id = q.gift_id`
	done, err := tx.ExecContext(ctx, query, id, pg.UUIDs(gifts))
	if err != nil {
		return 0, explained(err)
	}
	return done.RowsAffected()
}

// SetTx makes the gifts the items of an open deposit: those that are ticked come in, those that are not go out and wait again. It reports
// ErrTaken if another deposit has one of them, and ErrClosed.
func SetTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int, gifts []uuid.UUID) error {
	const untick = `/* deposit.SetTx */
		UPDATE deposit_item i SET deposit_id = NULL FROM (
			SELECT o.gift_id FROM deposit_item o WHERE o.deposit_id = $1 AND o.gift_id <> ALL($2::uuid[]) ORDER BY o.gift_id FOR UPDATE) q
		 WHERE i.gift_id = q.gift_id`
	const has = `/* deposit.SetTx */ SELECT count(*) FROM deposit_item WHERE deposit_id = $1`
	d, err := lockTx(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	if d.State() != Open {
		return ErrClosed
	}
	if len(gifts) > MaxItems {
		return ErrTooMany
	}
	before := d.Amount().Minor
	if _, err := tx.ExecContext(ctx, untick, d.ID, pg.UUIDs(gifts)); err != nil {
		return explained(err)
	}
	if _, err := takeTx(ctx, tx, d.ID, gifts); err != nil {
		return err
	}
	var count int
	if err := tx.GetContext(ctx, &count, has, d.ID); err != nil {
		return err
	}
	if count != len(gifts) {
		return ErrTaken
	}
	if d, err = ByN(ctx, tx, entity, n); err != nil {
		return err
	}
	return recordTx(ctx, tx, "deposit.changed", d, map[string]any{"items": count, "amount": d.Amount().Minor, "before": before})
}

// CloseTx closes a deposit: it goes to the bank on that day, to this account. shown is the total that the person saw: it reports ErrChanged if
// the deposit comes to another one now. It reports ErrClosed, ErrEmpty and ErrAccount. What is closed already in the same way stays so.
func CloseTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int, account bank.Account, on ledger.Date, shown int64) error {
	const query = `/* deposit.CloseTx */ UPDATE deposit SET account_id = $2, deposited_on = $3, closed_at = 'epoch' WHERE id = $1`
	d, err := lockTx(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	switch {
	case d.State() != Open && d.AccountID.UUID == account.ID && d.DepositedOn != nil && *d.DepositedOn == on:
		return nil
	case d.State() != Open:
		return ErrClosed
	case account.EntityID != entity || account.Currency != d.Currency:
		return ErrAccount
	case d.Amount().Minor != shown:
		return ErrChanged
	}
	if _, err := tx.ExecContext(ctx, query, d.ID, account.ID, on.String()); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "deposit.closed", d, map[string]any{
		"account": account.Slug, "deposited_on": on.String(), "items": d.Checks + d.Cash, "amount": d.Amount().Minor, "currency": d.Currency,
	})
}

// ReopenTx opens a closed deposit again, which no line of the bank has. It reports ErrBooked.
func ReopenTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) error {
	const query = `/* deposit.ReopenTx */ UPDATE deposit SET account_id = NULL, deposited_on = NULL, closed_at = NULL WHERE id = $1`
	d, err := lockTx(ctx, tx, entity, n)
	if err != nil || d.State() == Open {
		return err
	}
	if d.State() == Booked {
		return ErrBooked
	}
	if _, err := tx.ExecContext(ctx, query, d.ID); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "deposit.reopened", d, nil)
}

// RemoveTx puts an open deposit away: its items wait again.
func RemoveTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) error {
	const query = `/* deposit.RemoveTx */ UPDATE deposit SET removed_at = 'epoch' WHERE id = $1`
	if err := SetTx(ctx, tx, entity, n, nil); err != nil {
		return err
	}
	d, err := ByN(ctx, tx, entity, n)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, query, d.ID); err != nil {
		return explained(err)
	}
	return recordTx(ctx, tx, "deposit.removed", d, nil)
}

// LeaveTx takes a gift out of what is deposited, because it was voided and its check went back. It reports ErrClosed if it is in a closed
// deposit. A gift that never was a check is left as it is.
func LeaveTx(ctx context.Context, tx *sqlx.Tx, gift uuid.UUID) error {
	const query = `/* deposit.LeaveTx */ UPDATE deposit_item SET deposit_id = NULL, left_at = 'epoch' WHERE gift_id = $1 AND left_at IS NULL`
	_, err := tx.ExecContext(ctx, query, gift)
	return explained(err)
}

// lockTx locks a deposit until the transaction ends, and returns it.
func lockTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, n int) (Deposit, error) {
	const query = `/* deposit.lockTx */ SELECT id FROM deposit WHERE entity_id = $1 AND n = $2 FOR NO KEY UPDATE`
	if _, err := tx.ExecContext(ctx, query, entity, n); err != nil {
		return Deposit{}, err
	}
	return ByN(ctx, tx, entity, n)
}

func idsOf(lines []Line) []uuid.UUID {
	ids := make([]uuid.UUID, len(lines))
	for i, l := range lines {
		ids[i] = l.GiftID
	}
	return ids
}

func recordTx(ctx context.Context, tx *sqlx.Tx, name string, d Deposit, after any) error {
	return audit.RecordTx(ctx, tx, audit.Act{
		Name: name, EntityID: uuid.NullUUID{UUID: d.EntityID, Valid: true}, ObjectKind: "deposit", ObjectID: d.ID.String(), After: after,
	})
}
