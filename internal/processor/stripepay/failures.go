package stripepay

import (
	"context"
	"encoding/json"

	"github.com/jmoiron/sqlx"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/recurring"
	"konbit/internal/platform/guard"
)

// failedCard is a card that a bank refused, with what it was to pay.
type cardDecline struct {
	guard.Failure
	invoiceID, customerID string // empty: none
}

// failureNews reads that a bank refused a card. Both events tell of the same refusal, so it is named by its
// charge; where none was made (the bank's page was left, the card's number refused at once), by the event. What is charged from here
// for a bill that Stripe no more collects is charged with nobody there.
func declineEffect(e event, object json.RawMessage) (eventEffect, error) {
	var charge stripe.Charge
	var intent stripe.PaymentIntent
	read, metadata := any(&charge), &charge.Metadata
	if e.Type == "payment_intent.payment_failed" {
		read, metadata = &intent, &intent.Metadata
	}
	if err := json.Unmarshal(object, read); err != nil {
		return eventEffect{}, err
	}
	if (*metadata)[metaInvoice] != "" {
		return eventEffect{}, nil
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
	failed := &cardDecline{customerID: customerID(customer), Failure: guard.Failure{
		ID: "charge " + e.EntityID.String() + " " + id, Page: (*metadata)[metaOrganisation], At: e.CreatedAt,
	}}
	if invoice != nil {
		failed.invoiceID = invoice.ID
	}
	return eventEffect{decline: failed}, nil
}

// failuresTx tells the guard which cards were refused that somebody tried at the form.
func (r *eventBatch) recordDeclinesTx(ctx context.Context, tx *sqlx.Tx) error {
	var failures []guard.Failure
	for i, n := range r.effects {
		if n.decline == nil {
			continue
		}
		renews, err := recurring.IsRenewal(ctx, tx, r.events[i].EntityID, n.decline.invoiceID, n.decline.customerID)
		if err != nil {
			return err
		}
		if !renews {
			failures = append(failures, n.decline.Failure)
		}
	}
	return guard.RecordFailuresTx(ctx, tx, failures)
}
