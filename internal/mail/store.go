package mail

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/pg"
)

// stored is a letter as its row has it. Message is what was rendered first and never changes.
type stored struct {
	ID         uuid.UUID  `db:"id"`
	EntityID   uuid.UUID  `db:"entity_id"`
	Kind       string     `db:"kind"`
	SubjectID  uuid.UUID  `db:"subject_id"`
	Sender     string     `db:"sender"`
	Recipient  string     `db:"recipient"`
	MessageID  string     `db:"message_id"`
	Message    []byte     `db:"message"`
	RenderedAt time.Time  `db:"rendered_at"`
	AcceptedAt *time.Time `db:"accepted_at"`
	RefusedAt  *time.Time `db:"refused_at"`
}

// find is the letter of that kind about that subject; nil when it was not rendered yet.
func find(ctx context.Context, q sqlx.QueryerContext, kind string, subject uuid.UUID) (*stored, error) {
	const query = `/* mail.find */
		SELECT id, entity_id, kind, subject_id, sender, recipient, message_id, message, rendered_at, accepted_at, refused_at
		  FROM letter WHERE kind = $1 AND subject_id = $2`
	var l stored
	if err := sqlx.GetContext(ctx, q, &l, query, kind, subject); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &l, nil
}

// keep writes a rendered letter, or answers the one that was written first.
func keep(ctx context.Context, db *sqlx.DB, l stored) (kept *stored, err error) {
	const query = `/* mail.keep */
		INSERT INTO letter (id, entity_id, kind, subject_id, sender, recipient, message_id, message, rendered_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (kind, subject_id) DO NOTHING`
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, l.ID, l.EntityID, l.Kind, l.SubjectID, l.Sender, l.Recipient, l.MessageID, l.Message, l.RenderedAt)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n > 0 {
			kept = &l
			return err
		}
		kept, err = find(ctx, tx, l.Kind, l.SubjectID)
		return err
	})
	return kept, err
}

func noteAccepted(ctx context.Context, db *sqlx.DB, id uuid.UUID, reply string, at time.Time) error {
	const query = `/* mail.noteAccepted */
		UPDATE letter SET tries = tries + 1, accepted_at = $3, smtp_reply = left($2, 200) WHERE id = $1 AND accepted_at IS NULL`
	return note(ctx, db, query, id, reply, at)
}

func noteRefused(ctx context.Context, db *sqlx.DB, id uuid.UUID, why string, at time.Time) error {
	const query = `/* mail.noteRefused */ UPDATE letter SET tries = tries + 1, refused_at = $3, smtp_reply = $2 WHERE id = $1`
	return note(ctx, db, query, id, why, at)
}

func noteTry(ctx context.Context, db *sqlx.DB, id uuid.UUID, why string) error {
	const query = `/* mail.noteTry */ UPDATE letter SET tries = tries + 1, smtp_reply = $2 WHERE id = $1`
	return note(ctx, db, query, id, why)
}

func note(ctx context.Context, db *sqlx.DB, query string, args ...any) error {
	return pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, args...)
		return err
	})
}
