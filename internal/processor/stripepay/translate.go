package stripepay

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/giving/plan"
	"konbit/internal/platform/money"
	"konbit/internal/processor/event"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripepay/remote"
	"konbit/internal/processor/stripepay/webhook"
)

// translateEvent reads an event. It trusts an event of another API version for ids only; the object is fetched.
func translateEvent(e webhook.Stored) (event.Fact, error) {
	if e.Type == "charge.succeeded" {
		return chargeFact(e)
	}
	var envelope struct {
		Data struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(e.Payload, &envelope); err != nil {
		return event.Fact{}, fmt.Errorf("not an event: %w", err)
	}
	object := envelope.Data.Object
	if err := checkObject(e.Type, object); err != nil {
		return event.Fact{}, err
	}
	switch e.Type {
	case "charge.failed", "payment_intent.payment_failed":
		return declineFact(e, object)
	case "payment_intent.succeeded":
		var intent stripe.PaymentIntent
		if err := json.Unmarshal(object, &intent); err != nil {
			return event.Fact{}, err
		}
		expected := &event.ExpectedCharge{DonationID: giftID(intent.Metadata), IntentRef: intent.ID}
		if invoice := intent.Metadata[metaInvoice]; invoice != "" {
			expected.DonationID, expected.InvoiceRef = uuid.Nil, invoice
		} else if intent.Invoice != nil {
			expected.InvoiceRef = intent.Invoice.ID
		}
		return event.Fact{Expected: expected}, nil
	case "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed", "checkout.session.expired":
		return sessionFact(e, object)
	case "charge.refunded", "refund.created", "refund.updated", "charge.refund.updated",
		"payout.created", "payout.paid", "payout.failed", "payout.canceled":
		return movementFact(object)
	case "charge.dispute.created", "charge.dispute.updated", "charge.dispute.funds_withdrawn",
		"charge.dispute.funds_reinstated", "charge.dispute.closed":
		return disputeFact(e, object)
	case "customer.subscription.created", "customer.subscription.updated", "customer.subscription.deleted",
		"customer.subscription.paused", "customer.subscription.resumed":
		return subscriptionFact(e, object)
	case "invoice.paid", "invoice.payment_failed", "invoice.payment_action_required", "invoice.voided", "invoice.marked_uncollectible":
		return invoiceFact(e, object)
	case "customer.updated":
		return customerFact(e, object)
	case "payment_method.automatically_updated", "payment_method.updated":
		return cardFact(e, object)
	default:
		return event.Fact{}, nil
	}
}

// checkObject reports an error if a handled event's object has no id, so that the event is set aside, not ignored.
func checkObject(kind string, object json.RawMessage) error {
	if !webhook.IsHandled(kind) {
		return nil
	}
	var o struct {
		ID     string `json:"id"`
		Object string `json:"object"`
	}
	if err := json.Unmarshal(object, &o); err != nil || o.ID == "" || o.Object == "" {
		return noObject(err)
	}
	return nil
}

func noObject(err error) error {
	return fmt.Errorf("its object has no id: %w", cmp.Or(err, errors.New("not an object")))
}

// movementFact reads which balance transactions a refund or payout names. A charge does not name those of its refunds.
func movementFact(object json.RawMessage) (event.Fact, error) {
	var named struct {
		Object      string            `json:"object"`
		Transaction *remote.ObjectRef `json:"balance_transaction"`
		Failure     *remote.ObjectRef `json:"failure_balance_transaction"`
	}
	if err := json.Unmarshal(object, &named); err != nil {
		return event.Fact{}, err
	}
	m := &event.Movement{}
	for _, ref := range []*remote.ObjectRef{named.Transaction, named.Failure} {
		if ref != nil && named.Object != "charge" {
			m.Transactions = append(m.Transactions, ref.ID)
		}
	}
	m.RequestImport = len(m.Transactions) == 0
	return event.Fact{Movement: m}, nil
}

func disputeFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var dispute stripe.Dispute
	if err := json.Unmarshal(object, &dispute); err != nil {
		return event.Fact{}, err
	}
	if e.APIVersion != stripe.APIVersion {
		return event.Fact{Movement: &event.Movement{OfDispute: true, Refetch: true, DisputeRef: dispute.ID}}, nil
	}
	return event.Fact{Movement: movementOf(e.EntityID, &dispute, e.CreatedAt)}, nil
}

// movementOf reads which transactions a dispute made and whether it is lost. An inquiry (status warning_…) makes none.
func movementOf(entity uuid.UUID, d *stripe.Dispute, at time.Time) *event.Movement {
	m := &event.Movement{OfDispute: true, Dispute: disputeOf(entity, d, at), Told: remote.ReadDispute(entity, d, at)}
	for _, t := range d.BalanceTransactions {
		m.Transactions = append(m.Transactions, t.ID)
	}
	if d.Status == stripe.DisputeStatusLost {
		m.LostDispute = &settlement.LostDispute{EntityID: entity, ID: d.ID, Withdrew: len(d.BalanceTransactions) > 0, At: at.UTC()}
		if d.Charge != nil {
			m.LostDispute.ChargeID = d.Charge.ID
		}
	}
	return m
}

