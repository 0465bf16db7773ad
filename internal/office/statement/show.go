package statement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/fault"
)

// Of is a donor's statement of a year, at any time: the newest that was issued, or, when none was, how the gifts stand now, with
// N 0. fault.NotFound: the donor gave nothing in the year. Who may see it, the caller asks.
func (d Issuer) ForDonor(ctx context.Context, of donor.Donor, year int) (Statement, error) {
	issued, err := latest(ctx, d.DB, year, []uuid.UUID{of.ID})
	if s, ok := issued[of.ID]; ok || err != nil {
		return s, err
	}
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return Statement{}, err
	}
	entity, err := catalog.EntityByID(of.EntityID)
	if err != nil {
		return Statement{}, err
	}
	now := d.Now()
	all, err := compose(ctx, d.DB, catalog, entity, year, []donor.Donor{of})
	if err == nil && len(all) == 0 {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return Statement{}, err
	}
	all[0].IssuedAt = now
	return all[0], nil
}

// The server issues a year's statements by itself from this day of January on, when December's refunds and bank debits have mostly
// arrived and before donors do their taxes; a server that was off goes on until April, when the returns are due. Corrections go on
// for as long as anybody amends a return: three years.
const (
	issueFromDay    = 15
	issueUntilMonth = time.April
	correctionYears = 3
)

// Due is the year whose statements the server issues by itself at a moment, in the entity's time zone; false: none.
func Due(entity org.LegalEntity, now time.Time) (year int, due bool) {
	now = now.In(entity.Location())
	first := time.Date(now.Year(), time.January, issueFromDay, 0, 0, 0, 0, now.Location())
	return now.Year() - 1, !now.Before(first) && now.Month() <= issueUntilMonth
}

// Upkeep issues what is due for every entity and corrects what has changed. The workers call it again and again.
func (d Issuer) IssueDue(ctx context.Context) (t Tally, err error) {
	catalog, err := d.Catalog.Current(ctx)
	if err != nil {
		return t, err
	}
	for _, entity := range catalog.Entities() {
		now := d.Now()
		done, err := d.issueDueFor(ctx, entity, now)
		t.Issued, t.Corrected = t.Issued+done.Issued, t.Corrected+done.Corrected
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

// recent is how far back the workers look for changes; the command looks at all of them.
const correctionWindow = 35 * 24 * time.Hour

func (d Issuer) issueDueFor(ctx context.Context, entity org.LegalEntity, now time.Time) (t Tally, err error) {
	if year, due := Due(entity, now); due {
		if t, err = d.Issue(ctx, entity, year, nil); err != nil {
			return t, err
		}
	}
	last := now.In(entity.Location()).Year() - 1
	for year := last - correctionYears; year <= last; year++ {
		n, err := d.Correct(ctx, entity, year, now.Add(-correctionWindow))
		if t.Corrected += n; err != nil {
			return t, err
		}
	}
	return t, nil
}
