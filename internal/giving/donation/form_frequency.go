package donation

import (
	"cmp"
	"strconv"

	"konbit/internal/books/org"
	"konbit/internal/platform/clean"
	"konbit/internal/platform/fault"
)

// frequency returns how often to give and how many times in total. One time in total is a one-time donation at any
// frequency. A number of times without a frequency is an error.
func (c *checker) frequency(f Form) (org.Frequency, int) {
	asked := cmp.Or(org.Frequency(f.Frequency), org.Once)
	if !c.offer.Organisation.Offers(asked) {
		c.addError("frequency", "give.error.frequency.choice", nil)
		return "", 0
	}
	typed := clean.Code(f.Occurrences)
	if typed == "" {
		return asked, 0
	}
	times, err := strconv.Atoi(typed)
	switch {
	case err != nil || times < 1:
		c.addError("occurrences", "give.error.occurrences.format", nil)
	case times == 1:
		return org.Once, 0
	case asked == org.Once:
		c.addError("frequency", "give.error.frequency.times", fault.Args{"times": typed})
	case times > asked.Most():
		c.addError("occurrences", "give.error.occurrences.maximum", fault.Args{"maximum": asked.Most()})
	default:
		return asked, times
	}
	return asked, 0
}
