package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"konbit/internal/platform/pg"
	"konbit/migrations"
)

const (
	readyWithin = 300 * time.Millisecond // a load balancer that asks often waits no longer than this for a slow check
	readyCheck  = 2 * time.Second        // a check takes no longer
	readyTrust  = 5 * time.Second        // how long a success outweighs checks that time out
)

// Ready reports an error if the program cannot serve: it is stopping, the database does not answer, migrations are
// pending, or SECRET_KEY was not the installation's when it was first compared.
//
// A check is slow while all connections of pages are busy or the database is slow. For readyTrust after a success, Ready
// ignores slow checks and those that time out: a load balancer would otherwise send the visitors to the other servers,
// which use the same database. It returns the error of a check that fails for another reason, however long that took.
func (a *App) Ready(ctx context.Context) error {
	if a.stopping.Load() {
		return errors.New("stopping")
	}
	return a.readiness.ask(ctx, a.canServe)
}

// canServe runs the checks of Ready once.
func (a *App) canServe(ctx context.Context) error {
	pending, err := migrations.Pending(ctx, a.resources.PagesDB.DB)
	if err != nil {
		return err
	}
	if pending > 0 {
		return fmt.Errorf("%d migrations to run: konbit migrate", pending)
	}
	return a.identify(ctx)
}

// readiness remembers the last success of a check, and runs one check at a time, however many ask.
type readiness struct {
	mu        sync.Mutex
	current   *readyTry // nil if none runs
	succeeded time.Time
}

// readyTry is one check.
type readyTry struct {
	done     chan struct{}
	err      error // set before done is closed
	panicked any   // what the check panicked with; nil if it returned; set before done is closed
}

// ask waits for the check that runs, or starts one, and returns its result. It returns nil if the check is slow or timed
// out, and another one succeeded within readyTrust. It panics if the check did: the request fails, and not the process.
func (r *readiness) ask(ctx context.Context, do func(ctx context.Context) error) error {
	r.mu.Lock()
	c, trusted := r.current, time.Since(r.succeeded) < readyTrust
	if c == nil {
		c = &readyTry{done: make(chan struct{})}
		r.current = c
		go r.run(context.WithoutCancel(ctx), c, do)
	}
	r.mu.Unlock()
	var late <-chan time.Time
	if trusted {
		timer := time.NewTimer(readyWithin)
		defer timer.Stop()
		late = timer.C
	}
	select {
	case <-c.done:
		if c.panicked != nil {
			panic(c.panicked)
		}
		if trusted && pg.IsTimeout(c.err) {
			return nil
		}
		return c.err
	case <-late:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *readiness) run(ctx context.Context, c *readyTry, do func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(ctx, readyCheck)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			c.panicked = fmt.Sprintf("%v\n%s", v, debug.Stack())
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.current = nil; c.err == nil && c.panicked == nil {
			r.succeeded = time.Now()
		}
		close(c.done)
	}()
	c.err = do(ctx)
}
