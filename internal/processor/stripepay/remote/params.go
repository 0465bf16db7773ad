package remote

import (
	"maps"
	"strings"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
)

// NewSubscriptionParams returns the parameters that create a subscription.
func NewSubscriptionParams(b billing.NewSubscription) *stripe.SubscriptionParams {
	interval, count := Interval(b.Frequency)
	params := &stripe.SubscriptionParams{
		Customer: stripe.String(b.Customer), DefaultPaymentMethod: stripe.String(b.PaymentMethod), OffSession: stripe.Bool(true),
		ProrationBehavior: stripe.String("none"),
		Items: []*stripe.SubscriptionItemsParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.SubscriptionItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(b.Currency)), Product: stripe.String(b.Product), UnitAmount: stripe.Int64(b.AmountMinor),
				Recurring: &stripe.SubscriptionItemPriceDataRecurringParams{Interval: stripe.String(interval), IntervalCount: stripe.Int64(count)},
			},
		}},
	}
	params.AddExpand("default_payment_method")
	params.Metadata = maps.Clone(b.Metadata)
	if b.AnchorDay <= 28 || b.Frequency == org.Weekly {
		params.BillingCycleAnchor = stripe.Int64(b.Next.Unix())
		return params
	}
	params.BillingCycleAnchorConfig = &stripe.SubscriptionBillingCycleAnchorConfigParams{
		DayOfMonth: stripe.Int64(int64(b.AnchorDay)), Hour: stripe.Int64(int64(b.Next.Hour())), Minute: stripe.Int64(int64(b.Next.Minute())),
		Second: stripe.Int64(int64(b.Next.Second())),
	}
	if b.Frequency != org.Monthly {
		params.BillingCycleAnchorConfig.Month = stripe.Int64(int64(b.Next.Month()))
	}
	return params
}

// PhaseParams returns the parameters that repeat a phase, without its length. It names the subscription's payment
// method: an update replaces the whole phase, and a phase without one would go back to the method from before the donor
// changed it.
func PhaseParams(phase *stripe.SubscriptionSchedulePhase, sub *stripe.Subscription) *stripe.SubscriptionSchedulePhaseParams {
	params := &stripe.SubscriptionSchedulePhaseParams{
		StartDate: stripe.Int64(phase.StartDate), ProrationBehavior: stripe.String("none"), Metadata: sub.Metadata,
	}
	if sub.DefaultPaymentMethod != nil {
		params.DefaultPaymentMethod = stripe.String(sub.DefaultPaymentMethod.ID)
	}
	for _, item := range phase.Items {
		params.Items = append(params.Items, &stripe.SubscriptionSchedulePhaseItemParams{
			Price: stripe.String(item.Price.ID), Quantity: stripe.Int64(max(item.Quantity, 1)),
		})
	}
	return params
}

// ItemsParams returns the parameters that replace all items by one.
func ItemsParams(sub *stripe.Subscription, to billing.ChargeTerms) []*stripe.SubscriptionItemsParams {
	interval, count := Interval(to.Frequency)
	var items []*stripe.SubscriptionItemsParams
	for i, item := range sub.Items.Data {
		if i > 0 {
			items = append(items, &stripe.SubscriptionItemsParams{ID: stripe.String(item.ID), Deleted: stripe.Bool(true)})
			continue
		}
		items = append(items, &stripe.SubscriptionItemsParams{
			ID: stripe.String(item.ID), Quantity: stripe.Int64(1),
			PriceData: &stripe.SubscriptionItemPriceDataParams{
				Currency: stripe.String(strings.ToLower(to.Currency)), Product: stripe.String(item.Price.Product.ID), UnitAmount: stripe.Int64(to.AmountMinor),
				Recurring: &stripe.SubscriptionItemPriceDataRecurringParams{Interval: stripe.String(interval), IntervalCount: stripe.Int64(count)},
			},
		})
	}
	return items
}
