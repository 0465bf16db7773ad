package stripepay

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/billing"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/stripepay/remote"
)

// Hosts of Stripe's pages for donors: the billing portal, and the pages of invoices.
const (
	portalHost  = "billing.stripe.com"
	invoiceHost = "invoice.stripe.com"
)

// PaymentMethodPage creates a page of Stripe's billing portal that asks for a new payment method and nothing else, and
// returns its address. The page leads back to the address `back`.
func (s *Stripe) PaymentMethodPage(ctx context.Context, entity, customer, language, back string) (string, error) {
	a, err := s.account(entity)
	if err != nil {
		return "", err
	}
	params := &stripe.BillingPortalSessionParams{
		Customer: stripe.String(customer), ReturnURL: stripe.String(back), Locale: stripe.String(remote.Locale(phrase.Language(language))),
		FlowData: &stripe.BillingPortalSessionFlowDataParams{
			Type: stripe.String(string(stripe.BillingPortalSessionFlowTypePaymentMethodUpdate)),
			AfterCompletion: &stripe.BillingPortalSessionFlowDataAfterCompletionParams{
				Type:     stripe.String(string(stripe.BillingPortalSessionFlowAfterCompletionTypeRedirect)),
				Redirect: &stripe.BillingPortalSessionFlowDataAfterCompletionRedirectParams{ReturnURL: stripe.String(back)},
			},
		},
	}
	params.Context = ctx
	session, err := a.api.BillingPortalSessions.New(params)
	if err != nil {
		return "", translate(err)
	}
	return session.URL, s.checkPage(session.URL, session.ID)
}

// checkPage reports an error if the page of an object is not at one of Stripe's own addresses.
func (s *Stripe) checkPage(page, object string) error {
	address, err := url.Parse(page)
	if err != nil || address.Scheme != s.scheme || address.User != nil || !slices.Contains(s.pages, address.Host) {
		return fmt.Errorf("stripe: the page of %s is at an unexpected address", object)
	}
	return nil
}

// ConfirmationPage is part of billing.Subscriptions. Stripe's page of an invoice asks the donor's bank to confirm the
// payment, or takes another card (https://docs.stripe.com/invoicing/hosted-invoice-page).
func (s *Stripe) ConfirmationPage(ctx context.Context, entity, invoice string) (string, error) {
	a, err := s.account(entity)
	if err != nil {
		return "", err
	}
	params := &stripe.InvoiceParams{}
	params.Context = ctx
	in, err := a.api.Invoices.Get(invoice, params)
	if err != nil {
		err = translate(err)
	}
	switch {
	case errors.Is(err, errMissing):
		return "", nil
	case err != nil:
		return "", err
	case in.Status != stripe.InvoiceStatusOpen || in.HostedInvoiceURL == "":
		return "", nil
	}
	return in.HostedInvoiceURL, s.checkPage(in.HostedInvoiceURL, in.ID)
}

// UseNewestPaymentMethod is part of billing.Subscriptions. Stripe prefers a subscription's own payment method to its
// customer's, so it is set on each subscription.
func (s *Stripe) UseNewestPaymentMethod(ctx context.Context, o billing.Target, customer string) (*billing.PaymentMethod, error) {
	a, err := s.account(o.Entity)
	if err != nil {
		return nil, err
	}
	get := &stripe.CustomerParams{}
	get.Context = ctx
	get.AddExpand("invoice_settings.default_payment_method")
	c, err := a.api.Customers.Get(customer, get)
	if err != nil {
		return nil, translate(err)
	}
	if c.InvoiceSettings == nil || c.InvoiceSettings.DefaultPaymentMethod == nil {
		return nil, nil
	}
	method := remote.PaymentMethod(c.InvoiceSettings.DefaultPaymentMethod)
	return method, s.update(ctx, o, func(params *stripe.SubscriptionParams) {
		params.DefaultPaymentMethod = stripe.String(method.ID)
	})
}

// StopCollection is part of billing.Subscriptions.
func (s *Stripe) StopCollection(ctx context.Context, o billing.Target, invoice string) error {
	a, err := s.account(o.Entity)
	if err != nil {
		return err
	}
	params := &stripe.InvoiceParams{AutoAdvance: stripe.Bool(false)}
	params.Context = ctx
	params.SetIdempotencyKey(o.Key)
	if _, err := a.api.Invoices.Update(invoice, params); err != nil {
		return translate(err)
	}
	return nil
}

// RetryPayment is part of billing.Subscriptions. It does nothing while a bank processes a payment of the invoice. It
// returns false if the card is declined, or if the invoice is neither open nor paid.
func (s *Stripe) RetryPayment(ctx context.Context, o billing.Target, invoice string) (bool, error) {
	a, err := s.account(o.Entity)
	if err != nil {
		return false, err
	}
	get := &stripe.InvoiceParams{}
	get.Context = ctx
	get.AddExpand("payment_intent")
	in, err := a.api.Invoices.Get(invoice, get)
	if err != nil {
		return false, translate(err)
	}
	if in.Status != stripe.InvoiceStatusOpen && in.Status != stripe.InvoiceStatusUncollectible {
		return in.Status == stripe.InvoiceStatusPaid, nil
	}
	if remote.InFlight(in) {
		return true, nil
	}
	params := &stripe.InvoicePayParams{OffSession: stripe.Bool(true)}
	params.Context = ctx
	params.SetIdempotencyKey(o.Key)
	_, err = a.api.Invoices.Pay(invoice, params)
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.Type == stripe.ErrorTypeCard {
		return false, nil
	}
	if err != nil {
		return false, translate(err)
	}
	return true, nil
}
