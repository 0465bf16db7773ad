package stripepay

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/billing"
	"konbit/internal/platform/fault"
	"konbit/internal/processor/stripepay/remote"
)

// Stripe cannot change the customer of a subscription (https://docs.stripe.com/api/subscriptions/update), and a payment
// method belongs to one customer (https://docs.stripe.com/api/payment_methods/attach). So a plan moves to another
// customer by a new subscription.

// Detach is part of billing.Subscriptions. It ends the subscription, marks its unpaid invoice and voids it. It changes
// nothing while a bank processes the invoice's payment.
func (s *Stripe) Detach(ctx context.Context, o billing.Target, mark string) (billing.DetachedSubscription, error) {
	a, sub, err := s.read(ctx, o)
	if err != nil {
		return billing.DetachedSubscription{}, err
	}
	detached := billing.DetachedSubscription{
		PeriodEnd: time.Unix(sub.CurrentPeriodEnd, 0).UTC(), AnchorDay: remote.AnchorDay(sub), Product: sub.Items.Data[0].Price.Product.ID,
		Metadata: sub.Metadata,
	}
	if remote.InFlight(sub.LatestInvoice) {
		detached.InFlight = true
		return detached, nil
	}
	if sub.Status != stripe.SubscriptionStatusCanceled && sub.Status != stripe.SubscriptionStatusIncompleteExpired {
		if err := endNow(ctx, a, o, sub); err != nil {
			return detached, err
		}
	}
	if sub.LatestInvoice != nil {
		detached.Outstanding, err = takeOverInvoice(ctx, a, o, sub.LatestInvoice.ID, mark)
	}
	return detached, err
}

// takeOverInvoice marks and voids an unpaid invoice, so that Stripe stops collecting it. It returns nil if the invoice
// is paid or asks for nothing.
func takeOverInvoice(ctx context.Context, a *account, o billing.Target, invoice, mark string) (*billing.OutstandingInvoice, error) {
	get := &stripe.InvoiceParams{}
	get.Context = ctx
	in, err := a.api.Invoices.Get(invoice, get)
	if err != nil {
		return nil, translate(err)
	}
	unpaid := []stripe.InvoiceStatus{stripe.InvoiceStatusDraft, stripe.InvoiceStatusOpen, stripe.InvoiceStatusUncollectible}
	if in.Metadata[metaMigration] == "" && slices.Contains(unpaid, in.Status) && in.Total > 0 {
		params := &stripe.InvoiceParams{AutoAdvance: stripe.Bool(false)}
		params.Context = ctx
		params.AddMetadata(metaMigration, mark)
		params.SetIdempotencyKey(o.Key + ":mark")
		if in, err = a.api.Invoices.Update(invoice, params); err != nil {
			return nil, translate(err)
		}
	}
	if in.Metadata[metaMigration] == "" {
		return nil, nil
	}
	if in.Status == stripe.InvoiceStatusOpen || in.Status == stripe.InvoiceStatusUncollectible {
		params := &stripe.InvoiceVoidInvoiceParams{}
		params.Context = ctx
		params.SetIdempotencyKey(o.Key + ":void")
		_, voided := a.api.Invoices.VoidInvoice(invoice, params)
		if in, err = a.api.Invoices.Get(invoice, get); err != nil { // it may have been paid at the same moment
			return nil, translate(err)
		}
		if voided != nil && in.Status != stripe.InvoiceStatusPaid && in.Status != stripe.InvoiceStatusVoid {
			return nil, translate(voided)
		}
	}
	if in.Status == stripe.InvoiceStatusPaid {
		return nil, nil
	}
	return &billing.OutstandingInvoice{ID: in.ID, CreatedAt: time.Unix(in.Created, 0).UTC()}, nil
}

