package plan

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
)

// TestAPauseLastsAsLongAsItSays: the first charge at or after its end is made. A pause into which no charge falls is refused.
func TestAPauseLastsAsLongAsItSays(t *testing.T) {
	now := day("2027-03-12")
	for _, c := range []struct {
		name      string
		frequency org.Frequency
		next      string
		after     map[int]string // the first charge after a pause of some months; empty: no charge falls into it
		offered   []int
	}{
		{"weekly", org.Weekly, "2027-03-19", map[int]string{1: "2027-04-16", 2: "2027-05-14"}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{"monthly", org.Monthly, "2027-04-12", map[int]string{1: "2027-05-12", 3: "2027-07-12"}, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{"monthly, a far date", org.Monthly, "2027-05-20", map[int]string{1: "", 2: "", 3: "2027-06-20"}, []int{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
		{"quarterly", org.Quarterly, "2027-06-12", map[int]string{1: "", 2: "", 3: "2027-09-12", 5: "2027-09-12"}, []int{3, 6, 9, 12}},
		{"quarterly, a near date", org.Quarterly, "2027-03-20", map[int]string{1: "2027-06-20", 3: "2027-06-20", 4: "2027-09-20"}, []int{1, 4, 7, 10}},
		{"yearly", org.Yearly, "2028-03-12", map[int]string{1: "", 4: "", 11: "", 12: "2029-03-12"}, nil},
		{"yearly, a near date", org.Yearly, "2027-04-01", map[int]string{1: "2028-04-01", 12: "2028-04-01"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := day(c.next)
			p := Plan{Status: Active, Frequency: c.frequency, AnchorDay: next.Day(), NextAt: &next}
			require.Equal(t, c.offered, p.PauseLengths(now))
			for months, want := range c.after {
				_, got, err := p.PauseFor(months, now)
				if want == "" {
					require.True(t, fault.Is(err, fault.Invalid), "%d months", months)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, day(want), got, "%d months", months)
			}
			_, got, err := p.SkipNext()
			require.NoError(t, err)
			require.Equal(t, p.DateAfter(next, 1), got)
		})
	}
}

// TestAPauseEndsADayAfterItsLastCharge: a pause does not end minutes after a charge that it leaves out, whose invoice Stripe
// may make later on that day.
func TestAPauseEndsADayAfterItsLastCharge(t *testing.T) {
	now := day("2027-03-12")
	for _, c := range []struct {
		frequency          org.Frequency
		first, until, next string
		months             int
	}{
		{org.Weekly, "2027-03-15", "2027-04-13", "2027-04-19", 1}, // the charge of 12 April is the last one left out
		{org.Weekly, "2027-03-19", "2027-04-12", "2027-04-16", 1},
		{org.Monthly, "2027-04-12", "2027-05-13", "2027-06-12", 2},
		{org.Monthly, "2027-04-12", "2027-04-13", "2027-05-12", 1},
		{org.Quarterly, "2027-03-12", "2027-09-13", "2027-12-12", 6},
	} {
		first := day(c.first)
		p := Plan{Status: Active, Frequency: c.frequency, AnchorDay: first.Day(), NextAt: &first}
		until, next, err := p.PauseFor(c.months, now)
		require.NoError(t, err)
		require.Equal(t, day(c.next), next, "%v", c)
		require.Equal(t, c.until, until.Format(time.DateOnly), "%v", c)
	}
}

// TestWhatChangesAPlan: the present terms again are no change; another amount, fund, frequency or date is one.
func TestWhatChangesAPlan(t *testing.T) {
	now, next, a, b := day("2027-03-12"), day("2027-04-12"), uuid.New(), uuid.New()
	p := Plan{Status: Active, Frequency: org.Monthly, NextAt: &next, AmountMinor: 2000, Currency: "USD"}
	parts := []donation.Designation{{FundID: a, Amount: money.New(2000, "USD")}}
	changes := func(minor int64, every org.Frequency, fund uuid.UUID, next *time.Time) bool {
		to := donation.Request{Amount: money.New(minor, "USD"), Frequency: every, Designations: []donation.Designation{{FundID: fund, Amount: money.New(minor, "USD")}}}
		d, err := p.ChangeDetail(to, next, now)
		require.NoError(t, err)
		return p.IsChange(parts, d)
	}
	other := day("2027-05-01")
	require.False(t, changes(2000, org.Monthly, a, nil))
	require.True(t, changes(1900, org.Monthly, a, nil))
	require.True(t, changes(2000, org.Weekly, a, nil))
	require.True(t, changes(2000, org.Monthly, b, nil))
	require.True(t, changes(2000, org.Monthly, a, &other))
}
