// Package refundcall has the words in which staff's orders of refunds (package office/refund), the books
// (settlement) and the adapter of a payment processor (stripepay) speak about a refund at the processor. It
// decides nothing, stores nothing and calls nobody.
package refundcall

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
)

// Status is where a refund stands at the processor.
type Status string

// The statuses. A refund that succeeded may fail weeks later.
const (
	Pending   Status = "pending" // it waits for money on the balance, or for the donor's bank
	Succeeded Status = "succeeded"
	Failed    Status = "failed" // also canceled
)

// Refund is a refund as the processor has it.
type Refund struct {
	ID      string
	Order   string // the order that asked for it; empty: none
	Amount  money.Amount
	Status  Status
	Problem string // the processor's code, if it failed
	Debited bool   // it was taken from the balance, and the books have it or will; one that failed came back
}

// Card is a card as its holder knows it. Of a bank account both fields are empty.
type Card struct {
	Brand string // the processor's word: visa, mastercard, amex …
	Last4 string
}

// Request asks for a refund of a part of a charge.
type Request struct {
	Entity string // slug
	Charge string
	Order  uuid.UUID
	Amount money.Amount
	Reason Reason
	Key    string // of idempotency: the processor makes one refund for it
}

// Reason is why a charge is refunded, in the processor's words.
type Reason string

// The reasons. Fraudulent also tells the processor to block the card.
const (
	Duplicate  Reason = "duplicate"
	Fraudulent Reason = "fraudulent"
	Requested  Reason = "requested_by_customer"
)

// RefusedError is the error that the processor made no refund, and will make none for the same request.
type RefusedError struct{ Code string }

// Error is part of error.
func (e RefusedError) Error() string {
	return fmt.Sprintf("the processor refuses the refund: %s", e.Code)
}

// ErrKeySpent is the error that the processor failed and repeats its failure to this key. The refund may have been
// made: look for it, and if there is none, ask with another key.
var ErrKeySpent = errors.New("refundcall: the processor answers this key with its earlier failure")

// Booked is a refund that the balance of the processor shows.
type Booked struct {
	EntityID              uuid.UUID
	Refund, Charge, Order string // Order: as in Refund
	Amount                money.Amount
}

// Orders are the refunds that staff ordered, for the books.
type Orders interface {
	// PartsTx returns the amount that staff ordered to refund from each fund, in minor units; nil if nobody
	// ordered this refund.
	PartsTx(ctx context.Context, tx *sqlx.Tx, b Booked) (map[uuid.UUID]int64, error)
	// FailedTx records that a refund came back. It does nothing if nobody ordered it.
	FailedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, refund string) error
}
