package plan

import (
	"time"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
)

// MaxPauseMonths is the longest pause, in months.
const MaxPauseMonths = 12

// ErrWrongStatus: the plan's status does not allow the request.
var ErrWrongStatus = fault.New(fault.Conflict, "plan.error.state", nil)

// PauseFor returns the end of a pause of some months, and the first charge after it. No invoice before the end is
// charged; at least one charge is left out. It reports fault.Invalid if months is not between 1 and MaxPauseMonths, and
// fault.Conflict if nothing is due.
func (p Plan) PauseFor(months int, now time.Time) (until, next time.Time, err error) {
	if months < 1 || months > MaxPauseMonths {
		return until, next, fault.Fields([]fault.Field{{Name: "months", Phrase: "plan.error.months"}})
	}
	if err := p.checkActive(); err != nil {
		return until, next, err
	}
	until = org.Monthly.Due(now, months).Add(time.Minute) // a pause that starts with a charge does not include this charge
	if earliest := p.NextAt.Add(24 * time.Hour); until.Before(earliest) {
		until = earliest
	}
	return until, p.ChargeAfterPause(*p.NextAt, until), nil
}

// SkipNext returns the end of a pause that leaves out the next charge alone, and the first charge after it.
func (p Plan) SkipNext() (until, next time.Time, err error) {
	if err := p.checkActive(); err != nil {
		return until, next, err
	}
	until = p.NextAt.Add(24 * time.Hour)
	return until, p.ChargeAfterPause(*p.NextAt, until), nil
}

// checkActive reports fault.Conflict unless a charge is due.
func (p Plan) checkActive() error {
	if p.Status != Active || p.NextAt == nil {
		return ErrWrongStatus
	}
	return nil
}

// ChangeDetail returns the detail of a request for a change, without inserting it. to comes from
// donation.Form.CheckTerms. next is the date of the next charge; nil: unchanged. It reports fault.Invalid unless next
// is between a day and a year from now.
func (p Plan) ChangeDetail(to donation.Request, next *time.Time, now time.Time) (Detail, error) {
	if err := p.checkActive(); err != nil {
		return Detail{}, err
	}
	if !to.Recurs() {
		return Detail{}, fault.Fields([]fault.Field{{Name: "frequency", Phrase: "give.error.frequency.choice"}})
	}
	if next != nil && (next.Before(now.Add(24*time.Hour)) || next.After(now.AddDate(1, 0, 0))) {
		return Detail{}, fault.Fields([]fault.Field{{Name: "date", Phrase: "plan.error.date"}})
	}
	d := Detail{
		Amount: to.Amount.Minor, Covered: to.Covered.Minor, Frequency: string(to.Frequency), Next: next,
		DatesChanged: next != nil || to.Frequency != p.Frequency,
	}
	for _, part := range to.Designations {
		d.Parts = append(d.Parts, Part{part.FundID, part.Amount.Minor, part.Covered.Minor})
	}
	return d, nil
}
