package giftpage

import (
	"time"

	"konbit/internal/platform/money"
)

// PlanItem is a recurring gift in a list.
type PlanItem struct {
	URL          string
	Organisation string
	Status       string // active, paused, finished, cancelled or failed
	Ended        string // why it ended, as plan.Cause; empty if that is not known
	Amount       money.Amount
	Every        string
	Next         time.Time // next charge in the entity's time zone; zero if there is none
	Ends         time.Time // when it ends, if that was set at Stripe, in the entity's time zone; zero: it was not
	Remaining    int       // payments still to come; negative if the plan has no planned end
	Failing      bool      // the last charge failed
}

// StatusKey returns the phrase key of the gift's status.
func (i PlanItem) StatusKey() string { return statusKey("portal.plan.", i.Status, i.Ended) }

// DateIn returns a time in a time zone; the zero time if there is none.
func DateIn(at *time.Time, loc *time.Location) time.Time {
	if at == nil {
		return time.Time{}
	}
	return at.In(loc)
}