// disputeOf reads where a dispute stands; nil for an inquiry.
func disputeOf(entity uuid.UUID, d *stripe.Dispute, at time.Time) *plan.DisputeJob {
	state := plan.DisputeWon // or withdrawn, or the charge was refunded
	switch d.Status {
	case stripe.DisputeStatusNeedsResponse, stripe.DisputeStatusUnderReview:
		state = plan.DisputeOpen
	case stripe.DisputeStatusLost:
		state = plan.DisputeLost
	}
	if d.Charge == nil || strings.HasPrefix(string(d.Status), "warning_") {
		return nil
	}
	return &plan.DisputeJob{EntityID: entity, Dispute: d.ID, Charge: d.Charge.ID, State: state, At: at.UTC()}
}

func chargeFact(e webhook.Stored) (event.Fact, error) {
	charge, err := remote.ReadCharge(e.Payload)
	if err != nil {
		return event.Fact{}, err
	}
	if charge.ID == "" || charge.Object == "" {
		return event.Fact{}, noObject(nil)
	}
	if e.APIVersion != stripe.APIVersion {
		expected := &event.ExpectedCharge{DonationID: giftID(charge.Metadata), ChargeRef: charge.ID}
		if invoice := charge.Metadata[metaInvoice]; invoice != "" {
			expected.DonationID, expected.InvoiceRef = uuid.Nil, invoice
		} else if charge.Invoice != nil {
			expected.InvoiceRef = charge.Invoice.ID
		}
		return event.Fact{Expected: expected}, nil
	}
	c, err := chargeOf(e.EntityID, charge, e.ID)
	return event.Fact{Charge: c}, err
}

// chargeOf translates a charge. It returns nil if the charge took no money (yet).
func chargeOf(entity uuid.UUID, c *stripe.Charge, cause string) (*donation.IncomingPayment, error) {
	if c.Status != stripe.ChargeStatusSucceeded || !c.Paid || !c.Captured {
		return nil, nil
	}
	currency := money.Currency(strings.ToUpper(string(c.Currency)))
	if c.ID == "" || c.AmountCaptured <= 0 || !currency.Valid() || c.Created <= 0 {
		return nil, fmt.Errorf("charge %q lacks its amount, currency or date", c.ID)
	}
	charge := &donation.IncomingPayment{
		EntityID: entity, Method: methodOf(c), ChargeRef: c.ID, DonationID: giftID(c.Metadata), Amount: money.New(c.AmountCaptured, currency),
		ReceivedAt: time.Unix(c.Created, 0).UTC(), Cause: cause,
	}
	charge.Unmarked, charge.Marks = marksOf(c.Metadata)
	if c.PaymentIntent != nil {
		charge.IntentRef = c.PaymentIntent.ID
	}
	if invoice := c.Metadata[metaInvoice]; invoice != "" {
		charge.DonationID, charge.Invoice = uuid.Nil, &donation.Invoice{ID: invoice}
	} else if c.Invoice != nil && charge.DonationID == uuid.Nil {
		charge.Invoice = invoiceOf(c.Invoice)
	}
	return charge, nil
}

// marksOf returns the marks of a charge that another program made; unmarked is false if its metadata has a key of ours.
func marksOf(metadata map[string]string) (unmarked bool, marks []string) {
	for key := range metadata {
		if strings.HasPrefix(key, metaPrefix) {
			return false, nil
		}
		marks = append(marks, "metadata "+key)
	}
	return true, marks
}

// methodOf returns how a charge was paid: by bank debit for the types of debit that Stripe has, else by card.
// A charge without details counts as paid by card.
func methodOf(c *stripe.Charge) payment.Method {
	if c.PaymentMethodDetails == nil {
		return payment.Card
	}
	switch c.PaymentMethodDetails.Type {
	case "us_bank_account", stripe.ChargePaymentMethodDetailsTypeACHDebit, stripe.ChargePaymentMethodDetailsTypeACSSDebit,
		stripe.ChargePaymentMethodDetailsTypeAUBECSDebit, stripe.ChargePaymentMethodDetailsTypeBACSDebit,
		stripe.ChargePaymentMethodDetailsTypeSEPADebit:
		return payment.BankDebit
	default:
		return payment.Card
	}
}

func sessionFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var session stripe.CheckoutSession
	if err := json.Unmarshal(object, &session); err != nil {
		return event.Fact{}, err
	}
	gift := giftID(session.Metadata)
	if gift == uuid.Nil {
		return event.Fact{}, nil // not made by this program; if it has a charge, the charge decides
	}
	update := &donation.StatusUpdate{DonationID: gift, EntityID: e.EntityID, Cause: e.ID}
	switch {
	case e.Type == "checkout.session.expired":
		update.To = donation.Expired
	case e.Type == "checkout.session.async_payment_failed":
		update.To = donation.Failed
	case session.Mode == stripe.CheckoutSessionModeSubscription:
		return planSessionFact(e, &session, update), nil
	case session.PaymentStatus == stripe.CheckoutSessionPaymentStatusPaid && session.PaymentIntent != nil:
		return event.Fact{Expected: &event.ExpectedCharge{DonationID: gift, IntentRef: session.PaymentIntent.ID}}, nil
	default:
		update.To = donation.Processing
	}
	return event.Fact{Status: update}, nil
}

// giftID returns the donation's id in an object's metadata; uuid.Nil if there is none.
func giftID(metadata map[string]string) uuid.UUID {
	id, err := uuid.Parse(metadata[metaDonation])
	if err != nil {
		return uuid.Nil
	}
	return id
}
