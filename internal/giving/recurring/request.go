package recurring

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Kinds of requests.
const (
	kindSchedule       = "schedule" // end after N payments; subject: empty, how many periods it must have become, or the payment it is made anew from
	kindEnd            = "end"      // nothing is charged any more; subject: empty, the charge that came all the same, or a subscription that is not the plan's
	kindRefund         = "refund"   // subject: the charge
	kindStopCollection = "rest"     // stop trying to collect a bill; subject: the bill
	kindRetryPayment   = "pay"      // collect a bill once more; subject: the bill and the card
	kindCard           = "card"     // charge another card; subject: the card
	kindMigrate        = "move"     // charge another customer's card; subject: the customer and the card
	kindPause          = "pause"
	kindSkip           = "skip"
	kindResume         = "resume"
	kindCancel         = "cancel"
	kindChange         = "change"
)

// request is something asked of Stripe for a plan.
type request struct {
	ID          uuid.UUID  `db:"id"`
	PlanID      uuid.UUID  `db:"plan_id"`
	Kind        string     `db:"kind"`
	Subject     string     `db:"subject"`
	Detail      Detail     `db:"detail"`
	RequestedBy string     `db:"asked_by"` // konbit, or how the donor asked: "letter", "portal"
	RequestedAt time.Time  `db:"asked_at"`
	Attempts    int        `db:"tries"`
	ExecutedAt  *time.Time `db:"carried_at"`
	Refused     *string    `db:"refused"`
}

// key names one try of a request for Stripe, which keeps its answer to a key for a day, errors too.
func (r request) idempotencyKey() string { return fmt.Sprintf("plan:%s:%d", r.ID, r.Attempts) }

// over tells whether there is nothing left to do.
func (r request) isDone() bool { return r.ExecutedAt != nil || r.Refused != nil }

// RequestJob is the job of carrying a request out.
type RequestJob struct {
	RequestID uuid.UUID `json:"request_id"`
}

// Kind names the job.
func (RequestJob) Kind() string { return "plan_request" }

const requestColumns = `id, plan_id, kind, subject, detail, asked_by, asked_at, tries, carried_at, refused`

// askTx writes a request and orders its job. What was asked with that subject before is not asked again.
func (ps Plans) requestTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request) error {
	_, err := ps.insertRequestTx(ctx, tx, p, r)
	return err
}

func (ps Plans) insertRequestTx(ctx context.Context, tx *sqlx.Tx, p *Plan, r request) (request, error) {
	const query = `/* recurring.insertRequestTx */
		INSERT INTO plan_request (id, plan_id, kind, subject, detail, asked_by, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (plan_id, kind, subject) DO NOTHING`
	r.ID, r.PlanID, r.RequestedAt = ps.NewID(), p.ID, ps.Now()
	done, err := tx.ExecContext(ctx, query, r.ID, r.PlanID, r.Kind, r.Subject, r.Detail, r.RequestedBy, r.RequestedAt)
	if err != nil {
		return r, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return r, err
	}
	return r, ps.Queue.EnqueueTx(ctx, tx, RequestJob{r.ID})
}

func requestByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (r request, err error) {
	const query = `/* recurring.requestByID */ SELECT ` + requestColumns + ` FROM plan_request WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &r, query, id)
	return r, err
}

// noteTry counts a try that failed, or that the request was refused for good.
func (ps Plans) recordAttempt(ctx context.Context, r request, refused error) error {
	const query = `/* recurring.recordAttempt */ UPDATE plan_request SET tries = tries + 1, refused = $2 WHERE id = $1 AND carried_at IS NULL`
	var why *string
	if refused != nil {
		text := refused.Error()
		why = &text
	}
	return pg.InTx(context.WithoutCancel(ctx), ps.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(context.WithoutCancel(ctx), query, r.ID, why)
		return err
	})
}

func markExecutedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, at time.Time) (bool, error) {
	const query = `/* recurring.markExecutedTx */ UPDATE plan_request SET carried_at = $2 WHERE id = $1 AND carried_at IS NULL AND refused IS NULL`
	done, err := tx.ExecContext(ctx, query, id, at)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}
