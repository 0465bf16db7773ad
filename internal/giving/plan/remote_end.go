package plan

import (
	"time"

	"konbit/internal/giving/billing"
)

// EndAtStripe ends a plan that Stripe charges no more, for the reason that Stripe knows. A person or a program that ended
// the subscription there, or deleted its customer, leaves no reason: the donor's email gives none. It returns the kind
// and detail of the event about which the donor gets an email; empty if the first payment was never made.
func (p *Plan) EndAtStripe(s billing.RemoteSubscription, now time.Time) (event string, d Detail) {
	switch {
	case p.Status == Started:
		p.End(Failed, Unpaid, now)
		return "", d
	case s.Status == "unpaid", s.EndReason == billing.EndedUnpaid, s.EndReason == "" && p.FailingSince != nil:
		p.End(Failed, Unpaid, now)
		if p.FailingCode != nil {
			d.Code = *p.FailingCode
		}
		return EventGivenUp, d
	case s.EndReason == billing.EndedDisputed:
		p.End(Cancelled, Disputed, now)
		return EventStoppedByDispute, d
	}
	p.End(Cancelled, AtStripe, now)
	return EventStoppedAtStripe, d
}
