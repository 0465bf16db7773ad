package stripefake

import (
	"fmt"
	"testing"
	"time"
)

func TestBoundaries(t *testing.T) {
	for _, c := range []struct {
		anchor, interval string
		count            int64
		want             []string
	}{
		{"2027-01-31T10:00:00Z", "month", 1, []string{"2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"}},
		{"2028-01-30T10:00:00Z", "month", 1, []string{"2028-02-29", "2028-03-30", "2028-04-30"}},
		{"2027-11-30T10:00:00Z", "month", 3, []string{"2028-02-29", "2028-05-30", "2028-08-30"}},
		{"2028-02-29T10:00:00Z", "year", 1, []string{"2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"}},
		{"2027-12-31T10:00:00Z", "day", 1, []string{"2028-01-01", "2028-01-02"}},
		{"2027-12-31T10:00:00Z", "week", 2, []string{"2028-01-14", "2028-01-28"}},
	} {
		t.Run(fmt.Sprintf("%s, %d %s", c.anchor, c.count, c.interval), func(t *testing.T) {
			anchor, _ := time.Parse(time.RFC3339, c.anchor)
			every := object{"interval": c.interval, "interval_count": c.count}
			at := anchor.Unix()
			for i, day := range c.want {
				at = boundaryAfter(anchor.Unix(), every, at)
				if got := time.Unix(at, 0).UTC().Format(time.RFC3339); got != day+"T10:00:00Z" {
					t.Errorf("%s, %d %s, %d: %s, want %s at the same hour of UTC", c.anchor, c.count, c.interval, i+1, got, day)
				}
			}
		})
	}
}

func TestBoundaryBeforeTheAnchor(t *testing.T) {
	every := object{"interval": "month", "interval_count": int64(1)}
	if got := boundaryAfter(5000, every, 4000); got != 5000 {
		t.Errorf("before the anchor: %d, want the anchor itself", got)
	}
	start := time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)
	if got, want := boundariesAfter(start.Unix(), every, start.Unix(), 120), start.AddDate(10, 0, 0).Unix(); got != want {
		t.Errorf("120 months after: %d, want %d", got, want)
	}
}
