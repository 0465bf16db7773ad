package webhook

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// personal lists the fields of Stripe's objects that name a person or a card, or show a page that does. The program reads
// none of them. Names of Stripe's API, version 2023-10-16: charge, payment intent, checkout session, customer, invoice,
// dispute (evidence), payment method.
var personal = []string{
	"address", "billing_details", "cancellation_details", "collected_information", "comment", "custom_fields", "customer_details", "description",
	"email", "evidence", "name", "owner", "phone", "previous_attributes", "shipping", "shipping_cost", "shipping_details", "tax_ids",
	"bank_name", "dynamic_last4", "exp_month", "exp_year", "fingerprint", "iban_last4", "last4", "routing_number", "wallet",
	"hosted_invoice_url", "hosted_verification_url", "invoice_pdf", "receipt_number", "receipt_url",
}

// personalEndings are endings of such fields, also of those that Stripe adds later: customer_name, receipt_email.
var personalEndings = []string{"_name", "_email", "_phone", "_address", "_shipping", "_tax_ids", "_purchase_ip"}

func isPersonal(field string) bool {
	return slices.Contains(personal, field) ||
		slices.ContainsFunc(personalEndings, func(ending string) bool { return strings.HasSuffix(field, ending) })
}

// withoutPerson returns a payload with null in place of each field that names a person. All other bytes stay. So an
// event that arrives during an erasure, or after it, brings nobody back. It returns nil if the payload is not JSON.
func withoutPerson(payload []byte) []byte {
	r := redaction{payload: payload, decoder: json.NewDecoder(bytes.NewReader(payload))}
	if err := r.value(); err != nil {
		return nil
	}
	return append(r.kept, payload[r.copied:]...)
}

// redaction is one pass over a payload.
type redaction struct {
	payload []byte
	decoder *json.Decoder
	kept    []byte // the result as far as payload[:copied]
	copied  int64
}

// value reads the next value and redacts what is in it.
func (r *redaction) value() error {
	token, err := r.decoder.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	for r.decoder.More() {
		if open == '{' {
			err = r.field()
		} else {
			err = r.value()
		}
		if err != nil {
			return err
		}
	}
	_, err = r.decoder.Token() // its end
	return err
}

// field reads a field of an object and redacts its value, or what is in it.
func (r *redaction) field() error {
	name, err := r.decoder.Token()
	if err != nil {
		return err
	}
	field, _ := name.(string)
	if !isPersonal(field) {
		return r.value()
	}
	var value json.RawMessage
	if err := r.decoder.Decode(&value); err != nil {
		return err
	}
	end := r.decoder.InputOffset()
	r.kept = append(append(r.kept, r.payload[r.copied:end-int64(len(value))]...), "null"...)
	r.copied = end
	return nil
}
