package plan

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/platform/money"
)

// Status is the status of a plan; see the drawing in the package documentation.
type Status string

// The statuses.
const (
	Started   Status = "started"
	Active    Status = "active"
	Paused    Status = "paused"
	Finished  Status = "finished"
	Cancelled Status = "cancelled"
	Failed    Status = "failed"
)

// IsEnded reports whether the plan makes no more charges.
func (s Status) IsEnded() bool { return s == Finished || s == Cancelled || s == Failed }

// IsRunning reports whether the first payment was made and the plan has not ended.
func (s Status) IsRunning() bool { return s == Active || s == Paused }

// Cause says why a plan ended. Only what is known is said to a donor.
type Cause string

// The causes.
const (
	Completed  Cause = "completed"  // all N payments were made
	Asked      Cause = "asked"      // the donor asked for it
	Unpaid     Cause = "unpaid"     // the first payment was never made, or Stripe gave up collecting
	Disputed   Cause = "disputed"   // the donor's bank took a payment back
	AtStripe   Cause = "at_stripe"  // its subscription or customer was ended or deleted at Stripe; nobody here knows why
	Unexpected Cause = "unexpected" // the first payment was not what the form asked for
)

// Plan is a row of table plan. Amounts are in minor units.
type Plan struct {
	ID             uuid.UUID     `db:"id"` // also the id of its first donation
	EntityID       uuid.UUID     `db:"entity_id"`
	OrganisationID uuid.UUID     `db:"organisation_id"`
	DonorID        uuid.UUID     `db:"donor_id"`
	PublicRef      string        `db:"public_ref"` // 128 random bits; identifies the plan in links
	Status         Status        `db:"status"`
	Frequency      org.Frequency `db:"frequency"`
	AmountMinor    int64         `db:"amount"`     // of each charge
	CoveredMinor   int64         `db:"covered"`    // the part of amount that covers the processing fee
	DiscountedTo   *int64        `db:"discounted"` // next charge, if a discount at Stripe lowers it; nil: amount
	Currency       string        `db:"currency"`
	Language       string        `db:"language"`
	Total          *int          `db:"total"` // number of payments; nil: until the donor stops
	Paid           int           `db:"paid"`  // payments so far
	Terms          int           `db:"terms"` // the current version of the terms
	CustomerID     *string       `db:"customer_id"`
	SubscriptionID *string       `db:"subscription_id"`
	ScheduleID     *string       `db:"schedule_id"`
	PhaseStart     *time.Time    `db:"phase_start"`    // start of the schedule
	Iterations     int           `db:"iterations"`     // length of the schedule in periods
	CardBrand      *string       `db:"card_brand"`     // or the type of another payment method, such as link
	CardLast4      *string       `db:"card_last4"`     // nil: it has no digits, or they are not known
	CardExpires    *time.Time    `db:"card_expires"`   // first day on which the card is no longer valid
	NextAt         *time.Time    `db:"next_at"`        // next charge; nil: none
	PausedUntil    *time.Time    `db:"paused_until"`   // nil: until it is resumed, if Paused
	EndsAt         *time.Time    `db:"ends_at"`        // when the subscription ends, if that was set at Stripe; nothing is charged from then on
	DisputedSince  *time.Time    `db:"disputed_since"` // since when the donor's bank disputes a payment; nil: it disputes none
	FailingSince   *time.Time    `db:"failing_since"`  // since when the latest invoice is unpaid; nil: it is paid
	FailingCode    *string       `db:"failing_code"`   // Stripe's decline code
	FailingInvoice *string       `db:"failing_invoice"`
	SyncDue        *time.Time    `db:"look_due"`   // since when a sync is scheduled; nil: none is
	AnchorDay      int           `db:"anchor_day"` // day of the month, UTC, of the charges, in months that have it; 0: not known
	CreatedAt      time.Time     `db:"created_at"`
	BegunAt        *time.Time    `db:"begun_at"` // first payment
	EndedAt        *time.Time    `db:"ended_at"`
	EndedBecause   *Cause        `db:"ended_because"` // nil: it has not ended, or a program of an earlier release ended it
}

