package statement

import (
	"context"
	"time"

	"github.com/google/uuid"

	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/fault"
)

// ForDonor returns a donor's statement of a year: the newest that was issued or, if none was, the donations as they
// are now, with N = 0. A statement that contains a gift of another donor (see package owner) is left out. It returns
// fault.NotFound if the donor gave nothing in the year, or if everything was returned before a statement was issued.
// The caller checks who may see it.
func (d Issuer) ForDonor(ctx context.Context, of donor.Donor, year int) (Statement, error) {
	issued, err := latest(ctx, d.DB, year, []uuid.UUID{of.ID})
	if err != nil {
		return Statement{}, err
	}
	if s, ok := issued[of.ID]; ok && s.Person != nil { // without a person, it contains a gift that has moved to another donor
		return s, nil
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
	if err == nil && (len(all) == 0 || all[0].Facts.nothingRemains()) {
		err = fault.New(fault.NotFound, "problem.404.text", nil)
	}
	if err != nil {
		return Statement{}, err
	}
	all[0].IssuedAt = now
	return all[0], nil
}

// When the server issues and corrects statements by itself:
//
//	from 15 January   most refunds and bank debits of December have arrived, and donors have not filed their taxes yet
//	until April       for a server that was off; tax returns are due then
//	three years       for corrections: as long as a donor may amend a tax return
const (
	issueFromDay    = 15
	issueUntilMonth = time.April
	correctionYears = 3
)

// Due returns the year whose statements the server issues by itself at a moment, in the entity's time zone; due is
// false if there is none.
func Due(entity org.LegalEntity, now time.Time) (year int, due bool) {
	now = now.In(entity.Location())
	first := time.Date(now.Year(), time.January, issueFromDay, 0, 0, 0, 0, now.Location())
	return now.Year() - 1, !now.Before(first) && now.Month() <= issueUntilMonth
}

// IssueDue issues the statements that are due, for every entity, and corrects those that changed. The workers call it
// periodically.
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

// correctionWindow is how far back the workers search for changes; the command searches all.
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
