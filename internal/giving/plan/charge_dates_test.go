package plan

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/org"
)

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at.Add(12 * time.Hour)
}

func TestDateAfter(t *testing.T) {
	for _, c := range []struct {
		name      string
		frequency org.Frequency
		anchor    int
		from      string
		n         int
		want      string
	}{
		{"weekly ignores the day of the month", org.Weekly, 31, "2027-02-28", 1, "2027-03-07"},
		{"short month", org.Monthly, 31, "2027-01-31", 1, "2027-02-28"},
		{"own day again after a short month", org.Monthly, 31, "2027-02-28", 1, "2027-03-31"},
		{"30 days", org.Monthly, 31, "2027-03-31", 1, "2027-04-30"},
		{"day not known", org.Monthly, 0, "2027-02-28", 1, "2027-03-28"},
		{"leap year", org.Yearly, 29, "2027-02-28", 1, "2028-02-29"},
		{"no period", org.Quarterly, 15, "2027-01-15", 0, "2027-01-15"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Frequency: c.frequency, AnchorDay: c.anchor}
			require.Equal(t, day(c.want), p.DateAfter(day(c.from), c.n))
		})
	}
}

func TestScheduleLength(t *testing.T) {
	total := 6
	for _, c := range []struct {
		name    string
		paid    int
		end     string // of the current period
		pending bool
		want    int
	}{
		{"first period paid", 1, "2027-02-10", false, 6},
		{"current invoice can still be paid", 1, "2027-03-10", true, 6},
		{"one period not paid", 1, "2027-03-10", false, 7},
		{"all paid", 6, "2027-07-10", false, 6},
		{"more paid than planned", 7, "2027-07-10", false, 6},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Frequency: org.Monthly, Total: &total, Paid: c.paid, AnchorDay: 10}
			require.Equal(t, c.want, p.ScheduleLength(day("2027-01-10"), day(c.end), c.pending))
		})
	}
}

func TestNextAfterMigration(t *testing.T) {
	paused := day("2027-04-01")
	for _, c := range []struct {
		name   string
		until  *time.Time // end of a pause
		now    string
		next   string
		missed []time.Time
	}{
		{"next date in the future", nil, "2027-01-20", "2027-02-10", nil},
		{"two dates passed", nil, "2027-03-20", "2027-04-10", []time.Time{day("2027-02-10"), day("2027-03-10")}},
		{"dates in a pause are not missed", &paused, "2027-04-20", "2027-05-10", []time.Time{day("2027-04-10")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Plan{Status: Active, Frequency: org.Monthly, AnchorDay: 10, PausedUntil: c.until}
			if c.until != nil {
				p.Status = Paused
			}
			next, missed := p.NextAfterMigration(day("2027-02-10"), day(c.now))
			require.Equal(t, day(c.next), next)
			require.Equal(t, c.missed, missed)
		})
	}
}

func TestPaymentState(t *testing.T) {
	now := day("2027-02-10")
	var p Plan
	p.PaymentFailed("in_1", "insufficient_funds", now)
	p.PaymentFailed("in_2", "expired_card", now.AddDate(0, 1, 0))
	require.Equal(t, now, *p.FailingSince, "since the first failure")
	require.Equal(t, "in_2 expired_card", *p.FailingInvoice+" "+*p.FailingCode)
	p.CountPayment("in_1", now, now)
	require.NotNil(t, p.FailingSince, "another invoice is still unpaid")
	p.CountPayment("in_2", now, now)
	require.Nil(t, p.FailingSince)
	require.Equal(t, 2, p.Paid)
}
