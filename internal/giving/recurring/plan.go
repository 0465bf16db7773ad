package recurring

import (
	"slices"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
)

// Status is where a plan stands; see the package's drawing.
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

// Over tells whether nothing more is charged.
func (s Status) IsEnded() bool { return s == Finished || s == Cancelled || s == Failed }

// Goes tells whether the plan has begun and is not over.
func (s Status) IsRunning() bool { return s == Active || s == Paused }

// Plan is a recurring gift as its row has it.
type Plan struct {
	ID             uuid.UUID     `db:"id"` // and its first gift's
	EntityID       uuid.UUID     `db:"entity_id"`
	OrganisationID uuid.UUID     `db:"organisation_id"`
	DonorID        uuid.UUID     `db:"donor_id"`
	PublicRef      string        `db:"public_ref"` // 128 random bits; names the plan in addresses
	Status         Status        `db:"status"`
	Frequency      org.Frequency `db:"frequency"`
	AmountMinor    int64         `db:"amount"` // charged each time
	CoveredMinor   int64         `db:"covered"`
	Currency       string        `db:"currency"`
	Language       string        `db:"language"`
	Total          *int          `db:"total"` // payments in all; nil: until the donor stops
	Paid           int           `db:"paid"`
	Terms          int           `db:"terms"`
	CustomerID     *string       `db:"customer_id"`
	SubscriptionID *string       `db:"subscription_id"`
	ScheduleID     *string       `db:"schedule_id"`
	PhaseStart     *time.Time    `db:"phase_start"`
	Iterations     int           `db:"iterations"`
	CardBrand      *string       `db:"card_brand"`
	CardLast4      *string       `db:"card_last4"`
	CardExpires    *time.Time    `db:"card_expires"` // the first day it is no longer good
	NextAt         *time.Time    `db:"next_at"`      // of the next charge; nil: none
	PausedUntil    *time.Time    `db:"paused_until"`
	FailingSince   *time.Time    `db:"failing_since"` // the last bill was not paid
	FailingCode    *string       `db:"failing_code"`  // why, in Stripe's word
	FailingInvoice *string       `db:"failing_invoice"`
	SyncDue        *time.Time    `db:"look_due"`
	AnchorDay      int           `db:"anchor_day"` // of the month, UTC: of its charges, in months that have it; 0: not known
	CreatedAt      time.Time     `db:"created_at"`
	BegunAt        *time.Time    `db:"begun_at"`
	EndedAt        *time.Time    `db:"ended_at"`
}

// Amount is what is charged each time, all of it a gift.
func (p Plan) Amount() money.Amount { return money.New(p.AmountMinor, money.Currency(p.Currency)) }

// Covered is the part of Amount that was added to cover the processing fee.
func (p Plan) Covered() money.Amount { return money.New(p.CoveredMinor, money.Currency(p.Currency)) }

// Given is Amount without Covered.
func (p Plan) Given() money.Amount {
	return money.New(p.AmountMinor-p.CoveredMinor, money.Currency(p.Currency))
}

// Left is how many payments are still to come; false: nobody knows.
func (p Plan) Remaining() (int, bool) {
	if p.Total == nil {
		return 0, false
	}
	return *p.Total - p.Paid, true
}

// LastAt is when the last payment is due if every one from the next on is paid in time; nil: nobody knows, or none is due.
func (p Plan) LastAt() *time.Time {
	left, known := p.Remaining()
	if !known || left < 1 || p.NextAt == nil {
		return nil
	}
	last := p.dateAfter(*p.NextAt, left-1)
	return &last
}

// step is the date of a charge so many periods after another, as Stripe counts: a short month has it on its last day, and the
// months after it on the plan's own day again.
func (p Plan) dateAfter(at time.Time, n int) time.Time {
	at = p.Frequency.Step(at, n)
	if p.Frequency == org.Weekly || p.AnchorDay <= at.Day() {
		return at
	}
	end := time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return at.AddDate(0, 0, min(p.AnchorDay, end)-at.Day())
}

// hopeless lists the refusals that no later try will change: the card or account is gone, or was never good
// (https://docs.stripe.com/declines/codes, https://docs.stripe.com/payments/ach-direct-debit#failures).
var permanentDeclines = []string{
	"lost_card", "stolen_card", "pickup_card", "restricted_card", "security_violation", "incorrect_number", "invalid_account",
	"account_closed", "bank_account_closed", "no_account", "account_frozen", "debit_not_authorized", "revocation_of_authorization",
	"revocation_of_all_authorizations", "stop_payment_order", "new_account_information_available",
}

// Hopeless tells whether a refusal will be the same at every later try.
func IsPermanentDecline(code string) bool { return slices.Contains(permanentDeclines, code) }

// slack is how far two dates of the same charge may lie apart: by a clock that is set forward or back, and by the time of a payment page.
const dateTolerance = 12 * time.Hour

// iterations is how long a schedule must be so that the payments still to come have a period each: the periods since it began,
// the one under way included, and one more for each payment to come. pending: the bill of the period under way may still be paid.
func (p Plan) scheduleLength(phaseStart, periodEnd time.Time, pending bool) int {
	elapsed := 0
	for p.dateAfter(phaseStart, elapsed).Before(periodEnd.Add(-dateTolerance)) {
		elapsed++
	}
	left := *p.Total - p.Paid
	if pending {
		left--
	}
	return elapsed + max(left, 0)
}

// resumed is the first charge after a pause ends, next being one of the plan's dates.
func (p Plan) chargeAfterPause(next, until time.Time) time.Time {
	for n := 0; ; n++ {
		if at := p.dateAfter(next, n); !at.Before(until) {
			return at
		}
	}
}
