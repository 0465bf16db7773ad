package donation

import (
	"cmp"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/receipt"
	"konbit/internal/platform/money"
)

// IncomingPayment is the fact that money was received, as the payment processor or a member of staff reports it.
type IncomingPayment struct {
	EntityID   uuid.UUID
	Method     payment.Method // empty: payment.Card
	DonationID uuid.UUID      // uuid.Nil if it names no donation of ours
	Amount     money.Amount
	ReceivedAt time.Time // its day in the entity's time zone dates the journal entry
	Cause      string    // the event that reported it

	// With a processor.
	ChargeRef string   // the processor's id of the charge
	IntentRef string   // the processor's id of the payment intent; empty for a charge made without one
	Invoice   *Invoice // the invoice it paid; nil for a donation given once
	Unmarked  bool     // its metadata has no key of ours
	Marks     []string // what its metadata says of where it came from, if Unmarked: "metadata KEY"

	// Without a processor.
	PaymentID uuid.UUID      // chosen by the caller; the same id again is the same payment
	Account   ledger.Account // debited; empty: Method.Account
	Bank      string         // slug of the bank account, if it is debited to 1100
	TaxDate   ledger.Date    // decides the receipt's date and year (a check: the postmark); zero: the day of ReceivedAt

	// What the receipt says besides the amount.
	Described string            // shares, or a thing: in place of a value; empty: money was given
	InReturn  *receipt.InReturn // what the donor got in return; nil: nothing
	Replaces  *receipt.Replaced // the receipt of another gift, which this one corrects; nil: none

	instalment *receipt.Instalment // which of its plan's payments it is; nil: none
	rejected   RejectReason        // why its plan does not accept it
}

// Invoice is an invoice of a plan.
type Invoice struct {
	ID             string
	Known          bool      // the fields below are filled in
	PlanID         uuid.UUID // uuid.Nil: no plan of ours
	SubscriptionID string
	CustomerID     string
	First          bool // the plan began with it
	CreatedAt      time.Time
	Marks          []string // what it is about: "product ID"
}

// method returns the payment's method.
func (p IncomingPayment) method() payment.Method { return cmp.Or(p.Method, payment.Card) }

// key returns the id by which the books know the payment: one payment is booked once.
//
//	with a processor     its payment intent, or its charge if it has none
//	without a processor  the payment's id
func (p IncomingPayment) key() string {
	if !p.method().HasProcessor() {
		return p.PaymentID.String()
	}
	return cmp.Or(p.IntentRef, p.ChargeRef)
}

// subject returns the object that messages and status changes name: the charge, or the payment's id if it has none.
func (p IncomingPayment) subject() string { return cmp.Or(p.ChargeRef, p.PaymentID.String()) }

// account returns the account that the payment is debited to.
func (p IncomingPayment) account() ledger.Account { return cmp.Or(p.Account, p.method().Account()) }

// taxDate returns the day that decides the receipt's date and year.
func (p IncomingPayment) taxDate(e org.LegalEntity) ledger.Date {
	return cmp.Or(p.TaxDate, ledger.DateOf(p.ReceivedAt, e.Location()))
}

// stored returns the payment's row. donation is nil if the payment is no donation's.
func (p IncomingPayment) stored(id uuid.UUID, donation *uuid.UUID, status payment.Status, now time.Time) payment.Payment {
	row := payment.Payment{
		ID: id, EntityID: p.EntityID, DonationID: donation, Method: p.method(), AssetAccount: p.account(),
		AmountMinor: p.Amount.Minor, Currency: p.Amount.Currency, ReceivedAt: p.ReceivedAt, Status: status, CreatedAt: now,
	}
	if p.method().HasProcessor() {
		row.Processor, row.ChargeRef, row.IntentRef = payment.Stripe, p.ChargeRef, p.key()
	} else {
		row.ID = p.PaymentID
	}
	return row
}
