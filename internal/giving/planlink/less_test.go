package planlink

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
)

// TestLess: what a link may change, and what it may not. The gift is $20 a month for two funds, and 90 cents for the
// fee.
func TestLess(t *testing.T) {
	a, b, other := uuid.New(), uuid.New(), uuid.New()
	next := time.Date(2027, time.March, 10, 12, 0, 0, 0, time.UTC)
	given := func(ofA, ofB int64) map[uuid.UUID]int64 { return map[uuid.UUID]int64{a: ofA, b: ofB} }
	old := Terms{org.Monthly, next, 90, given(1000, 1000)}
	for name, c := range map[string]struct {
		less bool
		to   Terms
	}{
		"the same":                        {true, old},
		"half":                            {true, Terms{org.Monthly, next, 45, given(500, 500)}},
		"without the fee":                 {true, Terms{org.Monthly, next, 0, given(1000, 1000)}},
		"each year instead of each month": {true, Terms{org.Yearly, next, 90, given(1000, 1000)}},
		"one fund less":                   {true, Terms{org.Monthly, next, 0, map[uuid.UUID]int64{a: 1000}}},
		"later":                           {true, Terms{org.Monthly, next.AddDate(0, 0, 40), 90, given(1000, 1000)}},
		"for no fund":                     {false, Terms{org.Monthly, next, 0, nil}},
		"a cent more":                     {false, Terms{org.Monthly, next, 0, given(1001, 900)}},
		"$5,000 a week":                   {false, Terms{org.Weekly, next, 0, given(250_000, 250_000)}},
		"less each time, and more often":  {false, Terms{org.Weekly, next, 0, given(100, 100)}},
		"the sum of a year at once":       {false, Terms{org.Yearly, next, 0, given(12_000, 12_000)}},
		"an hour earlier":                 {false, Terms{org.Monthly, next.Add(-time.Hour), 0, given(100, 100)}},
		"another fund":                    {false, Terms{org.Monthly, next, 0, map[uuid.UUID]int64{other: 100}}},
		"another fund beside":             {false, Terms{org.Monthly, next, 0, map[uuid.UUID]int64{a: 100, other: 100}}},
		"all for one of the funds":        {false, Terms{org.Monthly, next, 0, map[uuid.UUID]int64{a: 2000}}},
		"a higher fee, a smaller gift":    {false, Terms{org.Monthly, next, 91, given(500, 500)}},
		"an unknown frequency":            {false, Terms{"daily", next, 0, given(100, 100)}},
		"once":                            {false, Terms{org.Once, next, 0, given(100, 100)}},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.less, isLess(old, c.to))
			for channel, allowed := range map[string]bool{BySession: true, ByLink: c.less, "": c.less, "donor": c.less} {
				require.Equal(t, allowed, CheckTerms(channel, old, c.to) == nil, "by %q", channel)
			}
		})
	}
	require.False(t, isLess(Terms{"daily", next, 0, given(100, 100)}, old), "unknown terms are not compared")
	uncovered := Terms{org.Monthly, next, 0, given(1000, 1000)}
	require.False(t, isLess(uncovered, Terms{org.Monthly, next, 30, given(100, 100)}), "to cover the fee is more, whatever the amount")
}

// TestKindsByLink: the end of a pause makes the next charge earlier. A kind that is added needs a session until it is
// listed.
func TestKindsByLink(t *testing.T) {
	for kind, allowed := range map[string]bool{
		"pause": true, "skip": true, "cancel": true, "change": true, "resume": false, "card": false, "pay": false, "": false,
	} {
		for channel, allowed := range map[string]bool{BySession: true, ByLink: allowed, "": allowed, "donor": allowed} {
			require.Equal(t, allowed, CheckKind(channel, kind) == nil, "%q by %q", kind, channel)
		}
	}
}

// TestLessKnowsEveryFrequency: a frequency that is added needs its place in the order.
func TestLessKnowsEveryFrequency(t *testing.T) {
	require.Len(t, org.Frequencies(), len(frequencies)+1, "all but once")
	for i, f := range frequencies {
		require.Contains(t, org.Frequencies(), f)
		if i > 0 {
			require.Greater(t, frequencies[i-1].Most(), f.Most())
		}
	}
}
