package stripepay

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/recurring"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripepay/remote"
	"konbit/internal/processor/stripepay/webhook"
)

// subscriptionFact reads which plan a subscription belongs to: by our mark, if any, or by its id, because marks can be
// removed. The event's state may be old, so it is read again later.
func subscriptionFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var s stripe.Subscription
	if err := json.Unmarshal(object, &s); err != nil {
		return event.Fact{}, err
	}
	return event.Fact{Subscription: &recurring.SubscriptionSeen{
		EntityID: e.EntityID, PlanID: giftID(s.Metadata), SubscriptionID: s.ID, CustomerID: customerID(s.Customer), Migrated: s.Metadata[metaMigration] != "",
	}}, nil
}

// planSessionFact reads the end of a recurring donation's payment page. If paid by bank debit, it is processing.
func planSessionFact(e webhook.Stored, s *stripe.CheckoutSession, update *donation.StatusUpdate) event.Fact {
	fact := event.Fact{Subscription: &recurring.SubscriptionSeen{EntityID: e.EntityID, PlanID: update.DonationID, CustomerID: customerID(s.Customer)}}
	if s.Subscription != nil {
		fact.Subscription.SubscriptionID = s.Subscription.ID
	}
	if s.PaymentStatus != stripe.CheckoutSessionPaymentStatusPaid || s.Invoice == nil {
		update.To = donation.Processing
		fact.Status = update
		return fact
	}
	fact.Expected = &event.ExpectedCharge{DonationID: update.DonationID, InvoiceRef: s.Invoice.ID}
	return fact
}

// invoiceFact reads an invoice. If a charge paid it, the charge must exist or come.
func invoiceFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var in stripe.Invoice
	if err := json.Unmarshal(object, &in); err != nil {
		return event.Fact{}, err
	}
	fact := event.Fact{Invoice: invoiceOf(&in)}
	if e.APIVersion != stripe.APIVersion {
		fact.Invoice.Known = false // another version of the API has the plan in another field
	}
	if e.Type == "invoice.paid" && (remote.IsCharged(&in) || !fact.Invoice.Known) {
		fact.Expected = &event.ExpectedCharge{InvoiceRef: in.ID}
		if in.PaymentIntent != nil {
			fact.Expected.IntentRef = in.PaymentIntent.ID
		}
	}
	return fact, nil
}

// invoiceOf translates an invoice. If only its id is present, the result is not Known.
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
	if in.Lines != nil {
		for _, line := range in.Lines.Data {
			if line.Price != nil && line.Price.Product != nil {
				b.Marks = append(b.Marks, "product "+line.Price.Product.ID)
			}
		}
	}
	if in.SubscriptionDetails != nil && b.PlanID == uuid.Nil {
		b.PlanID = giftID(in.SubscriptionDetails.Metadata)
	}
	return b
}

// customerFact reads which payment method a customer chose.
func customerFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var c stripe.Customer
	if err := json.Unmarshal(object, &c); err != nil {
		return event.Fact{}, err
	}
	if c.InvoiceSettings == nil || c.InvoiceSettings.DefaultPaymentMethod == nil {
		return event.Fact{}, nil
	}
	return event.Fact{PaymentMethod: &recurring.NewPaymentMethod{EntityID: e.EntityID, CustomerID: c.ID,
		MethodID: c.InvoiceSettings.DefaultPaymentMethod.ID, At: e.CreatedAt}}, nil
}

// cardFact reads whose payment method was changed.
func cardFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var m stripe.PaymentMethod
	if err := json.Unmarshal(object, &m); err != nil || m.Customer == nil {
		return event.Fact{}, err
	}
	return event.Fact{CardChange: &recurring.CardChange{EntityID: e.EntityID, CustomerID: m.Customer.ID}}, nil
}

func customerID(c *stripe.Customer) string {
	if c == nil {
		return ""
	}
	return c.ID
}
