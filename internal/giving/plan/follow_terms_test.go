package plan

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"konbit/internal/books/org"
	"konbit/internal/giving/billing"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
)

func partsOf(amounts ...[2]int64) (parts []donation.Designation) {
	for _, a := range amounts {
		parts = append(parts, donation.Designation{FundID: uuid.New(), Amount: money.New(a[0], "USD"), Covered: money.New(a[1], "USD")})
	}
	return parts
}

func TestFollowTerms(t *testing.T) {
	p := Plan{AmountMinor: 2000, CoveredMinor: 100, Currency: "USD", Frequency: org.Monthly}
	parts := partsOf([2]int64{1500, 75}, [2]int64{500, 25})
	for name, c := range map[string]struct {
		remote billing.RemoteSubscription
		want   *Detail
		err    error
	}{
		"the same": {remote: billing.RemoteSubscription{AmountMinor: 2000, Currency: "USD", Frequency: org.Monthly}},
		"more": {billing.RemoteSubscription{AmountMinor: 3000, Currency: "USD", Frequency: org.Monthly}, &Detail{
			Amount: 3000, Covered: 151, Frequency: "monthly", Before: 2000, FrequencyBefore: "monthly",
			Parts: []Part{{parts[0].FundID, 2250, 113}, {parts[1].FundID, 750, 38}},
		}, nil},
		"another frequency": {billing.RemoteSubscription{AmountMinor: 2000, Currency: "USD", Frequency: org.Yearly}, &Detail{
			Amount: 2000, Covered: 100, Frequency: "yearly", Before: 2000, FrequencyBefore: "monthly", DatesChanged: true,
			Parts: []Part{{parts[0].FundID, 1500, 75}, {parts[1].FundID, 500, 25}},
		}, nil},
		"a frequency that no plan has": {remote: billing.RemoteSubscription{AmountMinor: 2000, Currency: "USD"}, err: ErrCannotFollow},
		"nothing":                      {remote: billing.RemoteSubscription{Currency: "USD", Frequency: org.Monthly}, err: ErrCannotFollow},
		"another currency":             {remote: billing.RemoteSubscription{AmountMinor: 2000, Currency: "EUR", Frequency: org.Monthly}, err: ErrCannotFollow},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := p.FollowTerms(c.remote, parts)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
		})
	}
}

// TestDivideIsExact: the parts sum to the amount, none is empty, and a covered fee is less than its part, as the database
// wants it.
func TestDivideIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []donation.Designation
		for range rapid.IntRange(1, 6).Draw(t, "parts") {
			amount := rapid.Int64Range(1, 100_000).Draw(t, "amount")
			parts = append(parts, partsOf([2]int64{amount, rapid.Int64Range(0, amount-1).Draw(t, "covered")})...)
		}
		total := rapid.Int64Range(1, 1_000_000).Draw(t, "total")
		divided, err := Divide(money.New(total, "USD"), parts)
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, d := range divided {
			if sum += d.Amount.Minor; d.Amount.Minor <= 0 || d.Covered.Minor < 0 || d.Covered.Minor >= d.Amount.Minor {
				t.Fatalf("%+v", d)
			}
		}
		if sum != total {
			t.Fatalf("%d of %d", sum, total)
		}
	})
}

// TestEndSetAtStripe: of a plan of N payments, the end of the schedule that Konbit made is no end set at Stripe.
func TestEndSetAtStripe(t *testing.T) {
	twelve, start, end := 12, day("2027-01-10"), day("2027-03-10")
	for name, c := range map[string]struct {
		total    *int
		schedule string
		ends     string
		want     bool
		next     bool // a charge comes before the end
	}{
		"no date":                             {nil, "", "", false, true},
		"at the end of the period":            {nil, "", "2027-03-10", true, false},
		"later":                               {nil, "", "2027-06-01", true, true},
		"schedule of twelve":                  {&twelve, "sched", "2028-01-10", false, true},
		"schedule of twelve, shortened there": {&twelve, "sched", "2027-03-10", true, false},
		"schedule that Konbit did not make":   {nil, "sched", "2027-03-10", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := Plan{Status: Active, Frequency: org.Monthly, AnchorDay: 10, Total: c.total, PhaseStart: &start, Iterations: 12}
			s := billing.RemoteSubscription{PeriodEnd: end, ScheduleID: c.schedule}
			if c.ends != "" {
				at := day(c.ends)
				s.EndsAt = &at
			}
			p.FollowDates(s)
			require.Equal(t, c.want, p.EndsAt != nil)
			require.Equal(t, c.next, p.NextAt != nil)
			p.CountPayment("in_1", end.AddDate(0, -1, 0), end.AddDate(0, -1, 1))
			require.Equal(t, c.next, p.NextAt != nil, "a payment announces no charge after the end")
		})
	}
	var none *time.Time
	p := Plan{Status: Paused, EndsAt: &end}
	p.SetNext(end)
	require.Equal(t, none, p.NextAt)
}
