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

// isPersonalField holds the names of personal.
var isPersonalField = func() map[string]bool {
	fields := map[string]bool{}
	for _, name := range personal {
		fields[name] = true
	}
	return fields
}()

// isPersonal reports whether a field of Stripe's objects is personal. field is its name in JSON, without quotation marks.
func isPersonal(field []byte) bool {
	if bytes.IndexByte(field, '\\') >= 0 {
		var name string
		if json.Unmarshal(slices.Concat([]byte(`"`), field, []byte(`"`)), &name) != nil {
			return true
		}
		field = []byte(name)
	}
	return isPersonalField[string(field)] ||
		slices.ContainsFunc(personalEndings, func(ending string) bool { return strings.HasSuffix(string(field), ending) })
}

// withoutPerson returns a payload with null in place of each field that names a person. All other bytes stay. So an
// event that arrives during an erasure, or after it, brings nobody back. It returns nil if the payload is not JSON.
func withoutPerson(payload []byte) []byte {
	if !json.Valid(payload) {
		return nil
	}
	kept, copied := make([]byte, 0, len(payload)), 0
	for at := 0; at < len(payload); {
		if payload[at] != '"' {
			at++
			continue
		}
		name := payload[at+1 : endOfString(payload, at)-1]
		at = afterSpace(payload, at+len(name)+2)
		if at == len(payload) || payload[at] != ':' || !isPersonal(name) { // only a field's name is followed by a colon
			continue
		}
		at = afterSpace(payload, at+1)
		kept = append(append(kept, payload[copied:at]...), "null"...)
		at = endOfValue(payload, at)
		copied = at
	}
	return append(kept, payload[copied:]...)
}

// endOfString returns the position behind the string of valid JSON that begins at a position.
func endOfString(payload []byte, at int) int {
	for at++; payload[at] != '"'; at++ {
		if payload[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// endOfValue returns the position behind the value of valid JSON that begins at a position.
func endOfValue(payload []byte, at int) int {
	for depth := 0; at < len(payload); {
		switch payload[at] {
		case '"':
			at = endOfString(payload, at)
		case '{', '[':
			depth++
			at++
		case '}', ']':
			if depth == 0 {
				return at // behind a number or a word
			}
			depth--
			at++
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return at
			}
			at++
			continue
		default:
			at++
			continue
		}
		if depth == 0 {
			return at
		}
	}
	return at
}

// afterSpace returns the position of the next byte that is not white space.
func afterSpace(payload []byte, at int) int {
	for at < len(payload) && (payload[at] == ' ' || payload[at] == '\n' || payload[at] == '\t' || payload[at] == '\r') {
		at++
	}
	return at
}
