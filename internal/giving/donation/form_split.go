package donation

import (
	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Designation is the part of a donation that is for one fund.
type Designation struct {
	FundID  uuid.UUID
	Amount  money.Amount
	Covered money.Amount // the part of Amount that was added to cover the processing fee
}

// Given returns Amount without Covered: what the donor entered for this fund.
func (d Designation) Given() money.Amount {
	return money.New(d.Amount.Minor-d.Covered.Minor, d.Amount.Currency)
}

// designations returns the parts of a donation. Amounts entered for several funds take precedence over the selected
// fund: a form always has one selected, so only entered amounts are certainly meant.
func (c *checker) designations(f Form, total money.Amount) []Designation {
	for _, typed := range f.Split {
		if clean.Code(typed) != "" {
			return c.split(f.Split, total)
		}
	}
	if f.Fund == "" && len(c.offer.Funds) > 0 {
		return []Designation{c.part(c.offer.Funds[0], total)}
	}
	for _, candidate := range c.offer.Funds {
		if candidate.Slug == f.Fund {
			return []Designation{c.part(candidate, total)}
		}
	}
	c.addError("fund", "give.error.fund.choice", nil)
	return nil
}

func (c *checker) part(f fund.Fund, amount money.Amount) Designation {
	return Designation{FundID: f.ID, Amount: amount, Covered: c.money(0)}
}

// split reads split[SLUG]=amount for each fund. The parts must sum to the donation. Empty and zero amounts are ignored.
// Designations are in the order of the funds, not in the order in which they were posted.
func (c *checker) split(typed map[string]string, total money.Amount) []Designation {
	var parts []Designation
	sum, good, known := c.money(0), true, 0
	for _, candidate := range c.offer.Funds {
		text, asked := typed[candidate.Slug]
		if asked {
			known++
		}
		if text = clean.Code(text); text == "" {
			continue
		}
		part, err := money.Parse(text, c.offer.Entity.Currency, c.language)
		if err == nil {
			sum, err = sum.Add(part)
		}
		if err != nil {
			c.addAmountError("split["+candidate.Slug+"]", err)
			good = false
		} else if !part.IsZero() {
			parts = append(parts, c.part(candidate, part))
		}
	}
	switch {
	case known < len(typed):
		c.addError("split", "give.error.fund.choice", nil)
	case good && sum != total && !total.IsZero():
		c.addError("split", "give.error.split.sum", fault.Args{"sum": sum, "total": total})
	}
	return parts
}

// sumOfParts returns, in major units, what the amounts entered for several funds sum to; empty if that is nothing. It ignores
// a text that is not an amount: split reports it. A part above the maximum makes a sum above it.
func (c *checker) sumOfParts(f Form) string {
	sum := c.money(0)
	for _, typed := range f.Split {
		if part, err := money.Parse(typed, sum.Currency, c.language); err == nil {
			sum.Minor += min(part.Minor, org.MaxGift+1)
		}
	}
	if sum.IsZero() {
		return ""
	}
	return sum.Decimal()
}

// FeeCoverage returns what must be added to a gift so that the whole gift remains after the entity's estimated
// processing fee, the fee on the addition included, rounded up to the minor unit. It returns zero if the entity
// estimates no fee, and reports an error if no addition is enough.
func FeeCoverage(e org.LegalEntity, gift money.Amount) (money.Amount, error) {
	total, err := gift.GrossUp(e.ProcessingFee.BasisPoints, e.ProcessingFee.Fixed)
	if err != nil {
		return money.Amount{}, err
	}
	return total.Sub(gift)
}

// cover adds the processing fee to a gift, splits it over the funds by largest remainder, and returns the sum and the
// addition. The organisation's maximum limits the gift alone; the sum is limited by the processor's maximum
// (org.MaxGift).
func (c *checker) cover(gift money.Amount, parts []Designation) (total, covered money.Amount) {
	if gift.IsZero() || len(parts) == 0 {
		return gift, money.Amount{} // an error was added already
	}
	covered, err := FeeCoverage(c.offer.Entity, gift)
	if err == nil {
		total, err = gift.Add(covered)
	}
	if err != nil || total.Minor > org.MaxGift {
		c.addError("cover_fees", "give.error.cover_fees.maximum", nil)
		return gift, money.Amount{}
	}
	weights := make([]int64, len(parts))
	for i, p := range parts {
		weights[i] = p.Amount.Minor
	}
	shares, err := covered.Split(weights)
	if err != nil {
		c.addError("cover_fees", "give.error.check", nil)
		return gift, money.Amount{}
	}
	for i := range parts {
		parts[i].Amount.Minor, parts[i].Covered = parts[i].Amount.Minor+shares[i].Minor, shares[i]
	}
	return total, covered
}

// SplitLike divides an amount among the funds of parts, in their proportion, as a form has it; nil if it cannot be
// divided.
func SplitLike(parts []Designation, amount money.Amount, catalog *fund.Catalog) map[string]string {
	weights := make([]int64, len(parts))
	for i, part := range parts {
		weights[i] = part.Amount.Minor
	}
	shares, err := amount.Split(weights)
	if err != nil {
		return nil
	}
	split := map[string]string{}
	for i, part := range parts {
		if f, err := catalog.Fund(part.FundID); err == nil {
			split[f.Slug] = shares[i].Decimal()
		}
	}
	return split
}
