package recurring

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
)

// TestLess: what a link may change, and what it may not.
func TestLess(t *testing.T) {
	a, b, other := uuid.New(), uuid.New(), uuid.New()
	next := time.Date(2027, time.March, 10, 12, 0, 0, 0, time.UTC)
	change := func(every string, covered int64, day *time.Time, parts ...Part) Detail {
		d := Detail{Frequency: every, Covered: covered, Next: day, Parts: parts}
		for _, p := range parts {
			d.Amount += p.Amount
		}
		return d
	}
	on := func(at time.Time) *time.Time { return &at }
	// $20 a month for two funds, and 90 cents for the fee.
	old := change("monthly", 90, nil, Part{a, 1045, 45}, Part{b, 1045, 45})
	for name, c := range map[string]struct {
		less bool
		to   Detail
	}{
		"the same":                        {true, old},
		"half":                            {true, change("monthly", 0, nil, Part{a, 500, 0}, Part{b, 500, 0})},
		"without the fee":                 {true, change("monthly", 0, nil, Part{a, 1000, 0}, Part{b, 1000, 0})},
		"a year instead of a month":       {true, change("yearly", 90, nil, Part{a, 1045, 45}, Part{b, 1045, 45})},
		"one fund less":                   {true, change("monthly", 0, nil, Part{a, 1000, 0})},
		"a fund named twice":              {true, change("monthly", 0, nil, Part{a, 500, 0}, Part{a, 500, 0})},
		"on the same day":                 {true, change("monthly", 0, on(next), Part{a, 1000, 0}, Part{b, 1000, 0})},
		"later":                           {true, change("monthly", 0, on(next.AddDate(0, 0, 40)), Part{a, 1000, 0}, Part{b, 1000, 0})},
		"nothing at all":                  {false, change("monthly", 0, nil)},
		"a cent more":                     {false, change("monthly", 0, nil, Part{a, 1001, 0}, Part{b, 1000, 0})},
		"$5,000 a week":                   {false, change("weekly", 0, nil, Part{a, 250_000, 0}, Part{b, 250_000, 0})},
		"less each time, and more often":  {false, change("weekly", 0, nil, Part{a, 100, 0}, Part{b, 100, 0})},
		"the sum of a year at once":       {false, change("yearly", 0, nil, Part{a, 12_000, 0}, Part{b, 12_000, 0})},
		"an hour earlier":                 {false, change("monthly", 0, on(next.Add(-time.Hour)), Part{a, 100, 0})},
		"another fund":                    {false, change("monthly", 0, nil, Part{other, 100, 0})},
		"another fund beside":             {false, change("monthly", 0, nil, Part{a, 100, 0}, Part{other, 100, 0})},
		"all to one of the funds":         {false, change("monthly", 0, nil, Part{a, 2000, 0})},
		"to one fund twice":               {false, change("monthly", 0, nil, Part{a, 600, 0}, Part{a, 600, 0})},
		"a higher fee and a smaller gift": {false, change("monthly", 91, nil, Part{a, 591, 91}, Part{b, 500, 0})},
		"an unknown frequency":            {false, change("daily", 0, nil, Part{a, 100, 0})},
		"once":                            {false, change("once", 0, nil, Part{a, 100, 0})},
		"an amount that is not its parts": {false, Detail{Amount: 2091, Covered: 90, Frequency: "monthly", Parts: old.Parts}},
	} {
		require.Equal(t, c.less, isLess(old, c.to, next), name)
	}
	uncovered := change("monthly", 0, nil, Part{a, 1000, 0})
	require.False(t, isLess(uncovered, change("monthly", 30, nil, Part{a, 530, 30}), next), "covering the fee is more, whatever the amount")
}

// TestLessKnowsEveryFrequency: a frequency that is added needs its place in the order.
func TestLessKnowsEveryFrequency(t *testing.T) {
	for _, f := range org.Frequencies() {
		if f != org.Once {
			require.Contains(t, frequencies, f)
		}
	}
	for i := 1; i < len(frequencies); i++ {
		require.Greater(t, frequencies[i-1].Most(), frequencies[i].Most())
	}
}
