package stripepay

import (
	"encoding/json"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/platform/guard"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripepay/webhook"
)

// declineFact reads that a bank declined a card. Stripe sends two events for one decline, so it is identified by its
// charge, or by the event if no charge was made (the donor left the bank's page, or the card number was refused at
// once). It returns the zero Fact for a payment that this program makes for a void invoice: no donor is at a form then.
func declineFact(e webhook.Stored, object json.RawMessage) (event.Fact, error) {
	var charge stripe.Charge
	var intent stripe.PaymentIntent
	read, metadata := any(&charge), &charge.Metadata
	if e.Type == "payment_intent.payment_failed" {
		read, metadata = &intent, &intent.Metadata
	}
	if err := json.Unmarshal(object, read); err != nil {
		return event.Fact{}, err
	}
	if (*metadata)[metaInvoice] != "" {
		return event.Fact{}, nil
	}
	id, invoice, customer := charge.ID, charge.Invoice, charge.Customer
	if intent.ID != "" {
		invoice, customer = intent.Invoice, intent.Customer
	}
	if intent.LastPaymentError != nil {
		id = intent.LastPaymentError.ChargeID
	}
	if id == "" {
		id = e.ID
	}
	decline := &event.CardDecline{CustomerRef: customerID(customer), Failure: guard.Failure{
		ID: "charge " + e.EntityID.String() + " " + id, Page: (*metadata)[metaOrganisation], At: e.CreatedAt,
	}}
	if invoice != nil {
		decline.InvoiceRef = invoice.ID
	}
	return event.Fact{Decline: decline}, nil
}
