package recurring

import (
	"time"

	"konbit/internal/books/org"
)

// dateTolerance is how far two dates of the same charge can differ: a clock was adjusted, or the donor stayed on the
// payment page.
const dateTolerance = 12 * time.Hour

// dateAfter returns the date of the charge n periods after at, as Stripe counts: in a short month it is the last day,
// and in the months after it the plan's own day again.
func (p Plan) dateAfter(at time.Time, n int) time.Time {
	at = p.Frequency.Due(at, n)
	if p.Frequency == org.Weekly || p.AnchorDay <= at.Day() {
		return at
	}
	end := time.Date(at.Year(), at.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return at.AddDate(0, 0, min(p.AnchorDay, end)-at.Day())
}

// LastAt returns the date of the last payment if all payments from the next one on are made in time; nil if the plan
// has no end or no payment is due.
func (p Plan) LastAt() *time.Time {
	remaining, known := p.Remaining()
	if !known || remaining < 1 || p.NextAt == nil {
		return nil
	}
	last := p.dateAfter(*p.NextAt, remaining-1)
	return &last
}

// chargeAfterPause returns the first charge at or after the end of a pause. next is one of the plan's dates.
func (p Plan) chargeAfterPause(next, until time.Time) time.Time {
	for n := 0; ; n++ {
		if at := p.dateAfter(next, n); !at.Before(until) {
			return at
		}
	}
}

// scheduleLength returns how many periods the schedule needs so that each payment to come has a period: the periods
// since its start, with the current one, plus one for each payment to come. pending: the current period's invoice can
// still be paid.
func (p Plan) scheduleLength(phaseStart, periodEnd time.Time, pending bool) int {
	elapsed := 0
	for p.dateAfter(phaseStart, elapsed).Before(periodEnd.Add(-dateTolerance)) {
		elapsed++
	}
	remaining := *p.Total - p.Paid
	if pending {
		remaining--
	}
	return elapsed + max(remaining, 0)
}

// isBehind reports whether a plan of N payments has had more periods than payments were counted.
func (p Plan) isBehind(s RemoteSubscription) bool {
	return p.Total != nil && !p.Status.IsEnded() && p.BegunAt != nil && p.dateAfter(*p.BegunAt, p.Paid).Before(s.PeriodEnd.Add(-dateTolerance))
}
