package give

import (
	"io"
	"time"

	"konbit/internal/platform/money"
	"konbit/internal/view"
)

// ThanksState is what is known of a gift when its donor comes back from the payment page.
type ThanksState int

// The states of the page after payment. ThanksUnknown is shown for every link that does not lead to a gift, so that
// trying links reveals nothing.
const (
	ThanksUnknown ThanksState = iota
	ThanksPaid
	ThanksSettling     // the result of a card payment has not arrived yet
	ThanksSettlingBank // a bank debit takes days
	ThanksUnpaid
)

// ThanksPage shows the result of a gift. It shows nothing about the person.
type ThanksPage struct {
	view.Frame
	Organisation view.Organisation
	State        ThanksState
	Amount       money.Amount   // for ThanksPaid and the settling states
	Covered      money.Amount   // part of Amount that was added for the processing fee; may be zero
	Purposes     []view.Purpose // for ThanksPaid; they sum to Amount without Covered
	Every        string         // of a recurring gift, which begins with this one; empty: a gift once
	Of           int            // how many gifts it will be in all; 0: until the donor stops it
	FormURL      string         // the organisation's form; for ThanksUnpaid with all that was typed
	Refresh      *Refresh       // for ThanksSettling; nil once it has taken too long
	NextDonor    *Refresh       // on a tablet that donors share: back to the empty form; else nil
}

// Refresh makes the page load URL by itself after a delay.
type Refresh struct {
	URL   string
	After time.Duration // whole seconds
}

// Seconds returns After in whole seconds, at least one.
func (r Refresh) Seconds() int { return max(1, int(r.After/time.Second)) }

// The template reads the state by these methods.

func (s ThanksState) Paid() bool     { return s == ThanksPaid }
func (s ThanksState) Settling() bool { return s == ThanksSettling || s == ThanksSettlingBank }
func (s ThanksState) Bank() bool     { return s == ThanksSettlingBank }
func (s ThanksState) Unpaid() bool   { return s == ThanksUnpaid }

// Split reports whether the gift is for several funds.
func (p ThanksPage) Split() bool { return len(p.Purposes) > 1 }

// Write writes the page.
func (p ThanksPage) Write(w io.Writer, v *view.View) error {
	return v.Write(w, "give/thanks", p.Language, p)
}
