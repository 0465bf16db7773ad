package recurring

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/plan"
)

// Kinds of events, as table plan_event stores them.
const (
	eventStarted         = "begun"
	eventPaid            = "paid"
	eventPaymentRejected = "payment refused" // a payment beyond the plan, which is refunded
	eventPaymentFailed   = "payment failed"
	eventFinished        = "finished"
	eventGivenUp         = "given up" // by Stripe
	eventCancelled       = "cancelled"
	eventPaused          = "paused"
	eventResumed         = "resumed"
	eventSkipped         = "skipped"
	eventChanged         = "changed"
	eventCardUpdated     = "card mended"
	eventCardExpiring    = "card expires"
	eventUpcoming        = "upcoming"
	eventCardPageOpened  = "new card asked for" // the donor opened the page for a new card; detail: for which customer
	eventMigrated        = "moved"              // to another customer of the donor; cause: the new subscription
)

// emailKinds lists the events that have an email, with the email's kind.
var emailKinds = map[string]string{
	eventPaymentFailed: "failing", eventFinished: "finished", eventGivenUp: "failed", eventCancelled: "cancelled", eventPaused: "paused",
	eventResumed: "resumed", eventSkipped: "skipped", eventChanged: "changed", eventCardUpdated: "mended", eventCardExpiring: "expiring",
	eventUpcoming: "upcoming", eventPaymentRejected: "refunded",
}

// Event is a row of table plan_event: something that happened to a plan.
type Event struct {
	ID     uuid.UUID   `db:"id"`
	PlanID uuid.UUID   `db:"plan_id"`
	Kind   string      `db:"kind"`
	Cause  string      `db:"cause"` // id of Stripe's object or of our request; an event happens once for a cause
	Detail plan.Detail `db:"detail"`
	At     time.Time   `db:"at"`
}

// EmailKind returns the kind of the event's email; empty if the event has none.
func (e Event) EmailKind() string { return emailKinds[e.Kind] }

// IsReminder reports whether the email only announces a planned charge. The donor can stop reminders.
func (e Event) IsReminder() bool { return e.Kind == eventUpcoming }

// NeedsPaymentMethod reports whether the donor should give another card.
func (e Event) NeedsPaymentMethod() bool {
	return e.Kind == eventPaymentFailed || e.Kind == eventCardExpiring
}

// Events returns the events of a plan, oldest first.
func Events(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]Event, error) {
	const query = `/* recurring.Events */ SELECT id, plan_id, kind, cause, detail, at FROM plan_event WHERE plan_id = $1 ORDER BY at, id`
	var all []Event
	err := sqlx.SelectContext(ctx, q, &all, query, plan)
	return all, err
}

// EventByID returns one event.
func EventByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (e Event, err error) {
	const query = `/* recurring.EventByID */ SELECT id, plan_id, kind, cause, detail, at FROM plan_event WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &e, query, id)
	return e, err
}

// recordEventTx inserts an event. It returns nil if an event of that kind and cause exists.
func (ps Plans) recordEventTx(ctx context.Context, tx *sqlx.Tx, p *plan.Plan, kind, cause string, d plan.Detail) (*Event, error) {
	const query = `/* recurring.recordEventTx */
		INSERT INTO plan_event (id, plan_id, kind, cause, detail, at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (plan_id, kind, cause) DO NOTHING`
	e := Event{ID: ps.NewID(), PlanID: p.ID, Kind: kind, Cause: cause, Detail: d, At: ps.Now()}
	done, err := tx.ExecContext(ctx, query, e.ID, e.PlanID, e.Kind, e.Cause, e.Detail, e.At)
	if err != nil {
		return nil, err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return nil, err
	}
	return &e, nil
}
