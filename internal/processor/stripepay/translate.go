package stripepay

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/money"
	"konbit/internal/processor/settlement"
)

// event is a stored webhook.
type event struct {
	EntityID   uuid.UUID `db:"entity_id"`
	ID         string    `db:"id"`
	Type       string    `db:"type"`
	APIVersion string    `db:"api_version"`
	CreatedAt  time.Time `db:"created_at"`
	Payload    []byte    `db:"payload"`
	Tries      int       `db:"tries"`    // looks that did not finish it; paces the next one
	Failures   int       `db:"failures"` // of those, the ones that failed
}

// news is what an event tells us: at most one of its parts. None: nothing for us to do.
type eventEffect struct {
	charge  *donation.IncomingPayment // a charge succeeded
	status  *donation.StatusUpdate    // a gift is on its way, failed or ran out
	decline *cardDecline              // a bank refused a card
	// A payment succeeded, so the charge must be there or come; if it doesn't, it is to be fetched.
	expected      *expectedCharge
	movement      *movement                   // money moved after the charge, or between Stripe and the bank
	invoice       *donation.Invoice           // a plan's bill was made, paid, or not
	subscription  *recurring.SubscriptionSeen // something happened to a plan's subscription
	paymentMethod *recurring.NewPaymentMethod // a customer gave a new card
}

func (n eventEffect) isEmpty() bool { return n == eventEffect{} }

// unread tells of a bill that another API version told of: it must be read.
func (n eventEffect) needsInvoice() bool { return n.invoice != nil && !n.invoice.Known }

// moved tells of balance transactions; payout books them by Stripe's own list, in order.
type movement struct {
	transactions  []string                // those the event names; it is done when they are booked
	requestImport bool                    // it names none, and still money moved
	lostDispute   *settlement.LostDispute // a dispute was lost
	refetch       bool                    // another API version told it and its end matters: read object first
	disputeID     string                  // the dispute to read
}

type expectedCharge struct {
	donationID      uuid.UUID // uuid.Nil when it names no gift of ours
	paymentIntentID string
	invoiceID       string // the bill it pays; empty: none known
	chargeID        string // known instead of the payment intent when an event of another version told of a charge
}

// translateEvent reads an event. Of another API version only ids are believed; the object is fetched.
func translateEvent(e event) (eventEffect, error) {
	var envelope struct {
		Data struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(e.Payload, &envelope); err != nil {
		return eventEffect{}, fmt.Errorf("not an event: %w", err)
	}
	object := envelope.Data.Object
	if err := checkObject(e.Type, object); err != nil {
		return eventEffect{}, err
	}
	switch e.Type {
	case "charge.succeeded":
		return chargeEffect(e, object)
	case "charge.failed", "payment_intent.payment_failed":
		return declineEffect(e, object)
	case "payment_intent.succeeded":
		var intent stripe.PaymentIntent
		if err := json.Unmarshal(object, &intent); err != nil {
			return eventEffect{}, err
		}
		expect := &expectedCharge{donationID: giftID(intent.Metadata), paymentIntentID: intent.ID}
		if bill := intent.Metadata[metaInvoice]; bill != "" {
			expect.donationID, expect.invoiceID = uuid.Nil, bill
		} else if intent.Invoice != nil {
			expect.invoiceID = intent.Invoice.ID
		}
		return eventEffect{expected: expect}, nil
	case "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed", "checkout.session.expired":
		return sessionEffect(e, object)
	case "charge.refunded", "refund.created", "refund.updated", "charge.refund.updated",
		"payout.created", "payout.paid", "payout.failed", "payout.canceled":
		return movementEffect(object)
	case "charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn",
		"charge.dispute.funds_reinstated", "charge.dispute.closed":
		return disputeEffect(e, object)
	case "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
		"customer.subscription.paused", "customer.subscription.resumed":
		return subscriptionEffect(e, object)
	case "invoice.paid", "invoice.payment_failed", "invoice.voided", "invoice.marked_uncollectible":
		return invoiceEffect(e, object)
	case "customer.updated":
		return customerEffect(e, object)
	default:
		return eventEffect{}, nil
	}
}

// named refuses an event of a type we read whose object is none: it would tell nothing, and silently.
func checkObject(kind string, object json.RawMessage) error {
	if !slices.Contains(handledTypes, kind) {
		return nil
	}
	var o struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	if err := json.Unmarshal(object, &o); err != nil || o.ID == "" || o.Object == "" {
		return fmt.Errorf("its object has no id: %w", cmp.Or(err, errors.New("not an object")))
	}
	return nil
}

// movedNews reads which balance transactions a refund or payout names. A charge names none of its refunds'.
func movementEffect(object json.RawMessage) (eventEffect, error) {
	var named struct {
		Object      string          `json:"object"`
		Transaction *transactionRef `json:"balance_transaction"`
		Failure     *transactionRef `json:"failure_balance_transaction"`
	}
	if err := json.Unmarshal(object, &named); err != nil {
		return eventEffect{}, err
	}
	m := &movement{}
	for _, ref := range []*transactionRef{named.Transaction, named.Failure} {
		if ref != nil && named.Object != "charge" {
			m.transactions = append(m.transactions, ref.ID)
		}
	}
	m.requestImport = len(m.transactions) == 0
	return eventEffect{movement: m}, nil
}

// transactionRef is a balance transaction, or only its id.
type transactionRef struct{ ID string }

// UnmarshalJSON takes both forms.
func (r *transactionRef) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &r.ID); err == nil {
		return nil
	}
	var whole struct {
		ID string `json:"id"`
	}
	err := json.Unmarshal(data, &whole)
	r.ID = whole.ID
	return err
}

