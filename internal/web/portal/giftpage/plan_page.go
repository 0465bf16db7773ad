package giftpage

import (
	"io"
	"strings"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/view"
)

// PlanPage shows a recurring gift and what its donor can change. It shows nothing about the person.
type PlanPage struct {
	view.Frame
	Organisation view.Organisation
	Action       string // address of all its forms: GET explains a change, POST makes it
	SubmissionID string // one-time id of the form that stops the gift
	Token        string // for the forms: of the session, or of the opened link
	Own          bool   // it was opened in a session, not by the link of an email

	Status        string // active, paused, finished, cancelled or failed
	Ended         string // why it ended, as plan.Cause; empty if that is not known
	Held          bool   // a payment is disputed, and nothing is charged meanwhile
	Amount        money.Amount
	Covered       money.Amount // part of Amount that is added for the processing fee; may be zero
	Discounted    string       // what the next charge comes to, if a discount lowers it; empty: Amount
	Every         string
	Paid, Of      int       // payments received, and planned; Of is 0 for a plan without a planned end
	Next, Last    time.Time // in the donee's time zone; zero if there is none or it is not known
	Ends          time.Time // when it ends, if that was set at Stripe; zero: it was not
	DeclineReason string    // as view.PlanEmailWords.DeclineReason; empty if the last payment succeeded
	Brand, Last4  string
	CardURL       string // leads to a new payment method
	Parts         []view.Purpose

	Pauses       []int // lengths of a pause that are offered, in months
	Funds        []FundChoice
	Frequencies  []string
	CoverOffered bool
	Entry        PlanEntry

	Done     string // what was done just now: pause, skip, resume, cancel, change; or soon: it is done later
	Confirm  *PlanConfirm
	Problems []fault.Field
	Problem  string // phrase of why the requested change is not possible, if it is not that of a field
	// NeedsSession is the phrase that says why the requested change needs a session; empty if it needs none. The donor came
	// by a link. Proof sends a code for it.
	NeedsSession string
	Proof        PlanProof
	Again        bool // the form that was posted is of an earlier page; nothing was changed
}

// PlanProof is the form that sends a code to the donor, after which the requested change is shown again in a session.
type PlanProof struct {
	Action string
	Values []view.FormValue // the requested change
}

// FundChoice is a fund that the gift may be for.
type FundChoice struct{ Slug, Name string }

// PlanEntry is a change as it was typed.
type PlanEntry struct {
	Amount, Frequency, Fund, Date string
	CoverFees                     bool
	Reason                        string // why the gift stops
}

// PlanChange is the result of a change.
type PlanChange struct {
	Kind   string // pause, skip, resume or change
	Amount money.Amount
	Every  string
	Next   time.Time
	Months int
	Funds  []string
}

// PlanConfirm explains a change and has the button that makes it.
type PlanConfirm struct {
	PlanChange
	Do, SubmissionID string
	Values           []view.FormValue
}

// planData is a PlanPage in words, as the template plan.html reads it.
type planData struct {
	PlanPage
	Title           string
	Facts           []view.Fact
	ConfirmText     string
	Errors          []view.FormError
	FieldErrors     map[string]string
	ChargeScheduled bool
	Ongoing         bool // active or paused
	StatusText      string
	DeclineText     string // why the last payment failed; empty if it succeeded
}

