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

// storedEmail is a row of table letter. It never changes.
type storedEmail struct {
	ID         uuid.UUID `db:"id"`
	EntityID   uuid.UUID `db:"entity_id"`
	Kind       string    `db:"kind"`
	SubjectID  uuid.UUID `db:"subject_id"`
	Sender     string    `db:"sender"`
	MessageID  string    `db:"message_id"`
	Message    []byte    `db:"message"`    // empty if ModelID is set, or the email was erased
	ModelID    *int      `db:"model_id"`   // with Difference; nil: the message is stored whole
	Difference []byte    `db:"difference"` // to the model; empty if the email was erased
	RenderedAt time.Time `db:"rendered_at"`

	DonorID uuid.NullUUID `db:"donor_id"` // the donor who can stop this kind of email; NULL: it is always sent
	Choice  *string       `db:"choice"`   // one of donor.EmailKinds
}

const selectStored = `SELECT id, entity_id, kind, subject_id, sender, message_id, message, model_id, difference, rendered_at, donor_id, choice FROM letter `

// deliveryRow is a row of table letter_delivery: an order to send a stored email to one recipient.
type deliveryRow struct {
	ID        uuid.UUID `db:"id"`
	EmailID   uuid.UUID `db:"letter_id"`
	Recipient string    `db:"recipient"`
	Cause     cause     `db:"cause"`
	OrderedBy string    `db:"ordered_by"`
	OrderedAt time.Time `db:"ordered_at"`
	Done      bool      `db:"over"` // accepted, refused permanently, cancelled, or superseded by a corrected address
}

// cause is why a delivery was ordered.
type cause string

const (
	causeFirst   cause = "first"
	causeResend  cause = "resend"  // to the same recipient again
	causeAddress cause = "address" // to a corrected address
)

// findStored returns the email of a kind about a subject; nil if it was not stored yet.
func findStored(ctx context.Context, q sqlx.QueryerContext, kind string, subject uuid.UUID) (*storedEmail, error) {
	const query = `/* mail.findStored */ ` + selectStored + `WHERE kind = $1 AND subject_id = $2`
	var stored storedEmail
	if err := sqlx.GetContext(ctx, q, &stored, query, kind, subject); errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &stored, nil
}

// IsStored reports whether the email of a kind about a subject was rendered and stored.
func IsStored(ctx context.Context, q sqlx.QueryerContext, kind string, subject uuid.UUID) (bool, error) {
	stored, err := findStored(ctx, q, kind, subject)
	return stored != nil, err
}

// store stores a rendered email with its first delivery and, with begin, counts the first attempt to send it; then begun is
// that delivery. If an email of the same kind and subject is stored already, it returns that one. If the person was erased,
// the email is stored empty, and its delivery is over. It reports errMoved if recheckTx does: what the email is about
// belongs to another donor since the recipient was read.
func store(
	ctx context.Context, db *sqlx.DB, e storedEmail, recheckTx func(context.Context, *sqlx.Tx) error, d deliveryRow, begin bool,
) (stored *storedEmail, begun *deliveryRow, err error) {
	const query = `/* mail.store */
		WITH l AS (
		    INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, model_id, difference, rendered_at, donor_id, choice)
		    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		    ON CONFLICT DO NOTHING RETURNING id) -- with (kind, subject_id), two transactions may conflict in message_id first
		INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at, tries)
		SELECT $13, l.id, $14, $15, $16, $17, $18::boolean::integer FROM l RETURNING recipient`
	message := e.Message
	if e.ModelID != nil {
		message = []byte{}
	}
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		if err := recheckTx(ctx, tx); err != nil {
			return err
		}
		var recipients []string // one, or none if there was a conflict
		err := tx.SelectContext(ctx, &recipients, query, e.ID, e.EntityID, e.Kind, e.SubjectID, e.Sender, e.MessageID, message, e.ModelID, e.Difference,
			e.RenderedAt, e.DonorID, e.Choice, d.ID, d.Recipient, d.Cause, d.OrderedBy, d.OrderedAt, begin)
		if err != nil {
			return err
		}
		if len(recipients) > 0 {
			stored = &e
			if begin && recipients[0] != "" {
				begun = &d
			}
			return nil
		}
		stored, err = findStored(ctx, tx, e.Kind, e.SubjectID)
		return err
	})
	return stored, begun, err
}

// orderTx inserts a delivery and returns its recipient, which is empty if the person was erased.
func orderTx(ctx context.Context, tx *sqlx.Tx, d deliveryRow) (recipient string, err error) {
	const query = `/* mail.orderTx */
		INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at) VALUES ($1, $2, $3, $4, $5, $6)
		RETURNING recipient`
	err = tx.GetContext(ctx, &recipient, query, d.ID, d.EmailID, d.Recipient, d.Cause, d.OrderedBy, d.OrderedAt)
	return recipient, err
}

