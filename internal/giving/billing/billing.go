package billing

import (
	"context"
	"errors"
	"time"

	"konbit/internal/books/org"
)

// Subscriptions is what plans need from a payment processor; stripepay implements it for Stripe. Every call can be
// repeated: it reads what exists before it creates anything, and its idempotency key identifies the request. The error
// is fault.Unavailable if Stripe cannot be reached, ErrWrongKey if the entity's key is not the right one; any other error
// is permanent.
type Subscriptions interface {
	// ReadSubscription returns the current state of a subscription.
	ReadSubscription(ctx context.Context, entity, subscription string) (RemoteSubscription, error)
	// PaidInvoices returns the ids of a subscription's invoices that charges paid, and the number of those that were paid
	// without a charge.
	PaidInvoices(ctx context.Context, entity, subscription string) (charged []string, elsewhere int, err error)
	// Schedule gives the subscription a schedule that ends after a number of periods. It calls length with the start of
	// the schedule and the end of the current period; length returns the number of periods, or 0 to leave the schedule
	// as it is. The returned Schedule has no ID if the subscription's first whole period has not started.
	Schedule(ctx context.Context, t Target, length func(phaseStart, periodEnd time.Time) int) (Schedule, error)
	// End ends the subscription and its schedule now, without a last invoice. It succeeds if the subscription does not
	// exist in its customer's account.
	End(ctx context.Context, t Target) error
	// Pause makes Stripe void the invoices until a time; nil: until the subscription is resumed. The latest invoice, if it
	// is unpaid, is not collected any more either, unless a bank is processing its payment. draft: that includes an
	// invoice whose first attempt has not been made yet.
	Pause(ctx context.Context, t Target, until *time.Time, draft bool) error
	// Hold is Pause without an end. The latest invoice is not collected any more, and stays open.
	Hold(ctx context.Context, t Target) error
	// Resume ends a pause and returns the time of the next charge.
	Resume(ctx context.Context, t Target) (next time.Time, err error)
	// Change changes the amount, the frequency or the dates of the next charges. It charges nothing now.
	Change(ctx context.Context, t Target, to ChargeTerms) error
	// StopCollection stops the retries to collect an invoice.
	StopCollection(ctx context.Context, t Target, invoice string) error
	// RetryPayment tries to collect an invoice again. It returns false if the payment was declined.
	RetryPayment(ctx context.Context, t Target, invoice string) (bool, error)
	// Refund refunds a charge completely.
	Refund(ctx context.Context, t Target, charge string) error
	// UseNewestPaymentMethod makes the subscription charge the customer's newest card, and returns the card; nil if
	// there is none.
	UseNewestPaymentMethod(ctx context.Context, t Target, customer string) (*PaymentMethod, error)
	// Detach ends a subscription whose plan continues under another one, and stops the collection of its unpaid
	// invoice. A repeat with the same mark returns the same.
	Detach(ctx context.Context, t Target, mark string) (DetachedSubscription, error)
	// StartSubscription creates a subscription with a first charge on a date. A repeat with the same mark returns the
	// one created before.
	StartSubscription(ctx context.Context, t Target, s NewSubscription) (StartedSubscription, error)
	// Collect charges a customer's card for an invoice of a detached subscription, unless it was charged before. paid
	// is true if the payment succeeded or is in progress; otherwise code is the decline code.
	Collect(ctx context.Context, t Target, c Collection) (paid bool, code string, err error)
	// PaymentMethodPage returns the address of a page at Stripe where a customer gives a new card. back is where it
	// leads afterwards.
	PaymentMethodPage(ctx context.Context, entity, customer, language, back string) (string, error)
	// ConfirmationPage returns the address of a page at Stripe where the donor confirms the payment of an invoice with
	// their bank; empty if the invoice is not open.
	ConfirmationPage(ctx context.Context, entity, invoice string) (string, error)
}

// ErrWrongKey: the processor does not accept the entity's key, or the key is of another account. A person has to set
// another key; then the same call succeeds.
var ErrWrongKey = errors.New("billing: the entity's key is not accepted, or is of another account")

// Target identifies a subscription for a call, and the attempt.
type Target struct {
	Entity       string // slug
	Subscription string
	Customer     string // whose it is
	Key          string // idempotency key
}

// ChargeTerms is what a subscription charges.
type ChargeTerms struct {
	AmountMinor     int64 // minor units
	Currency        string
	Frequency       org.Frequency
	Next            *time.Time // next charge; nil: unchanged
	IntervalChanged bool       // the frequency is another than before
}

// Schedule is a subscription's schedule.
type Schedule struct {
	ID         string
	PhaseStart time.Time
	Iterations int // length in periods
}

// DetachedSubscription is a subscription that was ended so that its plan continues under another one.
type DetachedSubscription struct {
	InFlight    bool // the latest invoice is being paid, so the subscription was not ended yet
	PeriodEnd   time.Time
	AnchorDay   int // day of the month, UTC
	Product     string
	Metadata    map[string]string
	Outstanding *OutstandingInvoice // nil: every invoice was paid
}

// OutstandingInvoice is an unpaid invoice that Stripe no longer collects.
type OutstandingInvoice struct {
	ID        string
	CreatedAt time.Time
}

// NewSubscription describes a subscription to create.
type NewSubscription struct {
	ChargeTerms          // Next is the first charge
	RequestID     string // stored in the subscription's metadata, so that a repeated call finds the subscription
	Customer      string
	PaymentMethod string
	Product       string
	Metadata      map[string]string
	AnchorDay     int // day of the month, UTC
}

// StartedSubscription is a subscription that was created.
type StartedSubscription struct {
	Subscription  string
	PaymentMethod *PaymentMethod
}

// Collection is a charge for an outstanding invoice.
type Collection struct {
	Customer    string
	PlanID      string
	Invoice     string
	AmountMinor int64 // minor units
	Currency    string
}

// PaymentMethod is what Konbit knows about a card or a bank account.
type PaymentMethod struct {
	ID       string // Stripe's id
	Brand    string // such as visa, or the type of a method without digits, such as link; empty for a bank account
	Last4    string // empty: it has none
	Month    int    // of expiry
	Year     int    // of expiry; 0 for a bank account
	Customer string
}
