package payment

import (
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/money"
)

// Method is how the donor paid. Its values stand in payment.method.
type Method string

// The methods.
const (
	Card             Method = "card"
	BankDebit        Method = "bank_debit"
	Check            Method = "check"
	Cash             Method = "cash"
	BankTransfer     Method = "bank_transfer"
	Stock            Method = "stock"
	DonorAdvisedFund Method = "donor_advised_fund"
	InKind           Method = "in_kind"
	OfSuspense       Method = "suspense" // it was in suspense, and two persons made it a gift
)

// Methods lists all methods.
var Methods = []Method{Card, BankDebit, Check, Cash, BankTransfer, Stock, DonorAdvisedFund, InKind, OfSuspense}

// Stripe is the payment processor. Its name stands in payment.processor.
const Stripe = "stripe"

// rules lists for each method:
//   - processor: the money comes through a payment processor, which knows it by a charge;
//   - account: the account debited when the payment is booked. A donor-advised fund pays by check unless the caller
//     names another account. A gift in kind is used when it is received: it is an expense. Money that was in suspense is
//     at the processor unless the caller says where.
var rules = map[Method]struct {
	processor bool
	account   ledger.Account
}{
	Card:             {true, ledger.StripeClearing},
	BankDebit:        {true, ledger.StripeClearing},
	Check:            {false, ledger.UndepositedChecks},
	Cash:             {false, ledger.UndepositedChecks},
	BankTransfer:     {false, ledger.Bank},
	Stock:            {false, ledger.Securities},
	DonorAdvisedFund: {false, ledger.UndepositedChecks},
	InKind:           {false, ledger.InKindUsed},
	OfSuspense:       {false, ledger.StripeClearing},
}

// IsValid reports whether m is one of Methods.
func (m Method) IsValid() bool { return rules[m].account != "" }

// HasProcessor reports whether payments of the method come through a payment processor. Those that do not have no
// charge, no processing fee and no payout.
func (m Method) HasProcessor() bool { return rules[m].processor }

// Account returns the account that a payment of the method is debited to.
func (m Method) Account() ledger.Account { return rules[m].account }

// Status says whether a payment settled a donation. Its values stand in payment.status.
type Status string

// The statuses.
const (
	Settled  Status = "settled"
	Suspense Status = "suspense"
)

// Payment is a booked payment.
type Payment struct {
	ID           uuid.UUID      `db:"id"`
	EntityID     uuid.UUID      `db:"entity_id"`
	DonationID   *uuid.UUID     `db:"donation_id"` // nil: it is no donation's
	Method       Method         `db:"method"`
	Processor    string         `db:"processor"`  // empty: it came without one
	ChargeRef    string         `db:"charge_ref"` // the processor's id of the charge; empty without a processor
	IntentRef    string         `db:"intent_ref"` // the processor's id of the payment intent, or of the charge if it has none
	AssetAccount ledger.Account `db:"asset_account"`
	AmountMinor  int64          `db:"amount"` // in minor units
	Currency     money.Currency `db:"currency"`
	ReceivedAt   time.Time      `db:"received_at"`
	Status       Status         `db:"status"`
	CreatedAt    time.Time      `db:"created_at"`
}

// Amount returns what was paid.
func (p Payment) Amount() money.Amount { return money.New(p.AmountMinor, p.Currency) }

// Ref returns the id by which refunds and disputes name the payment: its charge, or its own id if it has none.
func (p Payment) Ref() string {
	if p.ChargeRef == "" {
		return p.ID.String()
	}
	return p.ChargeRef
}