// StartSubscription is part of billing.Subscriptions. The subscription costs nothing until its first charge
// (https://docs.stripe.com/billing/subscriptions/billing-cycle). If it charges after the 28th, the day is set by
// number, because the month of the first charge may be shorter.
func (s *Stripe) StartSubscription(ctx context.Context, o billing.Target, b billing.NewSubscription) (billing.StartedSubscription, error) {
	a, err := s.account(o.Entity)
	if err != nil {
		return billing.StartedSubscription{}, err
	}
	sub, err := findMigrated(ctx, a, b)
	if err == nil && sub == nil {
		params := remote.NewSubscriptionParams(b)
		params.Context = ctx
		params.AddMetadata(metaMigration, b.RequestID)
		params.SetIdempotencyKey(o.Key + ":begin")
		sub, err = a.api.Subscriptions.New(params)
	}
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.Type == stripe.ErrorTypeIdempotency {
		// other parameters under the key: the next try has a key of its own
		return billing.StartedSubscription{}, fault.Wrap(fault.Unavailable, "problem.503.text", err)
	}
	if err != nil {
		return billing.StartedSubscription{}, translate(err)
	}
	return billing.StartedSubscription{Subscription: sub.ID, PaymentMethod: remote.PaymentMethod(remote.ChargedMethod(sub))}, nil
}

// findMigrated returns the customer's subscription with a mark; nil if there is none.
func findMigrated(ctx context.Context, a *account, b billing.NewSubscription) (*stripe.Subscription, error) {
	params := &stripe.SubscriptionListParams{Customer: stripe.String(b.Customer), Status: stripe.String("all")}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	params.AddExpand("data.default_payment_method")
	list := a.api.Subscriptions.List(params)
	for list.Next() {
		if sub := list.Subscription(); sub.Metadata[metaMigration] == b.RequestID {
			return sub, nil
		}
	}
	return nil, list.Err()
}

// Collect is part of billing.Subscriptions. It does nothing if a payment for the invoice was made or is processing.
func (s *Stripe) Collect(ctx context.Context, o billing.Target, c billing.Collection) (paid bool, code string, err error) {
	a, err := s.account(o.Entity)
	if err != nil {
		return false, "", err
	}
	if done, err := isCollected(ctx, a, c); err != nil || done {
		return done, "", err
	}
	sub, err := subscriptionOf(ctx, a, o.Subscription)
	if err != nil {
		return false, "", err
	}
	method := remote.ChargedMethod(sub)
	if method == nil {
		return false, "", nil
	}
	params := &stripe.PaymentIntentParams{
		Amount: stripe.Int64(c.AmountMinor), Currency: stripe.String(strings.ToLower(c.Currency)), Customer: stripe.String(c.Customer),
		PaymentMethod: stripe.String(method.ID), PaymentMethodTypes: []*string{stripe.String(string(method.Type))},
		Confirm: stripe.Bool(true), OffSession: stripe.Bool(true),
	}
	params.Context = ctx
	params.Metadata = map[string]string{metaDonation: c.PlanID, metaInvoice: c.Invoice, metaOrganisation: sub.Metadata[metaOrganisation]}
	params.SetIdempotencyKey(o.Key + ":collect")
	_, err = a.api.PaymentIntents.New(params)
	var refused *stripe.Error
	if errors.As(err, &refused) && refused.Type == stripe.ErrorTypeCard {
		code = string(refused.DeclineCode)
		if code == "" {
			code = string(refused.Code)
		}
		return false, code, nil
	}
	if err != nil {
		return false, "", translate(err)
	}
	return true, "", nil
}

// isCollected reports whether a payment for a voided invoice has succeeded or is processing.
func isCollected(ctx context.Context, a *account, c billing.Collection) (bool, error) {
	params := &stripe.PaymentIntentListParams{Customer: stripe.String(c.Customer)}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	list := a.api.PaymentIntents.List(params)
	for list.Next() {
		pi := list.PaymentIntent()
		if pi.Metadata[metaInvoice] == c.Invoice && (pi.Status == stripe.PaymentIntentStatusSucceeded || pi.Status == stripe.PaymentIntentStatusProcessing) {
			return true, nil
		}
	}
	if err := list.Err(); err != nil {
		return false, translate(err)
	}
	return false, nil
}
