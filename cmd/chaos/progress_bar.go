package main

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// progressBar counts the units of a row that are done. On a terminal it shows them; in a pipe it only counts.
type progressBar struct {
	name    string
	all     int
	began   time.Time
	visible bool

	mu sync.Mutex
	n  int
}

func newProgressBar(name string, all int) *progressBar {
	info, err := os.Stdout.Stat()
	return &progressBar{name: name, all: all, began: time.Now(), visible: err == nil && info.Mode()&os.ModeCharDevice != 0}
}

func (b *progressBar) add(more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.n += more
	if !b.visible || b.all == 0 {
		return
	}
	const width = 40
	full := min(width*b.n/b.all, width)
	remaining := time.Duration(0)
	if b.n > 0 {
		remaining = time.Since(b.began) * time.Duration(max(b.all-b.n, 0)) / time.Duration(b.n)
	}
	fmt.Printf("\r%-10s %s%s %d of %d, %s to go \x1b[K", b.name, strings.Repeat("█", full), strings.Repeat("·", width-full),
		b.n, b.all, remaining.Round(time.Second))
}

func (b *progressBar) done() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.n
}

// end removes the bar from the terminal.
func (b *progressBar) end() {
	if b.visible {
		fmt.Print("\r\x1b[K")
	}
}
