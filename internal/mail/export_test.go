package mail

import (
	"time"

	gomail "github.com/wneessen/go-mail"
)

// ShortenTimeouts divides the transport's timeouts by 100.
func (t *Transport) ShortenTimeouts() error {
	t.timeouts = timeouts{defaultTimeouts.dial / 100, defaultTimeouts.send / 100, defaultTimeouts.minBackoff / 100, defaultTimeouts.maxBackoff / 100}
	return gomail.WithTimeout(t.timeouts.dial)(t.client)
}

// Failures returns how many attempts failed since the server was reached last.
func (t *Transport) Failures() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failures
}

// AgeIdleConnections makes the idle connections look unused for d longer.
func (t *Transport) AgeIdleConnections(d time.Duration) {
	for range len(t.idle) {
		c := <-t.idle
		c.lastUsed = c.lastUsed.Add(-d)
		t.idle <- c
	}
}

// TLSPolicy returns whether the transport insists on STARTTLS.
func (t *Transport) TLSPolicy() string { return t.client.TLSPolicy() }

// RefusalFor is refusalFor.
var RefusalFor = refusalFor
