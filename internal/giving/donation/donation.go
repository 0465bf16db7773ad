package donation

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Status is the status of a donation; see the drawing in the package's documentation. Its values stand in
// donation.status.
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

// Paid reports whether money was taken, so that submitting the form again must not take more.
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

// GivenBy is who gives, where that decides that the donor gets a letter of thanks and no receipt: the gift was deducted, or
// is tax-free, elsewhere. Its values stand in donation.given_by.
type GivenBy string

// Who gives. All others get a receipt.
const (
	DonorAdvisedFund GivenBy = "daf"
	Foundation       GivenBy = "foundation"
	EmployerMatch    GivenBy = "employer_match"
)

// HasReceipt reports whether the donor of a gift gets a receipt.
func (g GivenBy) HasReceipt() bool { return g == "" }

// Donation is a donation's row.
type Donation struct {
	ID              uuid.UUID    `db:"id"`
	EntityID        uuid.UUID    `db:"entity_id"`
	OrganisationID  uuid.UUID    `db:"organisation_id"`
	DonorID         uuid.UUID    `db:"donor_id"`
	PublicRef       string       `db:"public_ref"` // 128 random bits; identifies the donation in links
	Status          Status       `db:"status"`
	Frequency       string       `db:"frequency"`
	AmountMinor     int64        `db:"amount"`  // charged
	CoveredMinor    int64        `db:"covered"` // the part of amount that was added to cover the processing fee
	Currency        string       `db:"currency"`
	Language        string       `db:"language"`
	Anonymous       bool         `db:"anonymous"`
	News            bool         `db:"news"`
	CreatedAt       time.Time    `db:"created_at"`
	PaymentIntentID *string      `db:"payment_intent_id"`
	ChargeID        *string      `db:"charge_id"`
	ChargedAt       *time.Time   `db:"charged_at"`
	SettledAt       *time.Time   `db:"settled_at"`
	TaxDate         *ledger.Date `db:"tax_date"`
	Source          Source       `db:"source"`
	PlanID          *uuid.UUID   `db:"plan_id"`
	GivenBy         GivenBy      `db:"given_by"`
}

// Amount returns what the donor pays. The whole amount is a gift, the covered fee included.
func (d Donation) Amount() money.Amount {
	return money.New(d.AmountMinor, money.Currency(d.Currency))
}

// Covered returns the part of Amount that was added to cover the processing fee.
func (d Donation) Covered() money.Amount {
	return money.New(d.CoveredMinor, money.Currency(d.Currency))
}

// Given returns Amount without Covered: the amount that the donor chose.
func (d Donation) Given() money.Amount {
	return money.New(d.AmountMinor-d.CoveredMinor, money.Currency(d.Currency))
}
