package view

import (
	"io"
	"time"

	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// PlanPage shows a recurring gift and what its donor can do to it. It shows nothing of the person.
type PlanPage struct {
	Frame
	Organisation Organisation
	Action       string // of all its forms: GET asks what a change comes to, POST does it
	SubmissionID string // one-time id of the press that stops the gift
	Token        string // that the session's forms bring back; empty: by the link of a letter

	Status        string // active, paused, finished, cancelled or failed
	Amount        money.Amount
	Covered       money.Amount
	Every         string
	Paid, Of      int       // payments that have come; in all, 0: until stopped
	Next, Last    time.Time // zero: none, or not known; in the donee's time zone
	DeclineReason string    // why the last payment did not go through, as PlanWords.Why; empty: it did
	Brand, Last4  string
	CardURL       string
	Parts         []Purpose

	Months       int // the longest pause
	Funds        []Fund
	Frequencies  []string
	CoverOffered bool
	Entry        PlanEntry

	Done     string // what was done just now: pause, skip, resume, cancel, change, or soon
	Confirm  *PlanConfirm
	Problems []fault.Field
	Conflict bool // what was asked for no longer fits where the plan stands
}

// PlanEntry is a change as it was typed.
type PlanEntry struct {
	Amount, Frequency, Fund, Date string
	CoverFees                     bool
}

// PlanWish is what a change comes to.
type PlanChange struct {
	Kind   string // pause, skip, resume or change
	Amount money.Amount
	Every  string
	Next   time.Time
	Months int
	Funds  []string
}

// PlanConfirm is a change in words, with the button that does it.
type PlanConfirm struct {
	PlanChange
	Do, SubmissionID string
	Values           []FormValue
}

// planData is what the template walks.
type planData struct {
	PlanPage
	Title           string
	Facts           []fact
	ConfirmText     string // of Confirm
	Errors          []formError
	Pauses          []int
	FieldErrors     map[string]string
	ChargeScheduled bool // a charge is to come
	Ongoing         bool
	DeclineText     string // why the last payment failed, in words
}

// Plan writes the page.
func (v *View) Plan(w io.Writer, p PlanPage) error {
	say := func(key string, args ...any) string { return v.say(p.Language, key, args...) }
	d := planData{PlanPage: p, Title: say("plan.title", "organisation", p.Organisation.Name), FieldErrors: map[string]string{}}
	d.ChargeScheduled, d.Ongoing = p.Status == "active" && !p.Next.IsZero(), p.Status == "active" || p.Status == "paused"
	d.Facts = []fact{{say("plan.gift"), say("plan.gift_every", "amount", p.Amount, "every", say("plan.every."+p.Every))}}
	if !p.Covered.IsZero() {
		d.Facts = append(d.Facts, fact{say("plan.covered"), p.Covered.Format(string(p.Language))})
	}
	d.Facts = append(d.Facts, fact{say("plan.paid"), v.paidOf(p)})
	if !p.Next.IsZero() {
		d.Facts = append(d.Facts, fact{say("plan.next"), phrase.Date(p.Language, p.Next)})
	}
	if !p.Last.IsZero() {
		d.Facts = append(d.Facts, fact{say("plan.last"), phrase.Date(p.Language, p.Last)})
	}
	if p.Last4 != "" && d.Ongoing {
		d.Facts = append(d.Facts, fact{say("plan.paid_by"), v.cardName(p.Language, p.Brand, p.Last4)})
	}
	if p.DeclineReason != "" {
		d.DeclineText = v.words.N(p.Language, "plan.why."+p.DeclineReason, p.Paid)
	}
	if p.Confirm != nil {
		d.ConfirmText = v.changeText(p.Language, p.Confirm.PlanChange)
	}
	for i := range p.Months {
		d.Pauses = append(d.Pauses, i+1)
	}
	for _, problem := range p.Problems {
		if d.FieldErrors[problem.Name] == "" {
			d.FieldErrors[problem.Name] = v.errorText(p.Language, problem)
			d.Errors = append(d.Errors, formError{Target: planTarget(problem.Name), Text: d.FieldErrors[problem.Name]})
		}
	}
	return v.write(w, "plan", p.Language, d)
}

// planTarget is the id to go to for a field of a change.
func planTarget(name string) string {
	switch name {
	case "amount", "frequency", "fund", "date", "months", "cover_fees":
		return name
	case "amount_other":
		return "amount"
	}
	return "change"
}

func (v *View) paidOf(p PlanPage) string {
	if p.Of == 0 {
		return v.words.N(p.Language, "plan.paid_so_far", p.Paid)
	}
	return v.say(p.Language, "plan.paid_of", "paid", p.Paid, "of", p.Of)
}

// wish says what a change comes to.
func (v *View) changeText(lang phrase.Language, w PlanChange) string {
	args := []any{"amount", w.Amount, "every", v.say(lang, "plan.every."+w.Every), "next", phrase.Date(lang, w.Next), "funds", v.list(lang, w.Funds)}
	return v.say(lang, "plan.confirm."+w.Kind, args...)
}

// PlanCardPage leads to a new card for all recurring gifts of a donor.
type PlanCardPage struct {
	Frame
	Organisation Organisation
	Action       string
	Plans        []PlanLine // that go on
	Done         bool       // back from Stripe's page
}

// PlanLine is a recurring gift in a list.
type PlanLine struct {
	Organisation string
	Amount       money.Amount
	Every        string
	Brand, Last4 string
	Failing      bool
}

// PlanCard writes the page.
func (v *View) PlanCard(w io.Writer, p PlanCardPage) error {
	type line struct{ Gift, Card string }
	data := struct {
		PlanCardPage
		Lines []line
	}{PlanCardPage: p}
	for _, l := range p.Plans {
		data.Lines = append(data.Lines, line{
			v.say(p.Language, "plan.card_line", "amount", l.Amount, "every", v.say(p.Language, "plan.every."+l.Every), "organisation", l.Organisation),
			v.cardName(p.Language, l.Brand, l.Last4),
		})
	}
	return v.write(w, "plan_card", p.Language, data)
}
