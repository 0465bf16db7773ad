package donation

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Status is where a gift stands; see the package's drawing.
type Status string

// The statuses.
const (
	Started     Status = "started"
	Processing  Status = "processing"
	Settled     Status = "settled"
	NeedsReview Status = "held"
	Failed      Status = "failed"
	Expired     Status = "expired"
)

// Paid tells whether money was taken: another press of the button must not take more.
func (s Status) Paid() bool { return s == Processing || s == Settled || s == NeedsReview }

// Source is where a donation comes from. Its values stand in donation.source.
type Source string

// The sources.
const (
	FromForm   Source = "form"   // the donation form, also the first payment of a plan
	FromPlan   Source = "plan"   // a later payment of a plan
	FromOffice Source = "office" // entered by staff
	FromImport Source = "import" // imported from a file
)

// Donation is a gift as its row has it.
type Donation struct {
	ID                uuid.UUID    `db:"id"`
	EntityID          uuid.UUID    `db:"entity_id"`
	OrganisationID    uuid.UUID    `db:"organisation_id"`
	DonorID           uuid.UUID    `db:"donor_id"`
	PublicRef         string       `db:"public_ref"` // 128 random bits; names the gift in addresses
	FormID            uuid.UUID    `db:"form_id"`
	FormHash          []byte       `db:"form_hash"`
	Status            Status       `db:"status"`
	Frequency         string       `db:"frequency"`
	AmountMinor       int64        `db:"amount"`  // charged
	CoveredMinor      int64        `db:"covered"` // of it, what was added to cover the processing fee
	Currency          string       `db:"currency"`
	Language          string       `db:"language"`
	Anonymous         bool         `db:"anonymous"`
	News              bool         `db:"news"`
	CreatedAt         time.Time    `db:"created_at"`
	CheckoutTry       int          `db:"checkout_try"`
	CheckoutExpiresAt time.Time    `db:"checkout_expires_at"`
	SessionID         *string      `db:"checkout_session_id"`
	SessionURL        *string      `db:"checkout_url"`
	PaymentIntentID   *string      `db:"payment_intent_id"`
	ChargeID          *string      `db:"charge_id"`
	ChargedAt         *time.Time   `db:"charged_at"`
	SettledAt         *time.Time   `db:"settled_at"`
	TaxDate           *ledger.Date `db:"tax_date"`
	Source            Source       `db:"source"`
	PlanID            *uuid.UUID   `db:"plan_id"`
}

// Amount is what the donor is charged, all of it a gift.
func (d Donation) Amount() money.Amount {
	return money.New(d.AmountMinor, money.Currency(d.Currency))
}

// Covered is the part of Amount that was added to cover the processing fee.
func (d Donation) Covered() money.Amount {
	return money.New(d.CoveredMinor, money.Currency(d.Currency))
}

// Given is Amount without Covered: the gift as the donor chose it.
func (d Donation) Given() money.Amount {
	return money.New(d.AmountMinor-d.CoveredMinor, money.Currency(d.Currency))
}

const (
	// sessionLife is how long a payment page can be paid on: Stripe's least is 30 minutes, and a short
	// life is one of Stripe's own counsels against card testing. The rest is for a slow start.
	sessionLifetime = 35 * time.Minute
	// slowStart is how long after the row a session may still be asked for with its expiry at least 30 minutes off.
	maxCreateDelay = 4 * time.Minute
)

// payable tells whether the gift's payment page can still be used, or still be made.
func (d Donation) payable(now time.Time) bool {
	if d.Status != Started {
		return false
	}
	if d.SessionID == nil {
		return now.Before(d.CreatedAt.Add(maxCreateDelay))
	}
	return now.Before(d.CheckoutExpiresAt)
}
