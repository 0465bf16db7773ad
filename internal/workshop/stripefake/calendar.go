package stripefake

import "time"

// A subscription's periods end at its anchor plus whole intervals, in UTC, whatever clocks do where people live. Months
// without the anchor's day end on their last one, and the next month goes back to the anchor's day
// (docs.stripe.com/billing/subscriptions/billing-cycle).

// boundary is the moment n intervals after the anchor.
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

// boundaryAfter is the first boundary later than a moment; the anchor itself is one, and none comes before it.
func boundaryAfter(anchor int64, every object, moment int64) int64 {
	longestDays := map[string]int64{"day": 1, "week": 7, "month": 31, "year": 366}[every.str("interval")] * every.num("interval_count")
	n := max(0, (moment-anchor)/(longestDays*day)-1) // never too far: no interval is longer
	for boundary(anchor, every, n) <= moment {
		n++
	}
	return boundary(anchor, every, n)
}

// boundariesAfter is the nth boundary later than a moment.
func boundariesAfter(anchor int64, every object, moment, n int64) int64 {
	for range n {
		moment = boundaryAfter(anchor, every, moment)
	}
	return moment
}
