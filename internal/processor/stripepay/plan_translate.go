package stripepay

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
)

// subscriptionNews reads whose subscription an event is about. What it says of the subscription may be old by now, and is read anew.
func subscriptionEffect(e event, object json.RawMessage) (eventEffect, error) {
	var s stripe.Subscription
	if err := json.Unmarshal(object, &s); err != nil {
		return eventEffect{}, err
	}
	plan := giftID(s.Metadata)
	if plan == uuid.Nil {
		return eventEffect{}, nil
	}
	return eventEffect{subscription: &recurring.SubscriptionSeen{
		EntityID: e.EntityID, PlanID: plan, SubscriptionID: s.ID, CustomerID: customerID(s.Customer), Migrated: s.Metadata[metaMigration] != "",
	}}, nil
}

// planSessionNews reads the end of a payment page of a recurring gift. Paid by a bank debit, it is on its way.
func planSessionEffect(e event, s *stripe.CheckoutSession, mark *donation.StatusUpdate) eventEffect {
	n := eventEffect{subscription: &recurring.SubscriptionSeen{EntityID: e.EntityID, PlanID: mark.DonationID, CustomerID: customerID(s.Customer)}}
	if s.Subscription != nil {
		n.subscription.SubscriptionID = s.Subscription.ID
	}
	if s.PaymentStatus != stripe.CheckoutSessionPaymentStatusPaid || s.Invoice == nil {
		mark.To = donation.Processing
		n.status = mark
		return n
	}
	n.expected = &expectedCharge{donationID: mark.DonationID, invoiceID: s.Invoice.ID}
	return n
}

// invoiceNews reads a bill. A paid one's charge must be there or come.
func invoiceEffect(e event, object json.RawMessage) (eventEffect, error) {
	var in stripe.Invoice
	if err := json.Unmarshal(object, &in); err != nil {
		return eventEffect{}, err
	}
	n := eventEffect{invoice: invoiceOf(&in)}
	if e.APIVersion != stripe.APIVersion {
		n.invoice.Known = false // another version keeps the plan elsewhere
	}
	if e.Type == "invoice.paid" && (in.AmountPaid > 0 || !n.invoice.Known) {
		n.expected = &expectedCharge{invoiceID: in.ID}
		if in.PaymentIntent != nil {
			n.expected.paymentIntentID = in.PaymentIntent.ID
		}
	}
	return n, nil
}

// billOf translates an invoice; of one that is only its id, nothing is known.
func invoiceOf(in *stripe.Invoice) *donation.Invoice {
	b := &donation.Invoice{ID: in.ID}
	if in.Created == 0 {
		return b
	}
	b.Known, b.CreatedAt = true, time.Unix(in.Created, 0).UTC()
	b.First, b.CustomerID = in.BillingReason == stripe.InvoiceBillingReasonSubscriptionCreate, customerID(in.Customer)
	if in.Subscription != nil {
		b.SubscriptionID = in.Subscription.ID
		b.PlanID = giftID(in.Subscription.Metadata)
	}
	if in.SubscriptionDetails != nil && b.PlanID == uuid.Nil {
		b.PlanID = giftID(in.SubscriptionDetails.Metadata)
	}
	return b
}

// customerNews reads which card a customer is to be charged by.
func customerEffect(e event, object json.RawMessage) (eventEffect, error) {
	var c stripe.Customer
	if err := json.Unmarshal(object, &c); err != nil {
		return eventEffect{}, err
	}
	if c.InvoiceSettings == nil || c.InvoiceSettings.DefaultPaymentMethod == nil {
		return eventEffect{}, nil
	}
	return eventEffect{paymentMethod: &recurring.NewPaymentMethod{EntityID: e.EntityID, CustomerID: c.ID, MethodID: c.InvoiceSettings.DefaultPaymentMethod.ID, At: e.CreatedAt}}, nil
}

func customerID(c *stripe.Customer) string {
	if c == nil {
		return ""
	}
	return c.ID
}
