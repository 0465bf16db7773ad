package stripepay

import (
	"context"
	"errors"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/giving/billing"
	"konbit/internal/processor/stripepay/remote"
)

// ReadSubscription is part of billing.Subscriptions. It also reads the latest invoice and the payment method,
// and the next invoice if a discount applies to it.
func (s *Stripe) ReadSubscription(ctx context.Context, entity, subscription string) (billing.RemoteSubscription, error) {
	a, err := s.account(entity)
	if err != nil {
		return billing.RemoteSubscription{}, err
	}
	sub, err := subscriptionOf(ctx, a, subscription)
	if err != nil {
		return billing.RemoteSubscription{}, err
	}
	read := remote.Subscription(sub)
	if remote.HasDiscount(sub) {
		read.Discounted, err = discounted(ctx, a, subscription, read.AmountMinor)
	}
	return read, err
}

// discounted returns what a subscription's next charge comes to; nil if it is the full amount, or if there is none.
func discounted(ctx context.Context, a *account, subscription string, full int64) (*int64, error) {
	params := &stripe.InvoiceUpcomingParams{Subscription: stripe.String(subscription)}
	params.Context = ctx
	in, err := a.api.Invoices.Upcoming(params)
	var refused *stripe.Error
	switch {
	case errors.As(err, &refused) && refused.Code == stripe.ErrorCodeInvoiceUpcomingNone:
		return nil, nil
	case err != nil:
		return nil, translate(err)
	case in.AmountDue == full:
		return nil, nil
	}
	return &in.AmountDue, nil
}

// PaidInvoices is part of billing.Subscriptions. It leaves out invoices over nothing.
func (s *Stripe) PaidInvoices(ctx context.Context, entity, subscription string) (charged []string, elsewhere int, err error) {
	a, err := s.account(entity)
	if err != nil {
		return nil, 0, err
	}
	params := &stripe.InvoiceListParams{Subscription: stripe.String(subscription), Status: stripe.String(string(stripe.InvoiceStatusPaid))}
	params.Context = ctx
	params.Limit = stripe.Int64(100)
	list := a.api.Invoices.List(params)
	for list.Next() {
		if in := list.Invoice(); remote.IsCharged(in) {
			charged = append(charged, in.ID)
		} else if in.Total > 0 {
			elsewhere++
		}
	}
	if err := list.Err(); err != nil {
		return nil, 0, translate(err)
	}
	return charged, elsewhere, nil
}

func subscriptionOf(ctx context.Context, a *account, id string) (*stripe.Subscription, error) {
	params := &stripe.SubscriptionParams{}
	params.Context = ctx
	for _, part := range []string{"default_payment_method", "latest_invoice.payment_intent", "customer.invoice_settings.default_payment_method"} {
		params.AddExpand(part)
	}
	sub, err := a.api.Subscriptions.Get(id, params)
	if err != nil {
		return nil, translate(err)
	}
	return sub, nil
}

// End is part of billing.Subscriptions. It succeeds if the subscription has ended already, or does not exist in the
// account of its customer. It leaves the latest invoice out, so that nothing is collected any more.
func (s *Stripe) End(ctx context.Context, o billing.Target) error {
	a, sub, err := s.read(ctx, o)
	if errors.Is(err, errMissing) {
		return nil
	}
	if err != nil {
		return err
	}
	if sub.Status != stripe.SubscriptionStatusCanceled && sub.Status != stripe.SubscriptionStatusIncompleteExpired {
		if err := endNow(ctx, a, o, sub); err != nil {
			return err
		}
	}
	return s.leaveOut(ctx, a, o, sub.LatestInvoice)
}

// leaveOut makes Stripe collect nothing more for an unpaid invoice: an open one is voided, and a draft, which cannot be
// voided, is not collected. It changes nothing if there is none, if it is paid, also at the same moment, or while a bank
// processes its payment.
func (s *Stripe) leaveOut(ctx context.Context, a *account, o billing.Target, in *stripe.Invoice) error {
	o.Key += ":void"
	switch {
	case in == nil || remote.InFlight(in):
		return nil
	case in.Status == stripe.InvoiceStatusDraft:
		return s.StopCollection(ctx, o, in.ID)
	case in.Status != stripe.InvoiceStatusOpen:
		return nil
	}
	params := &stripe.InvoiceVoidInvoiceParams{}
	params.Context = ctx
	params.SetIdempotencyKey(o.Key)
	_, refused := a.api.Invoices.VoidInvoice(in.ID, params)
	if refused == nil {
		return nil
	}
	get := &stripe.InvoiceParams{}
	get.Context = ctx
	if now, err := a.api.Invoices.Get(in.ID, get); err != nil || now.Status == stripe.InvoiceStatusOpen {
		return translate(refused)
	}
	return nil
}

