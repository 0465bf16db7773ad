package billing

import (
	"time"

	"konbit/internal/books/org"
)

// RemoteSubscription is the state of a subscription at Stripe.
type RemoteSubscription struct {
	AnchorDay     int    // day of the month, UTC, of the charges
	Status        string // Stripe's: incomplete, incomplete_expired, trialing, active, past_due, unpaid, canceled, paused
	CustomerID    string
	ScheduleID    string        // empty: none
	AmountMinor   int64         // of each charge, in minor units: the sum of its items
	Discounted    *int64        // what the next charge comes to, if a discount lowers it; nil: AmountMinor
	Currency      string        // ISO 4217, such as USD
	Frequency     org.Frequency // empty: one that no plan has, such as every two months
	PeriodEnd     time.Time
	EndsAt        *time.Time // when it is canceled; nil: no date is set
	PausedUntil   *time.Time // nil: until it is resumed, if Paused
	Paused        bool
	EndReason     EndReason // why it was canceled
	PaymentMethod *PaymentMethod
	LatestInvoice *Invoice

	PaidInvoices  []string // ids of those that charges paid; read only if fewer payments are counted than there were periods
	PaidElsewhere int      // number of those over an amount that were paid without a charge; read at the same time
}

// EndReason says why a subscription was canceled, as far as Stripe knows; empty if it does not. Stripe cancels
// subscriptions by itself if the account's settings say so.
type EndReason string

// The reasons.
const (
	EndedUnpaid   EndReason = "unpaid"   // the retries to collect an invoice failed
	EndedDisputed EndReason = "disputed" // a payment was disputed
	EndedByCall   EndReason = "by_call"  // a person at the dashboard or a program ended it; Stripe does not say who
)

// Invoice is a subscription's latest invoice.
type Invoice struct {
	ID          string
	Status      string // draft, open, paid, void, uncollectible
	Attempts    int64
	WillRetry   bool   // Stripe retries automatically
	AmountMinor int64  // minor units
	InFlight    bool   // a bank debit is in progress, which takes days
	Code        string // decline code of the last attempt
	LeftOut     bool   // a draft that Stripe does not collect
	Uncharged   bool   // paid without a charge: outside Stripe, by the customer's credit, or over nothing
}

// IsPending reports whether the invoice can still be paid without any action.
func (i *Invoice) IsPending() bool {
	return i != nil && (i.Status == "draft" && !i.LeftOut || i.Status == "open" && (i.Attempts == 0 || i.InFlight))
}

// HasFailed reports whether the last attempt to collect the invoice failed.
func (i *Invoice) HasFailed() bool {
	return i != nil && !i.InFlight && (i.Status == "open" || i.Status == "uncollectible") && i.Attempts > 0
}

// AwaitsCharge reports whether a charge paid the invoice.
func (i *Invoice) AwaitsCharge() bool { return i != nil && i.Status == "paid" && !i.Uncharged }

// IsSettled reports whether nothing is to be collected any more.
func (i *Invoice) IsSettled() bool { return i != nil && (i.Status == "paid" || i.Status == "void") }
