package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// bar counts, and shows on a terminal how far a row has come; in a pipe it only counts.
type bar struct {
	name  string
	all   int
	began time.Time
	shown bool

	mu sync.Mutex
	n  int
}

func newBar(name string, all int) *bar {
	info, err := os.Stdout.Stat()
	return &bar{name: name, all: all, began: time.Now(), shown: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (b *bar) add(more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += more
	if !b.shown || b.all == 0 {
		return
	}
	const width = 40
	full := min(width*b.n/b.all, width)
	left := time.Duration(0)
	if b.n > 0 {
		left = time.Since(b.began) * time.Duration(max(b.all-b.n, 0)) / time.Duration(b.n)
	}
	fmt.Printf("\r%-10s %s%s %d of %d, %s to go \x1b[K", b.name, strings.Repeat("█", full), strings.Repeat("·", width-full), b.n, b.all, left.Round(time.Second))
}

func (b *bar) done() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// end clears the bar's line.
func (b *bar) end() {
	if b.shown {
		fmt.Print("\r\x1b[K")
	}
}
