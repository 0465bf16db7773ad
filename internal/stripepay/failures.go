package stripepay

import (
	"context"
	"encoding/json"

	"github.com/jmoiron/sqlx"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/guard"
)

// failureNews reads that a bank refused a card. Both events tell of the same refusal, so it is named by its
// charge; where none was made (the bank's page was left, the card's number refused at once), by the event.
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
	id := charge.ID
	if intent.LastPaymentError != nil {
		id = intent.LastPaymentError.ChargeID
	}
	if id == "" {
		id = e.ID
	}
	return news{failed: &guard.Failure{
		ID: "charge " + e.EntityID.String() + " " + id, Page: (*metadata)[metaOrganisation], At: e.CreatedAt,
	}}, nil
}

// failuresTx tells the guard which cards were refused.
func (r *round) failuresTx(ctx context.Context, tx *sqlx.Tx) error {
	var failures []guard.Failure
	for _, n := range r.told {
		if n.failed != nil {
			failures = append(failures, *n.failed)
		}
	}
	return guard.FailTx(ctx, tx, failures)
}
