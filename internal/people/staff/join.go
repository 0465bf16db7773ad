package staff

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
)

// Join notes that two accounts are the same human, as an admin of both. The operator alone can undo it.
func (s Service) Join(ctx context.Context, by Session, account, sameAs uuid.UUID) error {
	return InTx(ctx, s.DB, by, func(tx *sqlx.Tx) error {
		var joined uuid.NullUUID // not valid: they were one already
		if err := tx.GetContext(ctx, &joined, `/* staff.Join */ SELECT join_staff($1, $2)`, account, sameAs); err != nil || !joined.Valid {
			return err
		}
		return s.recordTx(ctx, tx, Event{Act: "staff.joined", By: by.StaffID, About: joined.UUID, Detail: sameAs.String()})
	})
}

// Joined is an account that is the same human as the account PersonID.
type Joined struct {
	StaffID  uuid.UUID     `db:"staff_id"`
	PersonID uuid.UUID     `db:"person_id"`
	At       time.Time     `db:"joined_at"`
	By       uuid.NullUUID `db:"joined_by"` // not valid: the operator
}

// AllJoined returns the accounts that are the same human as another one, oldest first.
func AllJoined(ctx context.Context, q sqlx.QueryerContext) (all []Joined, err error) {
	const query = `/* staff.AllJoined */ SELECT staff_id, person_id, joined_at, joined_by FROM staff_person ORDER BY joined_at, staff_id`
	err = sqlx.SelectContext(ctx, q, &all, query)
	return all, err
}

// errNotJoined means that an account is its own person.
var errNotJoined error = fault.New(fault.Conflict, "office.rule.staff_is_joined", nil)

// Split makes an account a person of its own again, as the operator: Service.DB is the owner's. It returns the account with which it was
// one. No page does it, because two accounts of one human that count as two persons pass every rule of two persons.
func (s Service) Split(ctx context.Context, account uuid.UUID, reason string) (from uuid.UUID, err error) {
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		const query = `/* staff.Split */ SELECT alone, other FROM split_staff($1)`
		var done []struct{ Alone, Other uuid.UUID }
		if err := tx.SelectContext(ctx, &done, query, account); err != nil {
			return err
		}
		if len(done) == 0 {
			return errNotJoined
		}
		if from = done[0].Other; from == account {
			from = done[0].Alone
		}
		return s.recordTx(ctx, tx, Event{Act: "staff.split", About: done[0].Alone, Detail: done[0].Other.String(), Reason: reason})
	})
	return from, explained(err)
}
