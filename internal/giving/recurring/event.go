package recurring

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
)

// Kinds of events. Those with a letter say so in their job.
const (
	eventStarted         = "begun"
	eventPaid            = "paid"
	eventPaymentRejected = "payment refused"
	eventPaymentFailed   = "payment failed"
	eventFinished        = "finished"
	eventGivenUp         = "given up"
	eventCancelled       = "cancelled"
	eventPaused          = "paused"
	eventResumed         = "resumed"
	eventSkipped         = "skipped"
	eventChanged         = "changed"
	eventCardUpdated     = "card mended"
	eventCardExpiring    = "card expires"
	eventUpcoming        = "upcoming"
	eventCardPageOpened  = "new card asked for" // its donor went to give one; detail: for which customer
	eventMigrated        = "moved"              // to another customer of its donor's; cause: the subscription it has now
)

// Detail is what an event or a request is about; what does not apply is zero.
type Detail struct {
	N         int        `json:"n,omitempty"`
	Amount    int64      `json:"amount,omitempty"` // minor units, charged each time
	Covered   int64      `json:"covered,omitempty"`
	Frequency string     `json:"frequency,omitempty"`
	Months    int        `json:"months,omitempty"`
	Until     *time.Time `json:"until,omitempty"`
	Next      *time.Time `json:"next,omitempty"`
	Code      string     `json:"code,omitempty"` // why a payment failed
	Invoice   string     `json:"invoice,omitempty"`
	Final     bool       `json:"final,omitempty"`  // nobody tries that payment again by itself
	Method    string     `json:"method,omitempty"` // a card, by Stripe's id
	Customer  string     `json:"customer,omitempty"`
	// Subscription is another than the plan's own.
	Subscription string `json:"subscription,omitempty"`
	Last4        string `json:"last4,omitempty"`
	Brand        string `json:"brand,omitempty"`
	Given        int64  `json:"given,omitempty"` // in all so far
	Reason       string `json:"reason,omitempty"`
	DatesChanged bool   `json:"repaced,omitempty"` // the dates are others than before
	Parts        []Part `json:"parts,omitempty"`
}

// Part is a fund's part of what is given each time.
type Part struct {
	FundID  uuid.UUID `json:"fund"`
	Amount  int64     `json:"amount"`
	Covered int64     `json:"covered"`
}

// Value and Scan keep a detail as JSON.
func (d Detail) Value() (driver.Value, error) {
	text, err := json.Marshal(d)
	return string(text), err
}

// Scan is part of sql.Scanner.
func (d *Detail) Scan(value any) error {
	text, ok := value.([]byte)
	if !ok {
		return fmt.Errorf("recurring: a detail is JSON, not %T", value)
	}
	return json.Unmarshal(text, d)
}

// Event is something that happened to a plan.
type Event struct {
	ID     uuid.UUID `db:"id"`
	PlanID uuid.UUID `db:"plan_id"`
	Kind   string    `db:"kind"`
	Cause  string    `db:"cause"` // Stripe's object or our request
	Detail Detail    `db:"detail"`
	At     time.Time `db:"at"`
}

// Events lists what happened to a plan, in order.
func Events(ctx context.Context, q sqlx.QueryerContext, plan uuid.UUID) ([]Event, error) {
	const query = `/* recurring.Events */ SELECT id, plan_id, kind, cause, detail, at FROM plan_event WHERE plan_id = $1 ORDER BY at, id`
	var all []Event
	err := sqlx.SelectContext(ctx, q, &all, query, plan)
	return all, err
}

// EventByID reads one event.
func EventByID(ctx context.Context, q sqlx.QueryerContext, id uuid.UUID) (e Event, err error) {
	const query = `/* recurring.EventByID */ SELECT id, plan_id, kind, cause, detail, at FROM plan_event WHERE id = $1`
	err = sqlx.GetContext(ctx, q, &e, query, id)
	return e, err
}

// eventTx records an event once; nil when it was recorded before.
func (ps Plans) recordEventTx(ctx context.Context, tx *sqlx.Tx, p *Plan, kind, cause string, d Detail) (*Event, error) {
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

// LetterJob is the job of telling a donor of an event.
type EmailJob struct {
	EventID uuid.UUID `json:"event_id"`
}

// Kind names the job.
func (EmailJob) Kind() string { return "plan_letter" }

// tellTx records an event and orders its letter, once. What the letter needs of the plan as it stands is frozen in it.
func (ps Plans) notifyTx(ctx context.Context, tx *sqlx.Tx, p *Plan, kind, cause string, d Detail) error {
	d.N, d.Amount, d.Covered, d.Frequency, d.Next = p.Paid, p.AmountMinor, p.CoveredMinor, string(p.Frequency), p.NextAt
	if p.CardLast4 != nil && d.Last4 == "" {
		d.Last4, d.Brand = *p.CardLast4, *p.CardBrand
	}
	paid, err := InstalmentsOf(ctx, tx, []uuid.UUID{p.ID})
	if err != nil {
		return err
	}
	gifts := make([]uuid.UUID, len(paid))
	for i, in := range paid {
		gifts[i] = in.DonationID
	}
	if d.Given, err = donation.SumOf(ctx, tx, gifts); err != nil {
		return err
	}
	e, err := ps.recordEventTx(ctx, tx, p, kind, cause, d)
	if err != nil || e == nil {
		return err
	}
	return ps.Queue.EnqueueTx(ctx, tx, EmailJob{e.ID})
}
