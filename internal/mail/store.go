package mail

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// letter is a rendered one, as its row has it. Nothing in it ever changes.
type storedEmail struct {
	ID         uuid.UUID `db:"id"`
	EntityID   uuid.UUID `db:"entity_id"`
	Kind       string    `db:"kind"`
	SubjectID  uuid.UUID `db:"subject_id"`
	Sender     string    `db:"sender"`
	MessageID  string    `db:"message_id"`
	Message    []byte    `db:"message"`
	RenderedAt time.Time `db:"rendered_at"`

	DonorID uuid.NullUUID `db:"donor_id"` // who may stop letters of this kind; NULL: it always goes
	Choice  *string       `db:"choice"`   // of donor.Kinds
}

const selectStored = `SELECT id, entity_id, kind, subject_id, sender, message_id, message, rendered_at, donor_id, choice FROM letter `

// delivery is an order to hand a letter's bytes over for one recipient.
type deliveryRow struct {
	ID        uuid.UUID `db:"id"`
	EmailID   uuid.UUID `db:"letter_id"`
	Recipient string    `db:"recipient"`
	Cause     cause     `db:"cause"`
	OrderedBy string    `db:"ordered_by"`
	OrderedAt time.Time `db:"ordered_at"`
	Done      bool      `db:"over"` // accepted, refused for good, not wished for, or overtaken by a better address
}

// cause is why a delivery was ordered.
type cause string

const (
	causeFirst   cause = "first"
	causeResend  cause = "resend"  // the same to the same once more
	causeAddress cause = "address" // the address before was wrong
)

// find is the letter of that kind about that subject; nil when it was not rendered yet.
func findStored(ctx context.Context, q sqlx.QueryerContext, kind string, subject uuid.UUID) (*storedEmail, error) {
	const query = `/* mail.findStored */ ` + selectStored + `WHERE kind = $1 AND subject_id = $2`
	var l storedEmail
	if err := sqlx.GetContext(ctx, q, &l, query, kind, subject); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &l, nil
}

// keep writes a rendered letter with its first delivery, or answers the letter that was written first.
func store(ctx context.Context, db *sqlx.DB, l storedEmail, d deliveryRow) (kept *storedEmail, err error) {
	const query = `/* mail.store */
		INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at, donor_id, choice)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (kind, subject_id) DO NOTHING`
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, l.ID, l.EntityID, l.Kind, l.SubjectID, l.Sender, l.MessageID, l.Message, l.RenderedAt, l.DonorID, l.Choice)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil {
			return err
		} else if n > 0 {
			kept = &l
			return orderTx(ctx, tx, d)
		}
		kept, err = findStored(ctx, tx, l.Kind, l.SubjectID)
		return err
	})
	return kept, err
}

func orderTx(ctx context.Context, tx *sqlx.Tx, d deliveryRow) error {
	const query = `/* mail.orderTx */
		INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at) VALUES ($1, $2, $3, $4, $5, $6)`
	_, err := tx.ExecContext(ctx, query, d.ID, d.EmailID, d.Recipient, d.Cause, d.OrderedBy, d.OrderedAt)
	return err
}

// turnTx waits for its turn to look at a letter's deliveries and order another: of several who would, one does so at a time.
func lockDeliveriesTx(ctx context.Context, tx *sqlx.Tx, letterID uuid.UUID) error {
	const query = `/* mail.lockDeliveriesTx */ SELECT id FROM letter_delivery WHERE letter_id = $1 AND cause = 'first' FOR UPDATE`
	var id uuid.UUID
	return tx.GetContext(ctx, &id, query, letterID)
}

const selectDelivery = `SELECT d.id, d.letter_id, d.recipient, d.cause, d.ordered_by, d.ordered_at,
		       num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) > 0 OR EXISTS (SELECT 1 FROM letter_delivery b
		           WHERE b.letter_id = d.letter_id AND b.cause = 'address' AND b.ordered_at > d.ordered_at) AS over
		  FROM letter_delivery d `

// firstDelivery is the one a letter was kept with.
func firstDelivery(ctx context.Context, q sqlx.QueryerContext, letterID uuid.UUID) (d deliveryRow, err error) {
	const query = `/* mail.firstDelivery */ ` + selectDelivery + `WHERE d.letter_id = $1 AND d.cause = 'first'`
	err = sqlx.GetContext(ctx, q, &d, query, letterID)
	return d, err
}

func deliveryByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (l storedEmail, d deliveryRow, err error) {
	const query = `/* mail.deliveryByID */ ` + selectDelivery + `WHERE d.id = $1`
	const of = `/* mail.deliveryByID */ ` + selectStored + `WHERE id = $1`
	if err = sqlx.GetContext(ctx, q, &d, query, id); err == nil {
		err = sqlx.GetContext(ctx, q, &l, of, d.EmailID)
	}
	return l, d, err
}

// correctedAddress is where letters about a subject were last told to go instead; empty: nowhere else.
func correctedAddress(ctx context.Context, q sqlx.QueryerContext, subject uuid.UUID) (to string, err error) {
	const query = `/* mail.correctedAddress */
		SELECT d.recipient FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
		 WHERE l.subject_id = $1 AND d.cause = 'address' ORDER BY d.ordered_at DESC LIMIT 1`
	if err = sqlx.GetContext(ctx, q, &to, query, subject); errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return to, err
}

// noteAcceptedTx notes that a mail server took the letter, if it was called off meanwhile, too.
func recordAcceptedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, reply string, at time.Time) error {
	const query = `/* mail.recordAcceptedTx */
		UPDATE letter_delivery SET tries = tries + 1, accepted_at = $3, declined_at = NULL, smtp_reply = left($2, 200)
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at) = 0`
	_, err := tx.ExecContext(ctx, query, id, reply, at)
	return err
}

func recordRefusedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, why string, at time.Time) error {
	const query = `/* mail.recordRefusedTx */
		UPDATE letter_delivery SET tries = tries + 1, refused_at = $3, smtp_reply = $2
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0`
	_, err := tx.ExecContext(ctx, query, id, why, at)
	return err
}

func recordAttemptTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, why string) error {
	const query = `/* mail.recordAttemptTx */
		UPDATE letter_delivery SET tries = tries + 1, smtp_reply = left($2, 200)
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0`
	_, err := tx.ExecContext(ctx, query, id, why)
	return err
}

// callOffTx ends the wait of all deliveries of a letter, for nobody is to have it any more.
func callOffTx(ctx context.Context, tx *sqlx.Tx, letterID uuid.UUID, at time.Time) error {
	const query = `/* mail.callOffTx */
		UPDATE letter_delivery SET declined_at = $2 WHERE letter_id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0`
	_, err := tx.ExecContext(ctx, query, letterID, at)
	return err
}
