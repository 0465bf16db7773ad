package plan

import (
	"time"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
)

// dateTolerance is how far two dates of the same charge can differ: a clock was adjusted, or the donor stayed on the
// payment page.
const dateTolerance = 12 * time.Hour

// DateAfter returns the date of the charge n periods after at, as Stripe counts: in a short month it is the last day,
// and in the months after it the plan's own day again.
func (p Plan) DateAfter(at time.Time, n int) time.Time {
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
	last := p.DateAfter(*p.NextAt, remaining-1)
	return &last
}

// ChargeAfterPause returns the first charge at or after the end of a pause. next is one of the plan's dates.
func (p Plan) ChargeAfterPause(next, until time.Time) time.Time {
	for n := 0; ; n++ {
		if at := p.DateAfter(next, n); !at.Before(until) {
			return at
		}
	}
}

// ScheduleLength returns how many periods the schedule needs so that each payment to come has a period: the periods
// since its start, with the current one, plus one for each payment to come. pending: the current period's invoice can
// still be paid.
func (p Plan) ScheduleLength(phaseStart, periodEnd time.Time, pending bool) int {
	elapsed := 0
	for p.DateAfter(phaseStart, elapsed).Before(periodEnd.Add(-dateTolerance)) {
		elapsed++
	}
	remaining := *p.Total - p.Paid
	if pending {
		remaining--
	}
	return elapsed + max(remaining, 0)
}

// IsBehind reports whether a plan of N payments has had more periods than payments were counted.
func (p Plan) IsBehind(s billing.RemoteSubscription) bool {
	return p.Total != nil && !p.Status.IsEnded() && p.BegunAt != nil && p.DateAfter(*p.BegunAt, p.Paid).Before(s.PeriodEnd.Add(-dateTolerance))
}

// minLeadTime is how far in the future a subscription's first charge must be. Charges due before are outstanding.
const minLeadTime = time.Minute

// NextAfterMigration returns the first date of a charge that the new subscription can make, and the dates before it
// that no subscription charged. Dates in a pause are not among them.
func (p Plan) NextAfterMigration(periodEnd, now time.Time) (next time.Time, missed []time.Time) {
	for next = periodEnd; next.Before(now.Add(minLeadTime)); next = p.DateAfter(next, 1) {
		if p.Status != Paused || p.PausedUntil != nil && !next.Before(*p.PausedUntil) {
			missed = append(missed, next)
		}
	}
	return next, missed
}

// SetNext sets the next charge, or clears it if the subscription ends first.
func (p *Plan) SetNext(at time.Time) {
	p.NextAt = &at
	if p.EndsAt != nil && !at.Before(*p.EndsAt) {
		p.NextAt = nil
	}
}

// FollowDates takes over from the subscription when the plan is charged next, whether it is paused, and when it ends.
func (p *Plan) FollowDates(s billing.RemoteSubscription) {
	p.EndsAt = p.endSetAtStripe(s)
	p.SetNext(s.PeriodEnd)
	switch {
	case p.Status == Started:
	case s.Paused:
		p.Status, p.PausedUntil, p.NextAt = Paused, s.PausedUntil, nil
		if s.PausedUntil != nil {
			p.SetNext(p.ChargeAfterPause(s.PeriodEnd, *s.PausedUntil))
		}
	default:
		p.Status, p.PausedUntil = Active, nil
	}
}

// ChangesSince returns the kinds of the events about what FollowDates took over: the end that was set or removed, and the
// pause. It returns no event for a pause that ends on its date.
func (p Plan) ChangesSince(before Plan, now time.Time) (events []string) {
	switch {
	case p.EndsAt != nil && !isSameSecond(p.EndsAt, before.EndsAt):
		events = append(events, EventEndSet)
	case p.EndsAt == nil && before.EndsAt != nil:
		events = append(events, EventEndRemoved)
	}
	switch {
	case p.Status == Paused && (before.Status == Active || !isSameSecond(p.PausedUntil, before.PausedUntil)):
		events = append(events, EventPausedAtStripe)
	case p.Status == Active && before.Status == Paused && (before.PausedUntil == nil || before.PausedUntil.After(now)):
		events = append(events, EventResumedAtStripe)
	}
	return events
}

// isSameSecond reports whether two times are the same at Stripe, which counts in seconds, or both nil.
func isSameSecond(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Unix() == b.Unix()
}

// endSetAtStripe returns the date on which the subscription ends, if a person or a program set it at Stripe; else nil. A
// plan of N payments has a schedule, which ends the subscription too: its end counts only if it is earlier than Konbit
// set it.
func (p *Plan) endSetAtStripe(s billing.RemoteSubscription) *time.Time {
	if s.EndsAt == nil || s.ScheduleID == "" || p.Total == nil {
		return s.EndsAt
	}
	if p.PhaseStart == nil || !s.EndsAt.Before(p.DateAfter(*p.PhaseStart, p.Iterations).Add(-dateTolerance)) {
		return nil
	}
	return s.EndsAt
}
