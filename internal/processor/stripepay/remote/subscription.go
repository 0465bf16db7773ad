package remote

import (
	"strings"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
)

// Subscription translates a subscription that was read with its latest invoice and its payment methods.
func Subscription(sub *stripe.Subscription) billing.RemoteSubscription {
	remote := billing.RemoteSubscription{
		Status: string(sub.Status), PeriodEnd: time.Unix(sub.CurrentPeriodEnd, 0).UTC(), EndsAt: timeOf(sub.CancelAt),
		PaymentMethod: PaymentMethod(ChargedMethod(sub)), LatestInvoice: latestInvoice(sub.LatestInvoice), AnchorDay: AnchorDay(sub),
		Currency: strings.ToUpper(string(sub.Currency)),
	}
	if sub.Customer != nil {
		remote.CustomerID = sub.Customer.ID
	}
	if sub.Schedule != nil {
		remote.ScheduleID = sub.Schedule.ID
	}
	if sub.CancelAtPeriodEnd {
		remote.EndsAt = &remote.PeriodEnd
	}
	if sub.CancellationDetails != nil {
		remote.EndReason = endReasons[sub.CancellationDetails.Reason]
	}
	if pause := sub.PauseCollection; pause != nil {
		remote.Paused, remote.PausedUntil = true, timeOf(pause.ResumesAt)
	}
	remote.AmountMinor, remote.Frequency = termsOf(sub)
	return remote
}

var endReasons = map[stripe.SubscriptionCancellationDetailsReason]billing.EndReason{
	stripe.SubscriptionCancellationDetailsReasonPaymentFailed:         billing.EndedUnpaid,
	stripe.SubscriptionCancellationDetailsReasonPaymentDisputed:       billing.EndedDisputed,
	stripe.SubscriptionCancellationDetailsReasonCancellationRequested: billing.EndedByCall,
}

func timeOf(unix int64) *time.Time {
	if unix == 0 {
		return nil
	}
	at := time.Unix(unix, 0).UTC()
	return &at
}

// termsOf returns the sum of a subscription's items, in minor units, and how often it is charged.
func termsOf(sub *stripe.Subscription) (amount int64, every org.Frequency) {
	if sub.Items == nil || len(sub.Items.Data) == 0 {
		return 0, ""
	}
	for _, item := range sub.Items.Data {
		if item.Price != nil {
			amount += item.Price.UnitAmount * item.Quantity
		}
	}
	if first := sub.Items.Data[0].Price; first != nil && first.Recurring != nil {
		every = frequency(string(first.Recurring.Interval), first.Recurring.IntervalCount)
	}
	return amount, every
}

// HasDiscount reports whether a discount of a subscription, or of its customer, can lower its next charge. A subscription
// that has ended has no next charge, so it returns false.
func HasDiscount(sub *stripe.Subscription) bool {
	if sub.Status == stripe.SubscriptionStatusCanceled || sub.Status == stripe.SubscriptionStatusIncompleteExpired {
		return false
	}
	return sub.Discount != nil || len(sub.Discounts) > 0 || sub.Customer != nil && sub.Customer.Discount != nil
}

// frequency returns a frequency of Stripe's in Konbit's terms; empty if no plan has it. A year is twelve months.
func frequency(interval string, count int64) org.Frequency {
	interval, count = inMonths(interval, count)
	for _, f := range org.Frequencies() {
		ownInterval, n := inMonths(Interval(f))
		if f != org.Once && ownInterval == interval && n == count {
			return f
		}
	}
	return ""
}

func inMonths(interval string, count int64) (string, int64) {
	if interval == "year" {
		return "month", 12 * count
	}
	return interval, count
}

// Interval returns a frequency in Stripe's terms.
func Interval(f org.Frequency) (interval string, count int64) {
	switch f {
	case org.Weekly:
		return "week", 1
	case org.Quarterly:
		return "month", 3
	case org.Yearly:
		return "year", 1
	}
	return "month", 1
}

// AnchorDay returns the day of the month on which a subscription charges, in shorter months the last; 0 if unknown.
func AnchorDay(sub *stripe.Subscription) int {
	if sub.BillingCycleAnchorConfig != nil {
		return int(sub.BillingCycleAnchorConfig.DayOfMonth)
	}
	if sub.BillingCycleAnchor == 0 {
		return 0
	}
	return time.Unix(sub.BillingCycleAnchor, 0).UTC().Day()
}
