package chaos

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"konbit/internal/workshop/e2e"
	"konbit/internal/workshop/testkit"
)

// fleet keeps servers running as a supervisor does, and measures how long each start takes. Only the test's goroutine
// may call its methods.
type fleet struct {
	t       testing.TB
	servers []*e2e.Server

	mu      sync.Mutex
	starts  map[*e2e.Server]int // how often each was started
	ready   map[*e2e.Server]int // the last of its starts after which it was ready
	slowest time.Duration
}

func newFleet(t testing.TB, servers []*e2e.Server) *fleet {
	f := &fleet{t: t, servers: servers, starts: map[*e2e.Server]int{}, ready: map[*e2e.Server]int{}}
	return f
}

// kill ends a server by SIGKILL and starts it again. It does not wait until it is ready.
func (f *fleet) kill(s *e2e.Server) {
	f.t.Helper()
	s.Kill()
	f.start(s)
}

func (f *fleet) start(s *e2e.Server) {
	f.mu.Lock()
	f.starts[s]++
	n := f.starts[s]
	f.mu.Unlock()
	began := time.Now()
	s.Launch()
	go f.watch(s, n, began)
}

// watch asks a server whether it is ready, until it is ready or started again.
func (f *fleet) watch(s *e2e.Server, n int, began time.Time) {
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for ; time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
		resp, err := client.Get(s.URL() + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
		}
		f.mu.Lock()
		if f.starts[s] != n {
			f.mu.Unlock()
			return
		}
		if err == nil && resp.StatusCode == http.StatusOK {
			f.ready[s], f.slowest = n, max(f.slowest, time.Since(began))
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
	}
}

// waitReady waits until a server is ready. It starts a server again that ended because its database was down.
func (f *fleet) waitReady(s *e2e.Server) {
	f.t.Helper()
	testkit.Eventually(f.t, time.Minute, func() error {
		if !s.Running() {
			f.start(s)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.starts[s] != f.ready[s] {
			return fmt.Errorf("%s is not ready", s.URL())
		}
		return nil
	})
}

// slowestStart returns the longest time from a start until ready.
func (f *fleet) slowestStart() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slowest
}
