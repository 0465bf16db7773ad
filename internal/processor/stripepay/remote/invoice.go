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

// PaymentMethod translates a payment method; nil if there is none. Methods such as Link have no digits to know them by:
// the brand is their type (https://docs.stripe.com/api/payment_methods/object#payment_method_object-type).
func PaymentMethod(m *stripe.PaymentMethod) *billing.PaymentMethod {
	if m == nil {
		return nil
	}
	c := &billing.PaymentMethod{ID: m.ID}
	if m.Card != nil {
		c.Brand, c.Last4, c.Month, c.Year = string(m.Card.Brand), m.Card.Last4, int(m.Card.ExpMonth), int(m.Card.ExpYear)
	} else if m.USBankAccount != nil {
		c.Last4 = m.USBankAccount.Last4
	} else {
		c.Brand = string(m.Type)
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
		AmountMinor: in.Total, InFlight: InFlight(in), Uncharged: in.Status == stripe.InvoiceStatusPaid && !IsCharged(in),
		LeftOut: in.Status == stripe.InvoiceStatusDraft && !in.AutoAdvance}
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

// IsCharged reports whether a charge paid an invoice. None did if a person marked it as paid outside Stripe, if the
// customer's credit covered it, or if it is over nothing.
func IsCharged(in *stripe.Invoice) bool { return in.AmountPaid > 0 && !in.PaidOutOfBand }

// InFlight reports whether a bank is processing an invoice's payment, which takes days for a bank debit.
func InFlight(in *stripe.Invoice) bool {
	return in != nil && in.PaymentIntent != nil && in.PaymentIntent.Status == stripe.PaymentIntentStatusProcessing
}
