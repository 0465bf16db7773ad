package event

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/guard"
	"konbit/internal/processor/dispute"
	"konbit/internal/processor/settlement"
)

// Source is what the adapter of a payment processor implements, so that a Worker applies the processor's stored events.
// The adapter owns the table of its events. It translates and decides nothing: what an event changes, and in which
// order, is decided here.
type Source interface {
	// ClaimDueTx locks and returns up to n events that are due and that no other transaction holds, the earliest due
	// first.
	ClaimDueTx(ctx context.Context, tx *sqlx.Tx, n int) ([]Event, error)
	// ClaimTx locks one event again. It returns false if the event is finished by now or another transaction holds it.
	ClaimTx(ctx context.Context, tx *sqlx.Tx, e Event) (bool, error)
	// FinishTx stores what became of events, one result for each. It sets an event aside at its MaxFailures-th failure,
	// wherever the earlier ones happened.
	FinishTx(ctx context.Context, tx *sqlx.Tx, events []Event, results []Result) error
	// Fetch reads at the processor what an event only hints at: it is called for an event whose facts the worker could
	// not apply as they are. It returns the zero Fact if there is nothing to apply yet. It runs outside any
	// transaction.
	Fetch(ctx context.Context, entity org.LegalEntity, e Event) (Fact, error)
	// RequestImportTx asks for an import of the entity's balance at the processor, which books movements of money.
	RequestImportTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID) error
}

// Event is an event of a processor, stored once and translated.
type Event struct {
	EntityID   uuid.UUID
	ID, Type   string // as the processor names them
	CreatedAt  time.Time
	Attempts   int   // earlier attempts that did not finish it; they pace the next one
	Failures   int   // those of them that failed
	Fact       Fact  // what it says
	Unreadable error // why it could not be translated; nil if it could
}

// Fact is what an event says, in terms that no processor owns. The zero Fact: nothing to do.
type Fact struct {
	Charge        *donation.IncomingPayment   // a charge succeeded
	Status        *donation.StatusUpdate      // a donation is processing, has failed or has expired
	Decline       *CardDecline                // a bank declined a card
	Expected      *ExpectedCharge             // a payment succeeded, so its charge is stored or will come; if it does not come, it is fetched
	Movement      *Movement                   // money moved after the charge, or between the processor and the bank
	Invoice       *donation.Invoice           // an invoice of a plan was created, paid, or could not be collected
	Subscription  *recurring.SubscriptionSeen // something happened to the subscription of a plan
	PaymentMethod *recurring.NewPaymentMethod // a customer chose another payment method
	CardChange    *recurring.CardChange       // a customer's payment method was changed, as by the bank that renewed a card
}

// IsEmpty reports whether there is nothing to do.
func (f Fact) IsEmpty() bool { return f == Fact{} }

// needsInvoice reports whether the fact names an invoice of which only the id is known.
func (f Fact) needsInvoice() bool { return f.Invoice != nil && !f.Invoice.Known }

// ownTransaction reports whether the event must be applied in a transaction of its own. A dispute that ends locks funds
// before receipts; everything else in a batch locks the other way round or one of them only.
func (f Fact) ownTransaction() bool { return f.Movement != nil && f.Movement.OfDispute }

// CardDecline is a card that a bank declined, and what it was to pay.
type CardDecline struct {
	guard.Failure
	InvoiceRef, CustomerRef string // ids at the processor; empty if there are none
}

// ExpectedCharge names a charge that must exist, since its payment succeeded.
type ExpectedCharge struct {
	DonationID uuid.UUID // uuid.Nil if the payment names no donation of ours
	IntentRef  string
	InvoiceRef string // the invoice that it pays; empty if none is known
	ChargeRef  string // set instead of IntentRef if the event names the charge and must not be trusted about it; then it is always fetched
}

// Movement names balance transactions. They are booked by the import of the balance, in the processor's own order.
type Movement struct {
	Transactions  []string                // those that the event names; the event is finished when they are booked
	RequestImport bool                    // it names none, and money moved all the same
	LostDispute   *settlement.LostDispute // a dispute was lost
	OfDispute     bool                    // the event is about a dispute
	Refetch       bool                    // the event must not be trusted about the dispute: read it first
	DisputeRef    string                  // the dispute to read
	Dispute       *plan.DisputeJob        // where a dispute stands; nil for an inquiry, which withdraws nothing
	Told          *dispute.Told           // the dispute as the processor shows it
}

// MaxFailures is the number of failed attempts after which an event is set aside. Waiting for another event is no
// failure.
const MaxFailures = 5

// State says where an event stands. The values are stored.
type State string

// The states in which an attempt leaves an event.
const (
	Done     State = "done"
	Parked   State = "parked"
	SetAside State = "set_aside"
)

// Result is what became of an event.
type Result struct {
	State  State
	Reason string        // why it is parked or set aside
	Delay  time.Duration // for a parked event: the time until the next attempt
	Failed bool          // the attempt counts as a failure
}

// WaitsForMoney is the reason of an event that is parked until the import has booked what it names.
const WaitsForMoney = "waits for its money to be booked"

func parked(reason string, delay time.Duration) Result {
	return Result{State: Parked, Reason: reason, Delay: delay}
}
