package org

import "time"

// Due returns when payment n+1 is due, counted from the first payment at anchor: n weeks, months, quarters or years
// later, at the same time of day in UTC. If the month is too short for the anchor's day, the payment is due on its
// last day; later months use the anchor's day again. Stripe does the same
// (https://docs.stripe.com/billing/subscriptions/billing-cycle).
func (f Frequency) Due(anchor time.Time, n int) time.Time {
	anchor = anchor.UTC()
	months := n
	switch f {
	case Weekly:
		return anchor.AddDate(0, 0, 7*n)
	case Quarterly:
		months = 3 * n
	case Yearly:
		months = 12 * n
	}
	year, month, day := anchor.Date()
	first := time.Date(year, month+time.Month(months), 1, anchor.Hour(), anchor.Minute(), anchor.Second(), anchor.Nanosecond(), time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(day, last)-1)
}

// Most returns the maximum number of payments of a plan: those of twenty years.
func (f Frequency) Most() int {
	switch f {
	case Weekly:
		return 1040
	case Monthly:
		return 240
	case Quarterly:
		return 80
	case Yearly:
		return 20
	}
	return 1
}
