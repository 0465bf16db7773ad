package donation

import (
	"strings"

	"github.com/google/uuid"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// Designation is the part of a gift that is for one fund.
type Designation struct {
	FundID  uuid.UUID
	Amount  money.Amount
	Covered money.Amount // of Amount, what was added to cover the processing fee
}

// Given is the part without what was added: what the donor wrote for this fund.
func (d Designation) Given() money.Amount {
	return money.New(d.Amount.Minor-d.Covered.Minor, d.Amount.Currency)
}

// designations are the parts of a gift. Amounts written for several funds count before a fund that is
// chosen: a form always has one chosen, and only what is written was surely meant.
func (c *checker) designations(f Form, total money.Amount) []Designation {
	for _, typed := range f.Split {
		if strings.TrimSpace(typed) != "" {
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

// split reads split[SLUG]=amount for each fund; the parts must sum to the gift. Empty and zero parts
// are no parts. Designations follow the order of the funds, whatever order they were posted in.
func (c *checker) split(typed map[string]string, total money.Amount) []Designation {
	var parts []Designation
	sum, good, known := c.money(0), true, 0
	for _, candidate := range c.offer.Funds {
		text, asked := typed[candidate.Slug]
		if asked {
			known++
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		part, err := money.Parse(text, c.offer.Entity.Currency)
		if err == nil {
			sum, err = sum.Add(part)
		}
		if err != nil {
			c.addError("split["+candidate.Slug+"]", "give.error.amount.format", nil)
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

// CoverFor is what must be added to a gift so that after the entity's estimated processing fee all of the
// gift is left, the fee on the addition itself included: rounded up to the minor unit. It answers zero
// where the entity estimates no fee, and an error where no addition would do.
func FeeCoverage(e org.LegalEntity, gift money.Amount) (money.Amount, error) {
	total, err := gift.GrossUp(e.ProcessingFee.BasisPoints, e.ProcessingFee.Fixed)
	if err != nil {
		return money.Amount{}, err
	}
	return total.Sub(gift)
}

// cover adds to a gift what covers its processing fee, and answers the sum and what was added. It is split
// over the funds like the gift, by largest remainder. The organisation's maximum is for the gift alone;
// the sum has only the payment processor's.
func (c *checker) cover(gift money.Amount, parts []Designation) (total, covered money.Amount) {
	if gift.IsZero() || len(parts) == 0 {
		return gift, money.Amount{} // there is a complaint already
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
