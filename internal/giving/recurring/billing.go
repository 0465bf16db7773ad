package recurring

import (
	"context"
	"time"

	"konbit/internal/books/org"
)

// Billing is what is asked of Stripe for plans; stripepay does it. Every call may be made again: it looks before it makes
// anything, and its key names the request. An answer that cannot be had is fault.Unavailable; a refusal that will not pass is any
// other error.
type Billing interface {
	// Read reads a subscription as it is now.
	ReadSubscription(ctx context.Context, entity, subscription string) (RemoteSubscription, error)
	// PaidBills lists the bills of a subscription that were paid, by their ids.
	PaidInvoices(ctx context.Context, entity, subscription string) ([]string, error)
	// Schedule makes sure that the subscription has a schedule and that it ends after iterations periods. iterations is asked
	// for when the schedule's beginning is known; zero leaves it as it is. No schedule: the subscription's first whole period is to come.
	Schedule(ctx context.Context, o Target, iterations func(phaseStart, periodEnd time.Time) int) (Schedule, error)
	// End ends the subscription now, whatever schedule it has, without a last bill.
	End(ctx context.Context, o Target) error
	// Pause makes the bills until a moment void; Resume ends that, and answers when the next charge is.
	Pause(ctx context.Context, o Target, until time.Time) error
	Resume(ctx context.Context, o Target) (next time.Time, err error)
	// Change has the subscription charge another amount, at another pace or from another date on. Nothing is charged now.
	Change(ctx context.Context, o Target, to ChargeTerms) error
	// Rest ends the tries to collect a bill. Pay tries once more; false: refused.
	StopCollection(ctx context.Context, o Target, invoice string) error
	RetryPayment(ctx context.Context, o Target, invoice string) (bool, error)
	// Refund gives a charge back whole.
	Refund(ctx context.Context, o Target, charge string) error
	// UseCard has the subscription charge a customer's newest card, and answers it; nil: the customer has none.
	UseNewestPaymentMethod(ctx context.Context, o Target, customer string) (*PaymentMethod, error)
	// Leave ends a subscription, so that its plan goes on under another one, and takes over the bill that was not paid: nobody
	// at Stripe collects it any more. It answers the same however often it is asked with that mark.
	Detach(ctx context.Context, o Target, mark string) (DetachedSubscription, error)
	// Begin makes a subscription that charges first on a date; the one it made before with the same mark, if it did.
	StartSubscription(ctx context.Context, o Target, b NewSubscription) (StartedSubscription, error)
	// Collect charges a customer's card for a bill that was taken over, unless it was. paid: it is, or on its way; code: why not.
	Collect(ctx context.Context, o Target, c Collection) (paid bool, code string, err error)
	// Portal makes a page of Stripe's where a customer gives a new card, and answers its address.
	PaymentMethodPage(ctx context.Context, entity, customer, language, back string) (string, error)
}

// Order names a plan's subscription at Stripe.
type Target struct {
	Entity       string // slug
	Subscription string
	Key          string // the request's: the same for the same try
}

// Charging is what a subscription charges.
type ChargeTerms struct {
	AmountMinor     int64
	Currency        string
	Frequency       org.Frequency
	Next            *time.Time // the next charge; nil: as it was
	IntervalChanged bool       // the pace is another than before
}

// Schedule is a subscription's schedule.
type Schedule struct {
	ID         string
	PhaseStart time.Time
	Iterations int
}

// Left is what is to be known of a subscription that was left.
type DetachedSubscription struct {
	InFlight    bool // its bill is being paid: it was not left yet
	PeriodEnd   time.Time
	AnchorDay   int // of the month, UTC
	Product     string
	Metadata    map[string]string
	Outstanding *OutstandingInvoice // nil: everything was paid
}

// Owed is a bill that was taken over.
type OutstandingInvoice struct {
	ID        string
	CreatedAt time.Time
}

// Beginning is a subscription to make.
type NewSubscription struct {
	ChargeTerms   // Next is the first charge
	Mark          string
	Customer      string
	PaymentMethod string
	Product       string
	Metadata      map[string]string
	AnchorDay     int
}

// Begun is a subscription that was made.
type StartedSubscription struct {
	Subscription  string
	PaymentMethod *PaymentMethod
}

// Collection is a bill to charge for.
type Collection struct {
	Customer    string
	PlanID      string
	Invoice     string
	AmountMinor int64
	Currency    string
}

// Card is a card as far as anybody may know it.
type PaymentMethod struct {
	ID       string // Stripe's id
	Brand    string // visa; empty for a bank account
	Last4    string
	Month    int
	Year     int
	Customer string
}

// Standing is a subscription as Stripe has it.
type RemoteSubscription struct {
	AnchorDay     int    // of the month, UTC, that the charges are on
	Status        string // Stripe's: incomplete, incomplete_expired, trialing, active, past_due, unpaid, canceled, paused
	CustomerID    string
	ScheduleID    string // empty: none
	PeriodEnd     time.Time
	PausedUntil   *time.Time // nil: until it is resumed, if Paused
	Paused        bool
	GivenUp       bool // canceled because payments failed
	PaymentMethod *PaymentMethod
	LatestInvoice *Invoice // the latest

	paidInvoices []string // bills, read where the plan has counted fewer payments than it has had periods
}

// Bill is a subscription's latest invoice.
type Invoice struct {
	ID          string
	Status      string // draft, open, paid, void, uncollectible
	Attempts    int64
	WillRetry   bool // Stripe will try again by itself
	AmountMinor int64
	InFlight    bool   // a bank is at it, for days
	Code        string // why the last try failed
}

// pending tells whether a bill may still be paid without anybody's doing.
func (b *Invoice) isPending() bool {
	return b != nil && (b.Status == "draft" || b.Status == "open" && (b.Attempts == 0 || b.InFlight))
}
