package transport

import "time"

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
