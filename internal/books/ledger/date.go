package ledger

import (
	"fmt"
	"time"
)

// Date is a calendar day without time or time zone: the business date of an entry in its entity's time zone. The zero
// Date is no day.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day of t in a time zone.
func DateOf(t time.Time, zone *time.Location) Date {
	var d Date
	d.Year, d.Month, d.Day = t.In(zone).Date()
	return d
}

// String returns the day in ISO 8601: 2026-11-21.
func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// In returns the beginning of the day in a time zone.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// Next returns the following day.
func (d Date) Next() Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+1, 0, 0, 0, 0, time.UTC), time.UTC)
}

// valid reports whether the calendar has the day.
func (d Date) valid() bool {
	return d.Year > 0 && DateOf(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC), time.UTC) == d
}

// Scan is part of sql.Scanner. The driver returns a date as midnight UTC.
func (d *Date) Scan(value any) error {
	t, ok := value.(time.Time)
	if !ok {
		return fmt.Errorf("ledger: %T is not a date", value)
	}
	*d = DateOf(t, time.UTC)
	return nil
}

// FirstOfMonth returns the first day of the month that is so many months after the date's.
func (d Date) FirstOfMonth(months int) Date {
	return DateOf(time.Date(d.Year, d.Month+time.Month(months), 1, 0, 0, 0, 0, time.UTC), time.UTC)
}
