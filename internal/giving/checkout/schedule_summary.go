package checkout

import (
	"time"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// ScheduleSummary describes the payments of a recurring gift.
type ScheduleSummary struct {
	Frequency org.Frequency
	Times     int          // number of payments; 0: until the donor stops
	Amount    money.Amount // of each payment
	First     time.Time
}

// Last returns when the last payment is due; the zero time if the number of payments is not limited.
func (c ScheduleSummary) Last() time.Time {
	if c.Times == 0 {
		return time.Time{}
	}
	return c.Frequency.Due(c.First, c.Times-1)
}

// Total returns the sum of all payments; zero if their number is not limited.
func (c ScheduleSummary) Total() money.Amount {
	return money.New(c.Amount.Minor*int64(c.Times), c.Amount.Currency) // at most 1040 times MaxGift
}

// Text returns the summary in words, with dates in a time zone: "12 payments of $20, the last on October 21, 2027, $240
// in all".
func (c ScheduleSummary) Text(words *phrase.Catalogue, lang phrase.Language, in *time.Location) string {
	each := c.Amount.Format(string(lang))
	if c.Times == 0 {
		return words.T(lang, "plan.comes_until."+string(c.Frequency), "amount", each)
	}
	return words.N(lang, "plan.comes", c.Times, "amount", each, "all", c.Total().Format(string(lang)), "date", phrase.Date(lang, c.Last().In(in)))
}