// Write writes the page.
func (p PlanPage) Write(w io.Writer, v *view.View) error {
	say := func(key string, args ...any) string { return v.Phrase(p.Language, key, args...) }
	d := planData{PlanPage: p, Title: say("plan.title", "organisation", p.Organisation.Name), FieldErrors: map[string]string{}}
	d.ChargeScheduled, d.Ongoing = p.Status == "active" && !p.Next.IsZero(), p.Status == "active" || p.Status == "paused"
	d.Facts = []view.Fact{{Label: say("plan.gift"), Value: say("plan.gift_every", "amount", p.Amount, "every", say("plan.every."+p.Every))}}
	fact := func(label, value string) { d.Facts = append(d.Facts, view.Fact{Label: label, Value: value}) }
	if p.Discounted != "" {
		fact(say("plan.discounted"), say("plan.discounted_to", "amount", p.Discounted))
	}
	if !p.Covered.IsZero() {
		fact(say("plan.covered"), p.Covered.Format(string(p.Language)))
	}
	d.StatusText = say(statusKey("plan.status.", p.Status, p.Ended))
	switch {
	case p.Held:
		d.StatusText = say("plan.status.held")
	case !p.Ends.IsZero():
		d.StatusText = say("plan.status.ending", "date", phrase.Date(p.Language, p.Ends))
	case p.DeclineReason != "" && p.Status == "active":
		d.StatusText = say("plan.status.failing")
	}
	fact(say("plan.paid"), p.paidText(v))
	if !p.Next.IsZero() {
		fact(say("plan.next"), phrase.Date(p.Language, p.Next))
	}
	if !p.Ends.IsZero() {
		fact(say("plan.ends"), phrase.Date(p.Language, p.Ends))
	} else if !p.Last.IsZero() {
		fact(say("plan.last"), phrase.Date(p.Language, p.Last))
	}
	if p.Brand+p.Last4 != "" && d.Ongoing {
		fact(say("plan.paid_by"), v.CardName(p.Language, p.Brand, p.Last4))
	}
	if p.DeclineReason != "" {
		d.DeclineText = v.PhraseN(p.Language, "plan.why."+p.DeclineReason, p.Paid)
	}
	if p.Confirm != nil {
		d.ConfirmText = p.Confirm.text(v, p.Language)
		if p.Discounted != "" && p.Confirm.Do == "change" {
			d.ConfirmText += " " + say("plan.discount_applies")
		}
	}
	f := v.NewForm(p.Language, p.Problems)
	for _, problem := range f.Problems() {
		d.FieldErrors[problem.Name] = f.ErrorText(problem.Name)
	}
	d.Errors = f.Errors(planTarget)
	for i, problem := range d.Errors {
		if key := planLabels[problem.Target]; key != "" {
			d.Errors[i].Field = strings.TrimRight(say(key), ":?.")
		}
	}
	return v.Write(w, "portal/plan", p.Language, d)
}

// statusKey returns the phrase key of a gift's status. The phrase names the cause of an end only if the cause is known.
func statusKey(prefix, status, ended string) string {
	switch {
	case status != "cancelled" && status != "failed":
		return prefix + status
	case ended == "asked" || ended == "unpaid" || ended == "disputed":
		return prefix + "stopped_" + ended
	}
	return prefix + "stopped"
}

// planLabels are the keys of the labels of the page's fields, by the id of the field.
var planLabels = map[string]string{
	"amount": "plan.amount", "frequency": "plan.how_often", "fund": "plan.fund", "date": "plan.date", "months": "plan.months",
}

// planTarget returns the id of the element that belongs to a field of a change.
func planTarget(name string) string {
	switch name {
	case "amount", "frequency", "fund", "date", "months", "cover_fees":
		return name
	case "amount_other":
		return "amount"
	}
	return "change"
}

// paidText returns how many payments were received, and of how many.
func (p PlanPage) paidText(v *view.View) string {
	if p.Of == 0 {
		return v.PhraseN(p.Language, "plan.paid_so_far", p.Paid)
	}
	return v.Phrase(p.Language, "plan.paid_of", "paid", p.Paid, "of", p.Of)
}

// text returns the result of a change in words.
func (c PlanChange) text(v *view.View, lang phrase.Language) string {
	return v.Phrase(lang, "plan.confirm."+c.Kind,
		"amount", c.Amount, "every", v.Phrase(lang, "plan.every."+c.Every), "next", phrase.Date(lang, c.Next), "funds", v.List(lang, c.Funds))
}
