package donation

import (
	"time"

	"konbit/internal/books/org"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
)

// Comes is what a recurring gift comes to.
type Comes struct {
	Every org.Frequency
	Times int          // 0: until the donor stops
	Each  money.Amount // charged each time
	First time.Time
}

// Last is when the last payment is due; zero: nobody knows.
func (c Comes) Last() time.Time {
	if c.Times == 0 {
		return time.Time{}
	}
	return c.Every.Step(c.First, c.Times-1)
}

// All is what the payments are together; zero when nobody knows how many there are.
func (c Comes) All() money.Amount {
	return money.New(c.Each.Minor*int64(c.Times), c.Each.Currency) // at most 1040 times MaxGift
}

// Say says it in words, dated in a place: "12 payments of $20, the last on October 21, 2027, $240 in all".
func (c Comes) Say(words *phrase.Catalogue, lang phrase.Language, in *time.Location) string {
	each := c.Each.Format(string(lang))
	if c.Times == 0 {
		return words.T(lang, "plan.comes_until."+string(c.Every), "amount", each)
	}
	return words.N(lang, "plan.comes", c.Times, "amount", each, "all", c.All().Format(string(lang)), "date", phrase.Date(lang, c.Last().In(in)))
}

func (s Starter) comes(e org.LegalEntity, r Request, at time.Time) string {
	if !r.Recurs() {
		return ""
	}
	return Comes{r.Frequency, r.Times, r.Amount, at}.Say(s.Words, r.Language, e.Location())
}
