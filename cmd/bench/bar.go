package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// bar shows on a terminal how far a row has come; in a pipe it shows nothing.
type bar struct {
	began time.Time
	shown bool
}

func newBar() *bar {
	info, err := os.Stderr.Stat()
	return &bar{time.Now(), err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// step is told of each sample.
func (b *bar) step(row string, done, planned int) {
	if !b.shown {
		return
	}
	const width = 40
	full := width * done / max(planned, 1)
	left := time.Since(b.began) * time.Duration(planned-done) / time.Duration(max(done, 1))
	fmt.Fprintf(os.Stderr, "\r%-14s %s%s %d of %d, %s to go \x1b[K", row, strings.Repeat("█", full), strings.Repeat("·", width-full), done, planned, left.Round(time.Second))
}

// end clears the bar's line.
func (b *bar) end() {
	if b.shown {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