// lockDeliveriesTx locks the deliveries of emails, so that transactions that read them and order others run one after
// the other, and none reads a delivery while a worker records its result.
func lockDeliveriesTx(ctx context.Context, tx *sqlx.Tx, emails ...uuid.UUID) error {
	const query = `/* mail.lockDeliveriesTx */
		SELECT id FROM letter_delivery WHERE letter_id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	var ids []uuid.UUID
	return tx.SelectContext(ctx, &ids, query, pg.UUIDs(emails))
}

const selectDelivery = `SELECT d.id, d.letter_id, d.recipient, d.cause, d.ordered_by, d.ordered_at,
		       num_nonnulls(d.accepted_at, d.refused_at, d.declined_at) > 0 OR EXISTS (SELECT 1 FROM letter_delivery b
		           WHERE b.letter_id = d.letter_id AND b.cause = 'address' AND b.ordered_at > d.ordered_at) AS over
		  FROM letter_delivery d `

// firstDelivery returns the delivery with which an email was stored.
func firstDelivery(ctx context.Context, q sqlx.QueryerContext, emailID uuid.UUID) (d deliveryRow, err error) {
	const query = `/* mail.firstDelivery */ ` + selectDelivery + `WHERE d.letter_id = $1 AND d.cause = 'first'`
	err = sqlx.GetContext(ctx, q, &d, query, emailID)
	return d, err
}

// deliveryByID returns a delivery with its email.
func deliveryByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (e storedEmail, d deliveryRow, err error) {
	const query = `/* mail.deliveryByID */ ` + selectDelivery + `WHERE d.id = $1`
	const of = `/* mail.deliveryByID */ ` + selectStored + `WHERE id = $1`
	if err = sqlx.GetContext(ctx, q, &d, query, id); err == nil {
		err = sqlx.GetContext(ctx, q, &e, of, d.EmailID)
	}
	return e, d, err
}

// beginAttemptTx counts an attempt to send an email, before anything is sent. It returns false if the delivery is over.
// Transactions that order a delivery to another address lock this one first (lockDeliveriesTx): they see the attempt, or
// it does not begin.
func beginAttemptTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID) (begun bool, err error) {
	const lock = `/* mail.beginAttemptTx */ SELECT id FROM letter_delivery WHERE id = $1 FOR UPDATE`
	const query = `/* mail.beginAttemptTx */
		UPDATE letter_delivery d SET tries = tries + 1
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0 AND NOT EXISTS (SELECT 1 FROM letter_delivery b
		       WHERE b.letter_id = d.letter_id AND b.cause = 'address' AND b.ordered_at > d.ordered_at)`
	var locked []uuid.UUID
	if err := tx.SelectContext(ctx, &locked, lock, id); err != nil {
		return false, err
	}
	done, err := tx.ExecContext(ctx, query, id)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// recordAccepted records that a mail server accepted the email, also if the email was cancelled in the meantime. It returns
// after the record is on disk: the job may be completed after a crash of the database, which must not lose the record.
func recordAccepted(ctx context.Context, db *sqlx.DB, id uuid.UUID, reply string, at time.Time) error {
	const query = `/* mail.recordAccepted */
		UPDATE letter_delivery SET accepted_at = $3, declined_at = NULL, smtp_reply = left($2, 200)
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at) = 0`
	_, err := pg.Repeatable[int](ctx, db, query, id, reply, at)
	return err
}

// recordRefusedTx records that the delivery is not tried again, and why.
func recordRefusedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, why string, at time.Time) error {
	const query = `/* mail.recordRefusedTx */
		UPDATE letter_delivery SET refused_at = $3, smtp_reply = $2
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0`
	_, err := tx.ExecContext(ctx, query, id, why, at)
	return err
}

// recordAttemptTx records an attempt that failed and will be repeated.
func recordAttemptTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, why string) error {
	const query = `/* mail.recordAttemptTx */
		UPDATE letter_delivery SET smtp_reply = left($2, 200)
		 WHERE id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0`
	_, err := tx.ExecContext(ctx, query, id, why)
	return err
}

// callOffTx ends all waiting deliveries of an email.
func callOffTx(ctx context.Context, tx *sqlx.Tx, emailID uuid.UUID, at time.Time) error {
	const query = `/* mail.callOffTx */
		WITH waiting AS MATERIALIZED (
		    SELECT id FROM letter_delivery WHERE letter_id = $1 AND num_nonnulls(accepted_at, refused_at, declined_at) = 0 ORDER BY id FOR UPDATE)
		UPDATE letter_delivery d SET declined_at = $2 FROM waiting w WHERE d.id = w.id`
	_, err := tx.ExecContext(ctx, query, emailID, at)
	return err
}
