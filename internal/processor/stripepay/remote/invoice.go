package remote

import (
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/billing"
)

// ChargedMethod returns the payment method that a subscription is charged by: its own, else its customer's; or nil.
func ChargedMethod(sub *stripe.Subscription) *stripe.PaymentMethod {
	if sub.DefaultPaymentMethod != nil {
		return sub.DefaultPaymentMethod
	}
	if sub.Customer != nil && sub.Customer.InvoiceSettings != nil {
		return sub.Customer.InvoiceSettings.DefaultPaymentMethod
	}
	return nil
}

// PaymentMethod translates a payment method; nil if there is none.
func PaymentMethod(m *stripe.PaymentMethod) *billing.PaymentMethod {
	if m == nil {
		return nil
	}
	c := &billing.PaymentMethod{ID: m.ID}
	if m.Card != nil {
		c.Brand, c.Last4, c.Month, c.Year = string(m.Card.Brand), m.Card.Last4, int(m.Card.ExpMonth), int(m.Card.ExpYear)
	} else if m.USBankAccount != nil {
		c.Last4 = m.USBankAccount.Last4
	}
	return c
}

// latestInvoice translates an invoice; nil if there is none. A payment that waits until the donor confirms it has the
// code of the decline with which banks ask for it, because Stripe does not always state the decline
// (https://docs.stripe.com/billing/subscriptions/overview#requires-action).
func latestInvoice(in *stripe.Invoice) *billing.Invoice {
	if in == nil {
		return nil
	}
	b := &billing.Invoice{ID: in.ID, Status: string(in.Status), Attempts: in.AttemptCount, WillRetry: in.NextPaymentAttempt > 0,
		AmountMinor: in.Total, InFlight: InFlight(in)}
	if in.PaymentIntent == nil {
		return b
	}
	if failed := in.PaymentIntent.LastPaymentError; failed != nil {
		b.Code = string(failed.DeclineCode)
		if b.Code == "" {
			b.Code = string(failed.Code)
		}
	}
	if in.PaymentIntent.Status == stripe.PaymentIntentStatusRequiresAction {
		b.Code, b.Attempts = string(stripe.ErrorCodeAuthenticationRequired), max(b.Attempts, 1)
	}
	return b
}

// InFlight reports whether a bank is processing an invoice's payment, which takes days for a bank debit.
func InFlight(in *stripe.Invoice) bool {
	return in != nil && in.PaymentIntent != nil && in.PaymentIntent.Status == stripe.PaymentIntentStatusProcessing
}
