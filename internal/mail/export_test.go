package mail

import (
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Hasten has the transport wait for a hundredth of the usual.
func (t *Transport) Hasten() error {
	t.patience = patience{usual.dial / 100, usual.send / 100, usual.shortRest / 100, usual.longRest / 100}
	return gomail.WithTimeout(t.patience.dial)(t.client)
}

// Failures are the failures since the server was last reached.
func (t *Transport) Failures() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failures
}

// Idle leaves the kept connections unused for that long.
func (t *Transport) Idle(d time.Duration) {
	for range len(t.kept) {
		c := <-t.kept
		c.used = c.used.Add(-d)
		t.kept <- c
	}
}

var Refuse = refused
