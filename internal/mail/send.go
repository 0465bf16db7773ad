package mail

import (
	"context"
	"errors"
	"strconv"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/task"
	"konbit/internal/platform/pg"
)

// taskRefused is about a delivery that the recipient's mail server refused for good.
var taskRefused = task.Register(task.Kind{
	Code: "letter_refused", Severity: task.Normal, For: task.Finance, Link: task.Link{Object: task.Delivery}, Closes: task.ByPerson,
})

// Delivery is the job of handing a kept letter over once more, or to another address.
type DeliveryJob struct {
	DeliveryID uuid.UUID `json:"delivery_id"`
}

// Kind names the job.
func (DeliveryJob) Kind() string { return "letter_delivery" }

// deliver hands the letter over unless that was settled before, or the donor stopped letters of its kind. A refusal
// that will not pass is noted, not tried again, and becomes a task for finance: somebody has to ask for the right
// address.
func (m Mailer) deliver(ctx context.Context, l storedEmail, d deliveryRow) error {
	if d.Done {
		return nil
	}
	if declined, err := m.isDeclined(ctx, l); declined || err != nil {
		return err
	}
	reply, err := m.Transport.Send(ctx, l.Sender, d.Recipient, l.Message)
	var refusal *Refusal
	refused := errors.As(err, &refusal) && refusal.Permanent()
	if refused {
		m.Log.WarnContext(ctx, "letter refused for good", "letter", l.ID, "code", refusal.Code)
	}
	// What the server said is worth keeping even when the attempt's own time is over.
	noteErr := pg.InTx(context.WithoutCancel(ctx), m.DB, func(tx *sqlx.Tx) error {
		ctx := context.WithoutCancel(ctx)
		switch {
		case err == nil:
			return recordAcceptedTx(ctx, tx, d.ID, reply, m.Now())
		case refused:
			if err := recordRefusedTx(ctx, tx, d.ID, refusal.Error(), m.Now()); err != nil {
				return err
			}
			return task.OpenTx(ctx, tx, task.Task{
				EntityID: l.EntityID, Kind: taskRefused, Subject: d.ID.String(),
				Detail: map[string]string{"letter": l.MessageID, "about": l.SubjectID.String(), "code": strconv.Itoa(refusal.Code)},
			}, m.NewID, m.Now())
		default:
			return recordAttemptTx(ctx, tx, d.ID, err.Error())
		}
	})
	if refused {
		err = nil
	}
	return errors.Join(err, noteErr)
}
