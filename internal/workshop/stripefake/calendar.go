package stripefake

import "time"

// A subscription's periods end at its anchor plus whole intervals, in UTC, without daylight saving time. In a
// month that lacks the anchor's day, the period ends on the last day; the next month uses the anchor's day
// again (docs.stripe.com/billing/subscriptions/billing-cycle).

// boundary returns the moment n intervals after the anchor, in Unix seconds.
func boundary(anchor int64, every object, n int64) int64 {
	n *= every.num("interval_count")
	at := time.Unix(anchor, 0).UTC()
	switch every.str("interval") {
	case "day":
		return anchor + n*day
	case "week":
		return anchor + n*7*day
	case "year":
		n *= 12
	}
	first := time.Date(at.Year(), at.Month()+time.Month(n), 1, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	lastDay := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(at.Day(), lastDay)-1).Unix()
}

// boundaryAfter returns the first boundary later than moment. The anchor is the first boundary.
func boundaryAfter(anchor int64, every object, moment int64) int64 {
	longestDays := map[string]int64{"day": 1, "week": 7, "month": 31, "year": 366}[every.str("interval")] * every.num("interval_count")
	n := max(0, (moment-anchor)/(longestDays*day)-1) // a lower bound, since longestDays is the longest interval
	for boundary(anchor, every, n) <= moment {
		n++
	}
	return boundary(anchor, every, n)
}

// boundariesAfter returns the nth boundary later than moment.
func boundariesAfter(anchor int64, every object, moment, n int64) int64 {
	for range n {
		moment = boundaryAfter(anchor, every, moment)
	}
	return moment
}
