package refund

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
)

// State is where an order stands. Its values are in refund_order.state.
type State string

// The states.
const (
	Ordered   State = "ordered"   // committed; the processor was not called
	Sent      State = "sent"      // the processor is called, or was and its answer is not stored
	Pending   State = "pending"   // the processor waits for money, or for the donor's bank
	Succeeded State = "succeeded" // the money is on its way to the donor's card or account
	Failed    State = "failed"    // the donor does not get it this way
	Refused   State = "refused"   // the processor made no refund
)

// States lists all states, in their order.
var States = []State{Ordered, Sent, Pending, Succeeded, Failed, Refused}

// TitleKey is the phrase key of the state's name.
func (s State) TitleKey() string { return "refund.state." + string(s) }

// NextKey is the phrase key of what happens next, or what staff do next.
func (s State) NextKey() string { return "refund.next." + string(s) }

// Reason is why staff refund. Its values are in refund_order.reason.
type Reason string

// The reasons.
const (
	Duplicate  Reason = "duplicate"
	Requested  Reason = "requested"
	Fraudulent Reason = "fraudulent"
	Mistake    Reason = "mistake"
)

// Reasons lists all reasons.
var Reasons = []Reason{Duplicate, Requested, Fraudulent, Mistake}

// atProcessor returns the reason in the processor's words.
func (r Reason) atProcessor() refundcall.Reason {
	switch r {
	case Duplicate:
		return refundcall.Duplicate
	case Fraudulent:
		return refundcall.Fraudulent
	default:
		return refundcall.Requested
	}
}

// Part is what is refunded from one fund, in minor units.
type Part struct {
	FundID uuid.UUID `db:"fund_id"`
	Amount int64     `db:"amount"`
}

// Approval names the request that a second person approved. The request's subject is the order's id, its body is Body.
type Approval struct {
	RequestID uuid.UUID
	Hash      [sha256.Size]byte
}

// Request is what a staff member asks for.
type Request struct {
	ID          uuid.UUID // of the order; uuid.Nil: a new one
	EntityID    uuid.UUID
	DonationID  uuid.UUID
	Parts       []Part // each fund once
	All         bool   // everything that is left; Parts is empty
	Reason      Reason
	Note        string
	Submission  uuid.UUID // one-time id of the form
	RequestedBy uuid.UUID // a staff member
	Approval    *Approval // nil: nobody approved it
}

// Order is a row of refund_order with its parts.
type Order struct {
	ID          uuid.UUID      `db:"id"`
	EntityID    uuid.UUID      `db:"entity_id"`
	DonationID  uuid.UUID      `db:"donation_id"`
	PaymentID   uuid.UUID      `db:"payment_id"`
	ChargeRef   string         `db:"charge_ref"`
	Currency    money.Currency `db:"currency"`
	AmountMinor int64          `db:"amount"`
	Reason      Reason         `db:"reason"`
	Note        string         `db:"note"`
	Submission  uuid.UUID      `db:"submission"`
	RequestedBy uuid.UUID      `db:"requested_by"`
	RequestID   *uuid.UUID     `db:"request_id"`
	OrderedAt   time.Time      `db:"ordered_at"`
	State       State          `db:"state"`
	Tries       int            `db:"tries"`
	RefundID    *string        `db:"stripe_refund_id"`
	Problem     *string        `db:"problem"`
	ChangedAt   time.Time      `db:"changed_at"`
	Parts       []Part         `db:"-"` // by fund
}

// Amount returns what is refunded in all.
func (o Order) Amount() money.Amount { return money.New(o.AmountMinor, o.Currency) }

// IdempotencyKey identifies a try for the processor.
func (o Order) IdempotencyKey() string { return fmt.Sprintf("refund:%s:%d", o.ID, o.Tries) }

// Job is the job that makes an order's refund at the processor, or asks how it stands.
type Job struct {
	OrderID uuid.UUID `json:"order_id"`
}

// Kind returns the job's kind in river_job.
func (Job) Kind() string { return "refund_order" }

// Queue returns the queue in which the job waits.
func (Job) Queue() jobs.QueueName { return jobs.Office }

// Body returns what a passkey signs or a second person approves, as the database writes it in refund_order_body:
// entity, payment, amount, each part, reason, who requests it, the form, and the hash of the note. The note itself may
// name the donor, and an erasure empties it. ReadBody reads it.
func Body(r Request, payment uuid.UUID, c money.Currency, parts []Part) string {
	lines := []string{"refund", "entity " + r.EntityID.String(), "payment " + payment.String(), fmt.Sprintf("amount %d %s", total(parts), c)}
	for _, p := range sorted(parts) {
		lines = append(lines, fmt.Sprintf("part %s %d", p.FundID, p.Amount))
	}
	lines = append(lines, "reason "+string(r.Reason), "requested by "+r.RequestedBy.String(), "form "+r.Submission.String(),
		fmt.Sprintf("note sha256 %x", sha256.Sum256([]byte(r.note()))))
	return strings.Join(lines, "\n")
}

// sorted returns parts in the order of their funds.
func sorted(parts []Part) []Part {
	parts = slices.Clone(parts)
	slices.SortFunc(parts, func(a, b Part) int { return strings.Compare(a.FundID.String(), b.FundID.String()) })
	return parts
}

func total(parts []Part) (sum int64) {
	for _, p := range parts {
		sum += p.Amount
	}
	return sum
}
