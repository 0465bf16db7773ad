package giftpage

import (
	"io"

	"konbit/internal/platform/money"
	"konbit/internal/view"
)

// PaymentMethodPage leads to Stripe's page for a new payment method for all recurring gifts of a donor.
type PaymentMethodPage struct {
	view.Frame
	Organisation view.Organisation
	Action       string
	Token        string        // for the form: of the session, or of the opened link
	Plans        []PlanSummary // active and paused plans
	Done         bool          // the donor comes back from Stripe's page
	NeedsSession bool          // the donor came by a link: Action sends a code
	Confirm      bool          // the last payment waits until the donor confirms it with their bank
}

// PlanSummary is a recurring gift and the payment method it is charged to.
type PlanSummary struct {
	Organisation string
	Amount       money.Amount
	Every        string
	Brand, Last4 string
	NewCard      string // what the new card is for it, as plan.NewCardUse; empty: not shown
}

// Write writes the page.
func (p PaymentMethodPage) Write(w io.Writer, v *view.View) error {
	type line struct{ Gift, Card, Use string }
	data := struct {
		PaymentMethodPage
		Lines []line
	}{PaymentMethodPage: p}
	for _, l := range p.Plans {
		use := ""
		if l.NewCard != "" && !p.Done {
			use = v.Phrase(p.Language, "plan.card_use."+l.NewCard)
		}
		data.Lines = append(data.Lines, line{
			v.Phrase(p.Language, "plan.card_line", "amount", l.Amount, "every", v.Phrase(p.Language, "plan.every."+l.Every), "organisation", l.Organisation),
			v.CardName(p.Language, l.Brand, l.Last4), use,
		})
	}
	return v.Write(w, "portal/payment_method", p.Language, data)
}
