package stripefake

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// payer is the person who pays and the payment method, after the page has checked both.
type payer struct {
	name, email string
	method      string // "card" or "us_bank_account"
	number      string
	month, year int64
	card        testCard
	bounces     bool // the bank debit will fail
}

// address returns the address that Stripe's page asks of a payer in the USA. The stand-in asks only for the
// country.
func (payer) address() object {
	return object{"city": nil, "country": "US", "line1": nil, "line2": nil, "postal_code": nil, "state": nil}
}

func (w payer) last4() string { return w.number[max(0, len(w.number)-4):] }

// fingerprint returns a hash of the number: equal for equal numbers, and the number cannot be read from it.
func (w payer) fingerprint() string {
	sum := sha256.Sum256([]byte("fingerprint " + w.number))
	return hex.EncodeToString(sum[:8])
}

// newPaymentMethod stores the payment method of one payment attempt.
func (t *transaction) newPaymentMethod(who payer) object {
	o := object{"customer": nil, "type": who.method, "billing_details": object{"address": who.address(),
		"email": orNull(who.email), "name": orNull(who.name), "phone": nil}}
	switch who.method {
	case "card":
		o["card"] = object{
			"brand": who.card.brand, "checks": object{"address_line1_check": nil, "address_postal_code_check": nil, "cvc_check": "pass"},
			"country": "US", "exp_month": who.month, "exp_year": who.year, "fingerprint": who.fingerprint(),
			"funding": or(who.card.funding, "credit"), "last4": who.last4(),
			"networks":             object{"available": []any{who.card.brand}, "preferred": nil},
			"three_d_secure_usage": object{"supported": true}, "wallet": nil,
		}
	case "link":
		o["link"] = object{"email": orNull(who.email)}
	default:
		o["us_bank_account"] = object{"account_holder_type": "individual", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
			"fingerprint": who.fingerprint(), "last4": who.last4(), "routing_number": "110000000"}
	}
	pm := t.new("payment_method", "pm_", o)
	t.a.hidden(pm)["number"] = who.number
	return pm
}

// charge stores a charge of the payment intent. fields replace the defaults, which describe a charge that has
// not succeeded.
func (t *transaction) charge(cs, pi, pm object, fields object) object {
	prefix := "ch_"
	if pm.str("type") == "us_bank_account" {
		prefix = "py_"
	}
	billing := pm.obj("billing_details").with(nil)
	if email := cs.obj("customer_details").str("email"); email != "" {
		billing["email"] = email
	}
	return t.new("charge", prefix, object{
		"amount": pi["amount"], "amount_captured": int64(0), "amount_refunded": int64(0), "application": nil, "application_fee": nil,
		"application_fee_amount": nil, "balance_transaction": nil, "billing_details": billing,
		"calculated_statement_descriptor": t.descriptor(pi), "captured": false, "currency": pi["currency"], "customer": pi["customer"],
		"description": pi["description"], "destination": nil, "dispute": nil, "disputed": false, "failure_balance_transaction": nil,
		"failure_code": nil, "failure_message": nil, "fraud_details": object{}, "invoice": pi["invoice"], "metadata": pi.obj("metadata").with(nil),
		"on_behalf_of": nil, "order": nil, "paid": false, "payment_intent": pi["id"],
		"payment_method": pm["id"], "payment_method_details": methodDetails(pm), "radar_options": object{},
		"receipt_email": pi["receipt_email"], "receipt_number": nil, "receipt_url": nil, "refunded": false, "review": nil,
		"shipping": nil, "source": nil, "source_transfer": nil, "statement_descriptor": pi["statement_descriptor"],
		"statement_descriptor_suffix": pi["statement_descriptor_suffix"], "transfer_data": nil, "transfer_group": nil,
	}.with(fields))
}

// methodDetails returns payment_method_details of a charge: the method with the results of this payment.
func methodDetails(pm object) object {
	kind := pm.str("type")
	details := pm.obj(kind).with(nil)
	if kind == "card" {
		delete(details, "networks")
		delete(details, "three_d_secure_usage")
		details["installments"], details["mandate"], details["network"], details["three_d_secure"] = nil, nil, details["brand"], nil
	}
	return object{"type": kind, kind: details}
}

// descriptor returns the line on the payer's bank statement, at most 22 characters.
func (t *transaction) descriptor(pi object) string {
	line := strings.ToUpper(t.a.Name)
	if suffix := pi.str("statement_descriptor_suffix"); suffix != "" {
		line = strings.TrimSpace(line[:min(len(line), 10)]) + "* " + suffix
	}
	return line[:min(len(line), 22)]
}

func cardOutcome(network, kind string, reason any, message string) object {
	return object{"network_status": network, "reason": reason, "risk_level": "normal", "risk_score": int64(20), "seller_message": message, "type": kind}
}
