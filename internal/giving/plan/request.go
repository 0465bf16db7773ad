package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Kinds of requests, as table plan_request stores them. A plan has one request of a kind and a subject.
const (
	// KindSchedule: end the subscription after N payments. Subject: empty, or the length in periods, or "from n" after
	// payment n.
	KindSchedule = "schedule"
	// KindEnd: end the subscription. Subject: empty, or the charge made although the plan had ended, or another
	// subscription.
	KindEnd            = "end"
	KindRefund         = "refund" // subject: the charge
	KindStopCollection = "rest"   // stop retrying to collect an invoice; subject: the invoice
	KindRetryPayment   = "pay"    // collect an invoice again; subject: the invoice and the card
	KindCard           = "card"   // charge another card; subject: the card
	KindMigrate        = "move"   // charge the card of another customer; subject: the customer and the card
	KindPause          = "pause"
	KindSkip           = "skip"
	KindResume         = "resume"
	KindCancel         = "cancel"
	KindChange         = "change"
	KindHold           = "hold" // charge nothing while a payment is disputed; subject: the dispute
)

// KindsThatChange lists the kinds of requests that change what a subscription charges, when, or until when.
var KindsThatChange = []string{KindChange, KindPause, KindSkip, KindResume, KindHold, KindMigrate, KindCancel, KindEnd}

// LetsCharge reports whether a request of this kind charges the donor, or ends or shortens a time without charges. A pause
// does too: it replaces one without an end.
func LetsCharge(kind string) bool {
	return kind == KindPause || kind == KindSkip || kind == KindResume || kind == KindRetryPayment
}

// NeedsRunningPlan reports whether a request of this kind means nothing once its plan has ended.
func NeedsRunningPlan(kind string) bool {
	return slices.Contains([]string{KindPause, KindSkip, KindResume, KindChange, KindHold, KindCard}, kind)
}

// Values of Request.RequestedBy. For a donor's request on a page it is the channel: letter or portal. For one that the office
// makes for a donor it names the person of the staff.
const (
	ByKonbit = "konbit" // no person made the request
	ByDonor  = "donor"  // by giving a new card at Stripe
)

// Request is a row of table plan_request: a change that Stripe is asked to make.
type Request struct {
	ID          uuid.UUID  `db:"id"`
	PlanID      uuid.UUID  `db:"plan_id"`
	Kind        string     `db:"kind"`
	Subject     string     `db:"subject"`
	Detail      Detail     `db:"detail"`
	RequestedBy string     `db:"asked_by"`
	RequestedAt time.Time  `db:"asked_at"`
	Attempts    int        `db:"tries"` // failed attempts
	ExecutedAt  *time.Time `db:"carried_at"`
	Refused     *string    `db:"refused"` // why it cannot be executed; nil: it can
}

// IdempotencyKey identifies an attempt for Stripe, which repeats its answer to a key for a day, errors too.
func (r Request) IdempotencyKey() string { return fmt.Sprintf("plan:%s:%d", r.ID, r.Attempts) }

// IsDone reports whether the request was executed or refused.
func (r Request) IsDone() bool { return r.ExecutedAt != nil || r.Refused != nil }