func disputeEffect(e event, object json.RawMessage) (eventEffect, error) {
	var dispute stripe.Dispute
	if err := json.Unmarshal(object, &dispute); err != nil {
		return eventEffect{}, err
	}
	if e.APIVersion != stripe.APIVersion {
		return eventEffect{movement: &movement{refetch: true, disputeID: dispute.ID}}, nil
	}
	return eventEffect{movement: movementOf(e.EntityID, &dispute, e.CreatedAt)}, nil
}

// movedBy reads what a dispute moved, and whether it is lost. An inquiry (warning_…) moves nothing.
func movementOf(entity uuid.UUID, d *stripe.Dispute, at time.Time) *movement {
	m := &movement{}
	for _, t := range d.BalanceTransactions {
		m.transactions = append(m.transactions, t.ID)
	}
	if d.Status == stripe.DisputeStatusLost {
		m.lostDispute = &settlement.LostDispute{EntityID: entity, ID: d.ID, Withdrew: len(d.BalanceTransactions) > 0, At: at.UTC()}
		if d.Charge != nil {
			m.lostDispute.ChargeID = d.Charge.ID
		}
	}
	return m
}

func chargeEffect(e event, object json.RawMessage) (eventEffect, error) {
	var charge stripe.Charge
	if err := json.Unmarshal(object, &charge); err != nil {
		return eventEffect{}, err
	}
	if e.APIVersion != stripe.APIVersion {
		expect := &expectedCharge{donationID: giftID(charge.Metadata), chargeID: charge.ID}
		if bill := charge.Metadata[metaInvoice]; bill != "" {
			expect.donationID, expect.invoiceID = uuid.Nil, bill
		} else if charge.Invoice != nil {
			expect.invoiceID = charge.Invoice.ID
		}
		return eventEffect{expected: expect}, nil
	}
	c, err := chargeOf(e.EntityID, &charge, e.ID)
	return eventEffect{charge: c}, err
}

// chargeOf translates a charge; nil when it took no money (yet).
func chargeOf(entity uuid.UUID, c *stripe.Charge, cause string) (*donation.IncomingPayment, error) {
	if c.Status != stripe.ChargeStatusSucceeded || !c.Paid || !c.Captured {
		return nil, nil
	}
	currency := money.Currency(strings.ToUpper(string(c.Currency)))
	if c.ID == "" || c.AmountCaptured <= 0 || !currency.Valid() || c.Created <= 0 {
		return nil, fmt.Errorf("charge %q lacks its amount, currency or date", c.ID)
	}
	charge := &donation.IncomingPayment{
		EntityID: entity, ChargeRef: c.ID, DonationID: giftID(c.Metadata), Amount: money.New(c.AmountCaptured, currency),
		ReceivedAt: time.Unix(c.Created, 0).UTC(), Cause: cause,
	}
	if c.PaymentIntent != nil {
		charge.IntentRef = c.PaymentIntent.ID
	}
	if bill := c.Metadata[metaInvoice]; bill != "" {
		charge.DonationID, charge.Invoice = uuid.Nil, &donation.Invoice{ID: bill}
	} else if c.Invoice != nil && charge.DonationID == uuid.Nil {
		charge.Invoice = invoiceOf(c.Invoice)
	}
	return charge, nil
}

func sessionEffect(e event, object json.RawMessage) (eventEffect, error) {
	var session stripe.CheckoutSession
	if err := json.Unmarshal(object, &session); err != nil {
		return eventEffect{}, err
	}
	gift := giftID(session.Metadata)
	if gift == uuid.Nil {
		return eventEffect{}, nil // not one of ours; its charge, if any, tells the rest
	}
	mark := &donation.StatusUpdate{DonationID: gift, EntityID: e.EntityID, Cause: e.ID}
	switch {
	case e.Type == "checkout.session.expired":
		mark.To = donation.Expired
	case e.Type == "checkout.session.async_payment_failed":
		mark.To = donation.Failed
	case session.Mode == stripe.CheckoutSessionModeSubscription:
		return planSessionEffect(e, &session, mark), nil
	case session.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid && session.PaymentIntent != nil:
		return eventEffect{expected: &expectedCharge{donationID: gift, paymentIntentID: session.PaymentIntent.ID}}, nil
	default:
		mark.To = donation.Processing
	}
	return eventEffect{status: mark}, nil
}

// giftID reads the gift's id from an object's metadata; uuid.Nil when there is none of ours.
func giftID(metadata map[string]string) uuid.UUID {
	id, err := uuid.Parse(metadata[metaDonation])
	if err != nil {
		return uuid.Nil
	}
	return id
}
