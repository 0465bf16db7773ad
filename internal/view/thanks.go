package view

import (
	"io"
	"time"

	"konbit/internal/platform/money"
)

// ThanksState is what is known of a gift when its donor comes back.
type ThanksState int

// The states of the page after payment. Unknown is the answer to any link that
// does not lead to a gift, so that trying links teaches nothing.
const (
	ThanksUnknown ThanksState = iota
	ThanksPaid
	ThanksSettling     // a card's answer is still on its way
	ThanksSettlingBank // a bank account's answer takes days
	ThanksUnpaid
)

// ThanksPage tells what became of a gift. It shows nothing of the person.
type ThanksPage struct {
	Frame
	Organisation Organisation
	State        ThanksState
	Amount       money.Amount // of ThanksPaid and the settling states
	Covered      money.Amount // of Amount, what was added for the processing fee; zero: nothing
	Purposes     []Purpose    // of ThanksPaid: they sum to Amount
	FormURL      string       // the organisation's form; for ThanksUnpaid with all that was typed kept
	Refresh      *Refresh     // for ThanksSettling, until it has taken too long
	NextDonor    *Refresh     // on a tablet that donors share: to the empty form, for the next one
}

// LookAgain makes the page load URL after a while, by itself.
type Refresh struct {
	URL   string
	After time.Duration // whole seconds
}

// Seconds is After in whole seconds, at least one.
func (a Refresh) Seconds() int { return max(1, int(a.After/time.Second)) }

// Paid, Settling, Bank and Unpaid let a template ask for the state.
func (s ThanksState) Paid() bool     { return s == ThanksPaid }
func (s ThanksState) Settling() bool { return s == ThanksSettling || s == ThanksSettlingBank }
func (s ThanksState) Bank() bool     { return s == ThanksSettlingBank }
func (s ThanksState) Unpaid() bool   { return s == ThanksUnpaid }

// Split tells whether the gift is for several funds.
func (p ThanksPage) Split() bool { return len(p.Purposes) > 1 }

// Thanks writes the page after payment.
func (v *View) Thanks(w io.Writer, p ThanksPage) error {
	return v.write(w, "thanks", p.Language, p)
}
