package mail

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// taskRefused is the kind of task about a delivery that a mail server refused permanently: finance has to find the
// right address.
var taskRefused = task.Register(task.Kind{
	Code: "letter_refused", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Delivery}, Closes: task.ByPerson,
})

// DeliveryJob is the job that sends a stored email again, or to a corrected address.
type DeliveryJob struct {
	DeliveryID uuid.UUID `json:"delivery_id"`
}

// Kind returns the job's kind in river_job.
func (DeliveryJob) Kind() string { return "letter_delivery" }

// Queue returns the queue in which the job waits.
func (DeliveryJob) Queue() jobs.QueueName { return jobs.Emails }

// deliver sends a stored email to a delivery's recipient, unless the delivery is done or the donor has stopped this
// kind of email. It records the attempt before it sends, and the server's reply after it:
//
//	accepted             the delivery is done
//	permanent refusal    the delivery is done, and a task is opened for finance; no error
//	anything else        an attempt; the error makes the job run again
func (m Mailer) deliver(ctx context.Context, stored storedEmail, d deliveryRow) error {
	if d.Done {
		return nil
	}
	if declined, err := m.isDeclined(ctx, stored); declined || err != nil {
		return err
	}
	var begun bool
	err := pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) (err error) {
		begun, err = beginAttemptTx(ctx, tx, d.ID)
		return err
	})
	if err != nil || !begun {
		return err
	}
	return m.attempt(ctx, stored, d)
}

// attempt sends a stored email, whose attempt was counted, and records the result.
func (m Mailer) attempt(ctx context.Context, stored storedEmail, d deliveryRow) error {
	reply, err := m.send(ctx, stored, d.Recipient)
	var refusal *transport.Refusal
	if errors.As(err, &refusal) && !refusal.Permanent() {
		refusal = nil
	}
	// The reply is recorded even after the job's own time limit. An accepted email's is not flushed by itself: the next email
	// of this worker is stored, and flushed, before it is sent, so a crash of the database repeats no more than is under way.
	recorded, inTx := context.WithoutCancel(ctx), pg.InTx
	if err == nil {
		inTx = pg.InTxAsyncCommit
	}
	recordErr := inTx(recorded, m.DB, func(tx *sqlx.Tx) error {
		switch {
		case err == nil:
			return recordAcceptedTx(recorded, tx, d.ID, reply, m.Now())
		case refusal != nil:
			return m.recordRefusalTx(recorded, tx, stored, d, refusal)
		default:
			return recordAttemptTx(recorded, tx, d.ID, err.Error())
		}
	})
	if refusal != nil {
		err = nil
	}
	return errors.Join(err, recordErr)
}

// send addresses, signs and sends a stored email, and returns the server's reply.
func (m Mailer) send(ctx context.Context, stored storedEmail, to string) (reply string, err error) {
	message, err := m.message(ctx, stored)
	if err != nil {
		return "", err
	}
	if message, err = transport.Address(message, to, transport.KeyFor(m.DKIM, stored.Sender)); err != nil {
		return "", err
	}
	return m.Transport.Send(ctx, stored.Sender, to, message)
}

func (m Mailer) recordRefusalTx(ctx context.Context, tx *sqlx.Tx, stored storedEmail, d deliveryRow, refusal *transport.Refusal) error {
	m.Log.WarnContext(ctx, "email refused permanently", "kind", stored.Kind, "email", stored.ID, "code", refusal.Code)
	if err := recordRefusedTx(ctx, tx, d.ID, refusal.Error(), m.Now()); err != nil {
		return err
	}
	return task.OpenTx(ctx, tx, task.Task{
		EntityID: stored.EntityID, Kind: taskRefused, Subject: d.ID.String(),
		Detail: map[string]string{"letter": stored.MessageID, "about": stored.SubjectID.String(), "code": strconv.Itoa(refusal.Code)},
	}, m.NewID, m.Shown(m.Now()))
}
