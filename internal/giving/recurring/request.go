package recurring

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Kinds of requests, as table plan_request stores them. A plan has one request of a kind and a subject.
const (
	// kindSchedule: end the subscription after N payments. Subject: empty, or the length in periods, or "from n" after
	// payment n.
	kindSchedule = "schedule"
	// kindEnd: end the subscription. Subject: empty, or the charge made although the plan had ended, or another
	// subscription.
	kindEnd            = "end"
	kindRefund         = "refund" // subject: the charge
	kindStopCollection = "rest"   // stop retrying to collect an invoice; subject: the invoice
	kindRetryPayment   = "pay"    // collect an invoice again; subject: the invoice and the card
	kindCard           = "card"   // charge another card; subject: the card
	kindMigrate        = "move"   // charge the card of another customer; subject: the customer and the card
	kindPause          = "pause"
	kindSkip           = "skip"
	kindResume         = "resume"
	kindCancel         = "cancel"
	kindChange         = "change"
)

// Values of request.RequestedBy. For a donor's request on a page it is the channel: letter or portal.
const (
	byKonbit = "konbit" // no person made the request
	byDonor  = "donor"  // by giving a new card at Stripe
)

// request is a row of table plan_request: a change that Stripe is asked to make.
type request struct {
	ID          uuid.UUID   `db:"id"`
	PlanID      uuid.UUID   `db:"plan_id"`
	Kind        string      `db:"kind"`
	Subject     string      `db:"subject"`
	Detail      plan.Detail `db:"detail"`
	RequestedBy string      `db:"asked_by"`
	RequestedAt time.Time   `db:"asked_at"`
	Attempts    int         `db:"tries"` // failed attempts
	ExecutedAt  *time.Time  `db:"carried_at"`
	Refused     *string     `db:"refused"` // why it cannot be executed; nil: it can
}

// idempotencyKey identifies an attempt for Stripe, which repeats its answer to a key for a day, errors too.
func (r request) idempotencyKey() string { return fmt.Sprintf("plan:%s:%d", r.ID, r.Attempts) }

// isDone reports whether the request was executed or refused.
func (r request) isDone() bool { return r.ExecutedAt != nil || r.Refused != nil }

// RequestJob is the job that executes a request.
type RequestJob struct {
	RequestID uuid.UUID `json:"request_id"`
}

// Kind returns the job's kind in river_job.
func (RequestJob) Kind() string { return "plan_request" }

// Queue returns the queue in which the job waits.
func (RequestJob) Queue() jobs.QueueName { return jobs.Requests }

const requestColumns = `id, plan_id, kind, subject, detail, asked_by, asked_at, tries, carried_at, refused`

// requestTx inserts a request and enqueues its job. It does nothing if the plan has a request of that kind and subject.
func (ps Plans) requestTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request) error {
	_, err := ps.insertRequestTx(ctx, tx, p, r)
	return err
}

func (ps Plans) insertRequestTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, r request) (request, error) {
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

// recordAttempt counts a failed attempt. refused is why the request cannot be executed; nil: it is tried again.
func (ps Plans) recordAttempt(ctx context.Context, r request, refused error) error {
	const query = `/* recurring.recordAttempt */ UPDATE plan_request SET tries = tries + 1, refused = $2 WHERE id = $1 AND carried_at IS NULL`
	var reason *string
	if refused != nil {
		text := refused.Error()
		reason = &text
	}
	ctx = context.WithoutCancel(ctx)
	return pg.InTx(ctx, ps.DB, func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, query, r.ID, reason)
		return err
	})
}

// markExecutedTx records that a request was executed. It returns false if it was executed or refused before.
func markExecutedTx(ctx context.Context, tx *sqlx.Tx, id uuid.UUID, at time.Time) (bool, error) {
	const query = `/* recurring.markExecutedTx */ UPDATE plan_request SET carried_at = $2 WHERE id = $1 AND carried_at IS NULL AND refused IS NULL`
	done, err := tx.ExecContext(ctx, query, id, at)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

// mustWait reports whether a request has to wait for an earlier one that is not done:
//
//	any request but a refund                  waits for a migration
//	a migration                               waits for every request that changes what is charged
func (ps Plans) mustWait(ctx context.Context, r request) (bool, error) {
	const query = `/* recurring.mustWait */
		SELECT EXISTS (SELECT 1 FROM plan_request q WHERE q.plan_id = $1 AND q.carried_at IS NULL AND q.refused IS NULL AND (q.asked_at, q.id) < ($2, $3)
		   AND ($4 <> 'refund' AND q.kind = 'move' OR $4 = 'move' AND q.kind NOT IN ('schedule', 'refund', 'rest')))`
	var waits bool
	err := sqlx.GetContext(ctx, ps.DB, &waits, query, r.PlanID, r.RequestedAt, r.ID, r.Kind)
	return waits, err
}
