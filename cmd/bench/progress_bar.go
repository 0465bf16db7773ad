package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// progressBar shows on a terminal how many samples of a row are done. In a pipe it shows nothing.
type progressBar struct {
	began   time.Time
	visible bool
}

func newProgressBar() *progressBar {
	info, err := os.Stderr.Stat()
	return &progressBar{time.Now(), err == nil && info.Mode()&os.ModeCharDevice != 0}
}

// step redraws the bar after a sample.
func (b *progressBar) step(row string, done, planned int) {
	if !b.visible {
		return
	}
	const width = 40
	full := width * done / max(planned, 1)
	remaining := time.Since(b.began) * time.Duration(planned-done) / time.Duration(max(done, 1))
	fmt.Fprintf(os.Stderr, "\r%-14s %s%s %d of %d, %s to go \x1b[K", row, strings.Repeat("█", full),
		strings.Repeat("·", width-full), done, planned, remaining.Round(time.Second))
}

// end removes the bar from the terminal.
func (b *progressBar) end() {
	if b.visible {
		fmt.Fprint(os.Stderr, "\r\x1b[K")
	}
}