// endNow cancels the subscription. If it has a schedule, it cancels the schedule, which ends both: Stripe refuses to
// cancel such a subscription alone.
func endNow(ctx context.Context, a *account, o billing.Target, sub *stripe.Subscription) error {
	if sub.Schedule != nil {
		params := &stripe.SubscriptionScheduleCancelParams{InvoiceNow: stripe.Bool(false), Prorate: stripe.Bool(false)}
		params.Context = ctx
		params.SetIdempotencyKey(o.Key + ":schedule")
		if _, err := a.api.SubscriptionSchedules.Cancel(sub.Schedule.ID, params); err != nil {
			return translate(err)
		}
		return nil
	}
	params := &stripe.SubscriptionCancelParams{InvoiceNow: stripe.Bool(false), Prorate: stripe.Bool(false)}
	params.Context = ctx
	params.SetIdempotencyKey(o.Key + ":end")
	if _, err := a.api.Subscriptions.Cancel(o.Subscription, params); err != nil {
		return translate(err)
	}
	return nil
}

// Pause is part of billing.Subscriptions. Stripe voids the invoices of the pause, so nothing is owed for them. A pause at
// Stripe concerns later invoices only (https://docs.stripe.com/billing/subscriptions/pause-payment), so the latest one is
// left out too.
func (s *Stripe) Pause(ctx context.Context, o billing.Target, until *time.Time, draft bool) error {
	a, sub, err := s.read(ctx, o)
	if err != nil {
		return err
	}
	if err := s.pauseLater(ctx, o, until); err != nil || !draft && sub.LatestInvoice != nil && sub.LatestInvoice.Status == stripe.InvoiceStatusDraft {
		return err
	}
	return s.leaveOut(ctx, a, o, sub.LatestInvoice)
}

// Hold is part of billing.Subscriptions. The latest invoice stays open, because the dispute may be won.
func (s *Stripe) Hold(ctx context.Context, o billing.Target) error {
	_, sub, err := s.read(ctx, o)
	if err != nil || sub.Status == stripe.SubscriptionStatusCanceled {
		return err
	}
	if err := s.pauseLater(ctx, o, nil); err != nil {
		return err
	}
	if in := sub.LatestInvoice; in != nil && (in.Status == stripe.InvoiceStatusDraft || in.Status == stripe.InvoiceStatusOpen) {
		o.Key += ":latest"
		return s.StopCollection(ctx, o, in.ID)
	}
	return nil
}

// read returns the account and the subscription of a call.
func (s *Stripe) read(ctx context.Context, o billing.Target) (*account, *stripe.Subscription, error) {
	a, err := s.account(o.Entity)
	if err != nil {
		return nil, nil, err
	}
	sub, err := subscriptionOf(ctx, a, o.Subscription)
	return a, sub, verifyMissing(ctx, a, o, err)
}

// verifyMissing returns the error of a call for a subscription. If the subscription is missing, and its customer too or
// not known, it returns billing.ErrWrongKey instead.
func verifyMissing(ctx context.Context, a *account, o billing.Target, err error) error {
	if !errors.Is(err, errMissing) {
		return err
	}
	if _, wrong := customerOf(ctx, a, o.Customer); wrong != nil {
		return wrong
	}
	return err
}

// pauseLater pauses the collection of later invoices until a time; nil: until the subscription is resumed.
func (s *Stripe) pauseLater(ctx context.Context, o billing.Target, until *time.Time) error {
	return s.update(ctx, o, func(params *stripe.SubscriptionParams) {
		params.PauseCollection = &stripe.SubscriptionPauseCollectionParams{
			Behavior: stripe.String(string(stripe.SubscriptionPauseCollectionBehaviorVoid)),
		}
		if until != nil {
			params.PauseCollection.ResumesAt = stripe.Int64(until.Unix())
		}
	})
}

// Resume is part of billing.Subscriptions. It returns the end of the current period, when the next charge is made.
func (s *Stripe) Resume(ctx context.Context, o billing.Target) (next time.Time, err error) {
	sub, err := s.updated(ctx, o, func(params *stripe.SubscriptionParams) { params.AddExtra("pause_collection", "") })
	if err != nil {
		return next, err
	}
	return time.Unix(sub.CurrentPeriodEnd, 0).UTC(), nil
}

func (s *Stripe) update(ctx context.Context, o billing.Target, set func(*stripe.SubscriptionParams)) error {
	_, err := s.updated(ctx, o, set)
	return err
}

func (s *Stripe) updated(ctx context.Context, o billing.Target, set func(*stripe.SubscriptionParams)) (*stripe.Subscription, error) {
	a, err := s.account(o.Entity)
	if err != nil {
		return nil, err
	}
	params := &stripe.SubscriptionParams{}
	params.Context = ctx
	params.SetIdempotencyKey(o.Key)
	set(params)
	sub, err := a.api.Subscriptions.Update(o.Subscription, params)
	if err != nil {
		return nil, verifyMissing(ctx, a, o, translate(err))
	}
	return sub, nil
}

// Refund is part of billing.Subscriptions. It refunds a whole charge; it does nothing if a part was refunded already.
func (s *Stripe) Refund(ctx context.Context, o billing.Target, charge string) error {
	return s.Refunds().Whole(ctx, o.Entity, charge, o.Key)
}
