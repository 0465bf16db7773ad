package plan

import (
	"slices"
	"strings"
	"time"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
)

// MaxPauseMonths is the longest pause, in months.
const MaxPauseMonths = 12

// ErrWrongStatus: the plan's status does not allow the request.
var ErrWrongStatus = fault.New(fault.Conflict, "plan.error.state", nil)

// PauseFor returns the end of a pause of some months, and the first charge at or after it. No invoice before the end is
// charged. It reports fault.Invalid if months is not between 1 and MaxPauseMonths or if no charge falls into the pause,
// and fault.Conflict if nothing is due.
func (p Plan) PauseFor(months int, now time.Time) (until, next time.Time, err error) {
	if months < 1 || months > MaxPauseMonths {
		return until, next, fault.Fields([]fault.Field{{Name: "months", Phrase: "plan.error.months"}})
	}
	if err := p.checkActive(); err != nil {
		return until, next, err
	}
	until = org.Monthly.Due(now, months).Add(time.Minute) // a pause that starts with a charge does not include this charge
	if !p.NextAt.Before(until) {
		return until, next, fault.Fields([]fault.Field{{Name: "months", Phrase: "plan.error.pause_empty"}})
	}
	last := *p.NextAt // the last charge that is left out
	for n := 1; next.Before(until); n++ {
		if next = p.DateAfter(*p.NextAt, n); next.Before(until) && !p.isOnlyInShortMonth(next, months, now) {
			last = next
			continue
		}
		break
	}
	if earliest := last.Add(afterCharge); until.Before(earliest) {
		until = earliest
	}
	if next.Before(until) {
		until = next.Add(-beforeCharge)
	}
	return until, next, nil
}

// isOnlyInShortMonth reports whether a charge falls into a pause of some months only because the month in which the pause ends is short:
// the 31st of a plan is the 28th there, as is the 30th on which the pause ends. In another month the charge would come after the pause.
func (p Plan) isOnlyInShortMonth(charge time.Time, months int, now time.Time) bool {
	end := org.Monthly.Due(now, months)
	return p.Frequency == org.Monthly && p.AnchorDay > now.UTC().Day() && end.Month() == charge.Month() && end.Year() == charge.Year()
}

// PauseLengths returns the lengths of a pause, in months, that differ in the first charge after it: for each such charge the
// shortest one. It returns none if they all leave out one charge, as SkipNext does, such as those of a yearly plan.
func (p Plan) PauseLengths(now time.Time) (months []int) {
	var last time.Time
	for n := 1; n <= MaxPauseMonths; n++ {
		if _, next, err := p.PauseFor(n, now); err == nil && next.After(last) {
			months, last = append(months, n), next
		}
	}
	if len(months) < 2 {
		return nil
	}
	return months
}

// afterCharge is how long after the last charge that is left out a pause ends at the earliest: Stripe makes its invoice on its
// day.
const afterCharge = 24 * time.Hour

// beforeCharge is how long before the next charge a pause ends at the latest.
const beforeCharge = time.Hour

// SkipNext returns the end of a pause that leaves out the next charge alone, and the first charge after it.
func (p Plan) SkipNext() (until, next time.Time, err error) {
	if err := p.checkActive(); err != nil {
		return until, next, err
	}
	until = p.NextAt.Add(afterCharge)
	return until, p.ChargeAfterPause(*p.NextAt, until), nil
}

// checkActive reports fault.Conflict unless a charge is due.
func (p Plan) checkActive() error {
	if p.Status != Active || p.NextAt == nil {
		return ErrWrongStatus
	}
	return nil
}

// PauseDetail returns the detail of a request for a pause; see PauseFor.
func (p Plan) PauseDetail(months int, now time.Time) (Detail, error) {
	until, _, err := p.PauseFor(months, now)
	return Detail{Months: months, Until: &until}, err
}

// SkipDetail returns the detail of a request to leave out the next charge; see SkipNext.
func (p Plan) SkipDetail() (Detail, error) {
	until, _, err := p.SkipNext()
	return Detail{Until: &until}, err
}

// ResumeDetail returns the detail of a request to end a pause. It reports fault.Conflict if there is none, or if the bank
// disputes a payment.
func (p Plan) ResumeDetail() (Detail, error) {
	if p.Status != Paused || p.DisputedSince != nil {
		return Detail{}, ErrWrongStatus
	}
	return Detail{}, nil
}

// maxReason is the length of a stored reason for the end of a plan, in characters.
const maxReason = 500

// CancelDetail returns the detail of a request to end the plan. The reason is cut to maxReason. It reports fault.Conflict
// if the plan does not run.
func (p Plan) CancelDetail(reason string) (Detail, error) {
	if !p.Status.IsRunning() {
		return Detail{}, ErrWrongStatus
	}
	text := []rune(strings.ToValidUTF8(strings.ReplaceAll(strings.TrimSpace(reason), "\x00", ""), ""))
	return Detail{Reason: string(text[:min(len(text), maxReason)])}, nil
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
	if err := checkNext(next, now); err != nil {
		return Detail{}, err
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

// ReadNext reads the date of the next charge as a donor typed it, in the entity's time zone. It returns nil for an empty text
// and for the present day, for any hour of the charge, and reports fault.Invalid as ChangeDetail does.
func (p Plan) ReadNext(typed string, loc *time.Location, now time.Time) (*time.Time, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" || p.NextAt != nil && typed == p.NextAt.In(loc).Format(time.DateOnly) {
		return nil, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, typed, loc)
	if err != nil {
		return nil, errDate
	}
	at = at.Add(12 * time.Hour) // noon there, so that a change of daylight saving time does not change the day
	return &at, checkNext(&at, now)
}

var errDate = fault.Fields([]fault.Field{{Name: "date", Phrase: "plan.error.date"}})

func checkNext(next *time.Time, now time.Time) error {
	if next != nil && (next.Before(now.Add(24*time.Hour)) || next.After(now.AddDate(1, 0, 0))) {
		return errDate
	}
	return nil
}

// ErrUnchanged: the terms that were asked for are the plan's present ones.
var ErrUnchanged error = fault.New(fault.Invalid, "plan.error.unchanged", nil)

// IsChange reports whether what ChangeDetail returned differs from the plan. parts are the plan's present funds.
func (p Plan) IsChange(parts []donation.Designation, d Detail) bool {
	var now []Part
	for _, part := range parts {
		now = append(now, Part{part.FundID, part.Amount.Minor, part.Covered.Minor})
	}
	return d.DatesChanged || d.Amount != p.AmountMinor || d.Covered != p.CoveredMinor || !slices.Equal(d.Parts, now)
}
