package remote

import (
	"encoding/json"
	"fmt"

	"github.com/stripe/stripe-go/v76"
)

// chargeEvent has the fields that are read of a charge.succeeded. Most events have this type, so only these fields are
// decoded.
type chargeEvent struct {
	Data struct {
		Object struct {
			ID             string              `json:"id"`
			Object         string              `json:"object"`
			Status         stripe.ChargeStatus `json:"status"`
			Paid           bool                `json:"paid"`
			Captured       bool                `json:"captured"`
			Amount         int64               `json:"amount"` // not used; an event with another type here is not understood
			AmountCaptured int64               `json:"amount_captured"`
			Currency       stripe.Currency     `json:"currency"`
			Created        int64               `json:"created"`
			Metadata       map[string]string   `json:"metadata"`
			PaymentIntent  *ObjectRef          `json:"payment_intent"`
			Invoice        *stripe.Invoice     `json:"invoice"`
			Details        *struct {
				Type stripe.ChargePaymentMethodDetailsType `json:"type"`
			} `json:"payment_method_details"`
		} `json:"object"`
	} `json:"data"`
}

// ReadCharge returns the charge of a charge.succeeded with the fields of chargeEvent.
func ReadCharge(payload []byte) (*stripe.Charge, error) {
	var e chargeEvent
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, fmt.Errorf("not an event with a charge: %w", err)
	}
	o := e.Data.Object
	c := &stripe.Charge{
		ID: o.ID, Object: o.Object, Status: o.Status, Paid: o.Paid, Captured: o.Captured, Amount: o.Amount, AmountCaptured: o.AmountCaptured,
		Currency: o.Currency, Created: o.Created, Metadata: o.Metadata, Invoice: o.Invoice,
	}
	if o.PaymentIntent != nil {
		c.PaymentIntent = &stripe.PaymentIntent{ID: o.PaymentIntent.ID}
	}
	if o.Details != nil {
		c.PaymentMethodDetails = &stripe.ChargePaymentMethodDetails{Type: o.Details.Type}
	}
	return c, nil
}

// ObjectRef is the id of an object to which another refers. Stripe sends it alone or inside the whole object.
type ObjectRef struct{ ID string }

// UnmarshalJSON is part of json.Unmarshaler.
func (r *ObjectRef) UnmarshalJSON(data []byte) error {
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
