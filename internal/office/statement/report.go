package statement

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Line is the result for one entity in the output of `konbit statements --json`.
type Line struct {
	Entity string `json:"entity"`
	Year   int    `json:"year"`
	SoFar  bool   `json:"so_far,omitempty"` // emails about gifts so far; no annual statement was issued
	Tally
	Seconds float64 `json:"seconds"`
}

// Print writes the results for people.
func Print(to io.Writer, lines []Line, dryRun bool) error {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENTITY\tYEAR\tDONORS\tGIFTS\tBEFORE\tISSUED\tCORRECTED\tSO FAR")
	soFar := false
	for _, l := range lines {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", l.Entity, l.Year, l.Donors, l.Gifts, l.Existing, l.Issued, l.Corrected, l.Mailed)
		soFar = soFar || l.SoFar
	}
	if dryRun {
		fmt.Fprintln(w, "Nothing was changed: these are the numbers of a run now.")
	} else if soFar {
		fmt.Fprintln(w, "The emails say that they are no annual statement. None was issued.")
	}
	return w.Flush()
}

// Progress shows a progress bar on a terminal. If the output is no terminal, it shows nothing.
type Progress struct {
	Name  string
	All   int // donors
	Began time.Time
	Now   func() time.Time
	To    io.Writer
	Shown bool

	n int
}

// Add counts more donors and redraws the bar.
func (b *Progress) Add(more int) {
	b.n += more
	if !b.Shown || b.All == 0 {
		return
	}
	width, full := 40, min(40*b.n/b.All, 40)
	left := b.Now().Sub(b.Began) * time.Duration(max(b.All-b.n, 0)) / time.Duration(max(b.n, 1))
	bar := strings.Repeat("█", full) + strings.Repeat("·", width-full)
	fmt.Fprintf(b.To, "\r%-10s %s %d of %d, %s to go \x1b[K", b.Name, bar, b.n, b.All, left.Round(time.Second))
}

// End clears the line.
func (b *Progress) End() {
	if b.Shown {
		fmt.Fprint(b.To, "\r\x1b[K")
	}
}
