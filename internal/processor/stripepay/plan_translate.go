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
func subscriptionNews(e event, object json.RawMessage) (news, error) {
	var s stripe.Subscription
	if err := json.Unmarshal(object, &s); err != nil {
		return news{}, err
	}
	plan := giftID(s.Metadata)
	if plan == uuid.Nil {
		return news{}, nil
	}
	return news{seen: &recurring.Seen{
		EntityID: e.EntityID, PlanID: plan, SubscriptionID: s.ID, CustomerID: customerID(s.Customer), Moved: s.Metadata[metaMove] != "",
	}}, nil
}

// planSessionNews reads the end of a payment page of a recurring gift. Paid by a bank debit, it is on its way.
func planSessionNews(e event, s *stripe.CheckoutSession, mark *donation.Mark) news {
	n := news{seen: &recurring.Seen{EntityID: e.EntityID, PlanID: mark.DonationID, CustomerID: customerID(s.Customer)}}
	if s.Subscription != nil {
		n.seen.SubscriptionID = s.Subscription.ID
	}
	if s.PaymentStatus != stripe.CheckoutSessionPaymentStatusPaid || s.Invoice == nil {
		mark.To = donation.Processing
		n.mark = mark
		return n
	}
	n.expect = &expectation{donation: mark.DonationID, invoice: s.Invoice.ID}
	return n
}

// invoiceNews reads a bill. A paid one's charge must be there or come.
func invoiceNews(e event, object json.RawMessage) (news, error) {
	var in stripe.Invoice
	if err := json.Unmarshal(object, &in); err != nil {
		return news{}, err
	}
	n := news{bill: billOf(&in)}
	if e.APIVersion != stripe.APIVersion {
		n.bill.Read = false // another version keeps the plan elsewhere
	}
	if e.Type == "invoice.paid" && (in.AmountPaid > 0 || !n.bill.Read) {
		n.expect = &expectation{invoice: in.ID}
		if in.PaymentIntent != nil {
			n.expect.paymentIntent = in.PaymentIntent.ID
		}
	}
	return n, nil
}

// billOf translates an invoice; of one that is only its id, nothing is known.
func billOf(in *stripe.Invoice) *donation.Invoice {
	b := &donation.Invoice{ID: in.ID}
	if in.Created == 0 {
		return b
	}
	b.Read, b.CreatedAt = true, time.Unix(in.Created, 0).UTC()
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
func customerNews(e event, object json.RawMessage) (news, error) {
	var c stripe.Customer
	if err := json.Unmarshal(object, &c); err != nil {
		return news{}, err
	}
	if c.InvoiceSettings == nil || c.InvoiceSettings.DefaultPaymentMethod == nil {
		return news{}, nil
	}
	return news{card: &recurring.NewCard{EntityID: e.EntityID, CustomerID: c.ID, Method: c.InvoiceSettings.DefaultPaymentMethod.ID, At: e.CreatedAt}}, nil
}

func customerID(c *stripe.Customer) string {
	if c == nil {
		return ""
	}
	return c.ID
}