// Amount returns the amount of each charge.
func (p Plan) Amount() money.Amount { return money.New(p.AmountMinor, money.Currency(p.Currency)) }

// NextCharge returns what the next charge comes to, with a discount at Stripe if there is one.
func (p Plan) NextCharge() money.Amount {
	if p.DiscountedTo != nil {
		return money.New(*p.DiscountedTo, money.Currency(p.Currency))
	}
	return p.Amount()
}

// Covered returns the part of Amount that the donor added to cover the processing fee.
func (p Plan) Covered() money.Amount { return money.New(p.CoveredMinor, money.Currency(p.Currency)) }

// Given returns Amount without Covered.
func (p Plan) Given() money.Amount {
	return money.New(p.AmountMinor-p.CoveredMinor, money.Currency(p.Currency))
}

// Remaining returns how many payments are still to be made; false if the plan has no end.
func (p Plan) Remaining() (int, bool) {
	if p.Total == nil {
		return 0, false
	}
	return *p.Total - p.Paid, true
}

// SetPaymentMethod records what is charged. A method without digits, such as Link, takes the place of a card too: the card
// is no longer charged, so no email is sent about its expiry.
func (p *Plan) SetPaymentMethod(c billing.PaymentMethod) {
	p.CardBrand, p.CardLast4, p.CardExpires = nil, nil, nil
	if c.Brand+c.Last4 != "" {
		p.CardBrand = &c.Brand
	}
	if c.Last4 != "" {
		p.CardLast4 = &c.Last4
	}
	if c.Year > 0 {
		end := time.Date(c.Year, time.Month(c.Month)+1, 1, 0, 0, 0, 0, time.UTC)
		p.CardExpires = &end
	}
}

// PaymentSucceeded clears what the plan records about an unpaid invoice.
func (p *Plan) PaymentSucceeded() { p.FailingSince, p.FailingCode, p.FailingInvoice = nil, nil, nil }

// PaymentFailed records an unpaid invoice. The time of the first failure stays.
func (p *Plan) PaymentFailed(invoiceID, code string, now time.Time) {
	if p.FailingSince == nil {
		p.FailingSince = &now
	}
	p.FailingCode, p.FailingInvoice = &code, &invoiceID
}

// End ends the plan. because is what is known for certain.
func (p *Plan) End(status Status, because Cause, now time.Time) {
	p.Status, p.EndedBecause, p.EndedAt = status, &because, &now
	p.NextAt, p.PausedUntil, p.EndsAt, p.DisputedSince = nil, nil, nil, nil
}

// ForgetSchedule removes the schedule, which is created again after the next payment.
func (p *Plan) ForgetSchedule() { p.ScheduleID, p.PhaseStart, p.Iterations = nil, nil, 0 }

// CountPayment counts the payment of an invoice. created is when the invoice was created, at when the payment was
// received. The next charge is estimated until the subscription is read.
func (p *Plan) CountPayment(invoiceID string, created, at time.Time) {
	p.Paid++
	if p.Status == Started {
		p.Status, p.BegunAt = Active, &at
	}
	if p.FailingInvoice != nil && *p.FailingInvoice == invoiceID {
		p.PaymentSucceeded()
	}
	if p.NextAt == nil || !p.NextAt.After(at) {
		p.SetNext(p.Frequency.Due(created, 1))
	}
	if p.EndedAt != nil {
		p.NextAt = nil
	}
}

// NeedsSchedule reports whether a plan of N payments lost its schedule by a change of dates or a migration.
func (p *Plan) NeedsSchedule() bool {
	return p.Total != nil && p.EndsAt == nil && p.Paid > 1 && p.Paid < *p.Total && p.ScheduleID == nil && p.SubscriptionID != nil
}

// IDs returns the plans' ids.
func IDs(plans []Plan) []uuid.UUID {
	ids := make([]uuid.UUID, len(plans))
	for i, p := range plans {
		ids[i] = p.ID
	}
	return ids
}
