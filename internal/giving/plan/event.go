package plan

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Kinds of events, as table plan_event stores them.
const (
	EventStarted         = "begun"
	EventPaid            = "paid"
	EventPaymentRejected = "payment refused" // a payment beyond the plan, which is refunded
	EventPaymentFailed   = "payment failed"
	EventFinished        = "finished"
	EventGivenUp         = "given up" // by Stripe
	EventCancelled       = "cancelled"
	EventPaused          = "paused"
	EventResumed         = "resumed"
	EventSkipped         = "skipped"
	EventChanged         = "changed"
	EventCardUpdated     = "card mended"
	EventCardExpiring    = "card expires"
	EventUpcoming        = "upcoming"
	EventCardPageOpened  = "new card asked for" // the donor opened the page for a new card; detail: for which customer
	EventMigrated        = "moved"              // to another customer of the donor; cause: the new subscription
	EventCardNeeded      = "card needed"        // the plan belongs to another donor now; its card may be somebody else's

	// What a person or a program did at Stripe. Nobody here knows who, or why.
	EventChangedAtStripe  = "changed at stripe"
	EventEndSet           = "end set"     // the subscription ends on a date
	EventEndRemoved       = "end removed" // it goes on after all
	EventStoppedAtStripe  = "stopped at stripe"
	EventPausedAtStripe   = "paused at stripe"
	EventResumedAtStripe  = "resumed at stripe"
	EventDisputed         = "disputed"           // a payment, at the donor's bank; cause: the dispute
	EventHeld             = "held"               // nothing is charged because of it; cause: the dispute
	EventDisputeWon       = "dispute won"        // or withdrawn; cause: the dispute
	EventDisputeLost      = "dispute lost"       // cause: the dispute
	EventStoppedByDispute = "stopped by dispute" // cause: the dispute
)

// emailKinds lists the events that have an email, with the email's kind.
var emailKinds = map[string]string{
	EventPaymentFailed: "failing", EventFinished: "finished", EventGivenUp: "failed", EventCancelled: "cancelled", EventPaused: "paused",
	EventResumed: "resumed", EventSkipped: "skipped", EventChanged: "changed", EventCardUpdated: "mended", EventCardExpiring: "expiring",
	EventUpcoming: "upcoming", EventPaymentRejected: "refunded", EventChangedAtStripe: "adjusted", EventEndSet: "ending", EventEndRemoved: "continuing",
	EventStoppedAtStripe: "stopped", EventPausedAtStripe: "suspended", EventResumedAtStripe: "continuing", EventHeld: "held",
	EventDisputeWon: "released", EventStoppedByDispute: "disputed", EventCardNeeded: "card_needed",
}

// AskedFor lists the kinds of emails about what the donor asked for. Only their words may say so.
var AskedFor = []string{"cancelled", "paused", "resumed", "skipped", "changed"}

// EmailKinds returns the kinds of emails about events, sorted, each once.
func EmailKinds() []string {
	return slices.Compact(slices.Sorted(maps.Values(emailKinds)))
}

// Event is a row of table plan_event: something that happened to a plan.
type Event struct {
	ID     uuid.UUID `db:"id"`
	PlanID uuid.UUID `db:"plan_id"`
	Kind   string    `db:"kind"`
	Cause  string    `db:"cause"` // id of Stripe's object or of our request; an event happens once for a cause
	Detail Detail    `db:"detail"`
	At     time.Time `db:"at"`
}

// EmailKind returns the kind of the event's email; empty if the event has none.
func (e Event) EmailKind() string { return emailKinds[e.Kind] }

// IsReminder reports whether the email only announces a planned charge. The donor can stop reminders.
func (e Event) IsReminder() bool { return e.Kind == EventUpcoming }

// NeedsPaymentMethod reports whether the donor should give another card, or confirm the payment with this one.
func (e Event) NeedsPaymentMethod() bool {
	return e.Kind == EventPaymentFailed || e.Kind == EventCardExpiring || e.Kind == EventCardNeeded
}
