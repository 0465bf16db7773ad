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
type failedCard struct {
	guard.Failure
	invoice, customer string // empty: none
}

// failureNews reads that a bank refused a card. Both events tell of the same refusal, so it is named by its
// charge; where none was made (the bank's page was left, the card's number refused at once), by the event. What is charged from here
// for a bill that Stripe no more collects is charged with nobody there.
func failureNews(e event, object json.RawMessage) (news, error) {
	var charge stripe.Charge
	var intent stripe.PaymentIntent
	read, metadata := any(&charge), &charge.Metadata
	if e.Type == "payment_intent.payment_failed" {
		read, metadata = &intent, &intent.Metadata
	}
	if err := json.Unmarshal(object, read); err != nil {
		return news{}, err
	}
	if (*metadata)[metaBill] != "" {
		return news{}, nil
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
	failed := &failedCard{customer: customerID(customer), Failure: guard.Failure{
		ID: "charge " + e.EntityID.String() + " " + id, Page: (*metadata)[metaOrganisation], At: e.CreatedAt,
	}}
	if invoice != nil {
		failed.invoice = invoice.ID
	}
	return news{failed: failed}, nil
}

// failuresTx tells the guard which cards were refused that somebody tried at the form.
func (r *round) failuresTx(ctx context.Context, tx *sqlx.Tx) error {
	var failures []guard.Failure
	for i, n := range r.told {
		if n.failed == nil {
			continue
		}
		renews, err := recurring.Renews(ctx, tx, r.events[i].EntityID, n.failed.invoice, n.failed.customer)
		if err != nil {
			return err
		}
		if !renews {
			failures = append(failures, n.failed.Failure)
		}
	}
	return guard.FailTx(ctx, tx, failures)
}
