package plan

import (
	"cmp"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/planlink"
)

// CheckChannel returns planlink.ErrNeedsSession if a change of terms, requested by this channel, needs a session. parts
// are the plan's present funds; d is what ChangeDetail returned. Change also looks at requests that are not executed.
func (p Plan) CheckChannel(channel string, parts []donation.Designation, d Detail) error {
	old := planlink.Terms{Frequency: p.Frequency, Next: *p.NextAt, Covered: p.CoveredMinor, Given: map[uuid.UUID]int64{}}
	to := planlink.Terms{Frequency: org.Frequency(d.Frequency), Next: *cmp.Or(d.Next, p.NextAt), Covered: d.Covered, Given: map[uuid.UUID]int64{}}
	for _, part := range parts {
		old.Given[part.FundID] += part.Amount.Minor - part.Covered.Minor
	}
	for _, part := range d.Parts {
		to.Given[part.FundID] += part.Amount - part.Covered
	}
	return planlink.CheckTerms(channel, old, to)
}
