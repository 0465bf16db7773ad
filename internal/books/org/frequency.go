package org

import "time"

// Step is when payment n+1 of those begun at anchor is due: the same time of day in UTC, n weeks, months, quarters or years
// on. A month too short for the anchor's day has it on its last day, and the next long enough month has the anchor's day
// again; so it is done at Stripe (https://docs.stripe.com/billing/subscriptions/billing-cycle), and no month is left out.
func (f Frequency) Step(anchor time.Time, n int) time.Time {
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

// Most is how many payments a donor may promise at most: twenty years of them.
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
