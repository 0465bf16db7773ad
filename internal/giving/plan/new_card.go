package plan

import (
	"slices"

	"github.com/google/uuid"
)

// ForNewCard returns the plan whose customer gets the donor's new card, and how many plans are running. It prefers a plan
// whose payments fail. chosen is nil if no running plan has a customer.
func ForNewCard(all []Plan) (chosen *Plan, running int) {
	for i := range all {
		p := &all[i]
		if !p.Status.IsRunning() || p.CustomerID == nil {
			continue
		}
		running++
		if chosen == nil || chosen.FailingSince == nil && p.FailingSince != nil {
			chosen = p
		}
	}
	return chosen, running
}

// OfCard returns those of a customer's plans that a new card of a donor is for. donor is uuid.Nil if nobody knows who gave
// the card: then it is for all plans, if they are one donor's.
func OfCard(all []Plan, donor uuid.UUID) []Plan {
	if donor != uuid.Nil {
		return slices.DeleteFunc(all, func(p Plan) bool { return p.DonorID != donor })
	}
	if slices.ContainsFunc(all, func(p Plan) bool { return p.DonorID != all[0].DonorID }) {
		return nil
	}
	return all
}

// NewCardUse says what a new card of the donor is for one of their running plans.
type NewCardUse string

// The uses.
const (
	CardNext   NewCardUse = "next"   // it is charged from the next charge on
	CardNow    NewCardUse = "now"    // so is the unpaid invoice, at once
	CardPaused NewCardUse = "paused" // it is charged when the plan goes on
	CardHeld   NewCardUse = "held"   // nothing is charged while a payment is disputed
	CardKept   NewCardUse = "kept"   // the plan keeps its card until it ends
	CardOver   NewCardUse = "over"   // the plan ends before another charge
)

// NewCardUse returns what the donor's new card is for the plan. chosen is what ForNewCard returned. A plan of another
// customer is migrated unless it ends on a date that was set at Stripe, because the new subscription would not end, or
// a payment is disputed, because its unpaid invoice would be charged.
func (p Plan) NewCardUse(chosen Plan) NewCardUse {
	isOwn := p.CustomerID != nil && chosen.CustomerID != nil && *p.CustomerID == *chosen.CustomerID
	switch {
	case p.DisputedSince != nil:
		return CardHeld
	case p.EndsAt != nil && p.NextAt == nil && p.Status == Active && p.FailingSince == nil:
		return CardOver
	case !isOwn && (p.EndsAt != nil || p.SubscriptionID == nil):
		return CardKept
	case p.FailingSince != nil:
		return CardNow
	case p.Status == Paused:
		return CardPaused
	}
	return CardNext
}
