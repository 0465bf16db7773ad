package mail

import (
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Hasten has the transport wait for a hundredth of the usual.
func (t *Transport) ShortenTimeouts() error {
	t.timeouts = timeouts{defaultTimeouts.dial / 100, defaultTimeouts.send / 100, defaultTimeouts.minBackoff / 100, defaultTimeouts.maxBackoff / 100}
	return gomail.WithTimeout(t.timeouts.dial)(t.client)
}

// Failures are the failures since the server was last reached.
func (t *Transport) Failures() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failures
}

// Idle leaves the kept connections unused for that long.
func (t *Transport) AgeIdleConnections(d time.Duration) {
	for range len(t.idle) {
		c := <-t.idle
		c.lastUsed = c.lastUsed.Add(-d)
		t.idle <- c
	}
}

var RefusalFor = refusalFor
