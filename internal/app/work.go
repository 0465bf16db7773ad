package app

import (
	"context"
	"sync"
	"time"

	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// shutdownTimeout is how long jobs under way may take after the context of Work ended.
const shutdownTimeout = 15 * time.Second

// Work waits until the database has all tables, runs the background work until ctx ends, and lets what is under way
// finish.
func (a *App) Work(ctx context.Context) error {
	var periodic sync.WaitGroup
	stop, err := a.startWhenReady(ctx)
	if stop == nil {
		return err
	}
	for _, t := range a.periodicTasks() {
		periodic.Go(func() { a.repeat(ctx, t) })
	}
	periodic.Wait()
	return stop()
}

// StartWorkers starts the job runner and the worker of Stripe's events. The latter ends with ctx. stop waits for
// both; call it after ctx ended.
func (a *App) StartWorkers(ctx context.Context) (stop func() error, err error) {
	runner, err := jobs.NewRunner(a.resources.DB, a.Handlers, jobSlots, a.resources.Log)
	if err != nil {
		return nil, err
	}
	if err := runner.Start(); err != nil {
		return nil, err
	}
	var events sync.WaitGroup
	events.Go(func() { a.EventWorker.Run(ctx) })
	return func() error {
		events.Wait()
		limited, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
		defer cancel()
		return runner.Stop(limited)
	}, nil
}

// startWhenReady waits until every migration has run, and starts the workers. If the database cannot be reached, before
// or after that, it waits and tries again, so that the server does not end. stop is nil if ctx ended first, or if err
// is not nil.
func (a *App) startWhenReady(ctx context.Context) (stop func() error, err error) {
	for logged := false; ctx.Err() == nil; logged = true {
		err := a.Ready(ctx)
		if isUnknownKey(err) {
			return nil, err
		}
		if err == nil {
			if stop, err = a.StartWorkers(ctx); err == nil || !pg.IsTransient(err) {
				return stop, err
			}
		}
		if !logged && ctx.Err() == nil {
			a.resources.Log.WarnContext(ctx, "the workers wait for the database", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	return nil, nil
}

// repeat runs a periodic task until ctx ends, the first time one second after the start. A failure is logged; the
// task runs again at its next time. When the clock of a stand-in for Stripe jumps, the task runs at once: what became
// due by the jump is not done minutes later. It runs once more afterJump later, because some of it waits for events of
// the jump: an erasure, for example, until an open payment page has expired.
func (a *App) repeat(ctx context.Context, t periodicTask) {
	wait, jumps := time.NewTimer(time.Second), time.NewTicker(jumpInterval)
	defer wait.Stop()
	defer jumps.Stop()
	ahead := a.resources.Clocks.ahead()
	for {
		next := t.every
		select {
		case <-ctx.Done():
			return
		case <-jumps.C:
			now := a.resources.Clocks.ahead()
			if (now - ahead).Abs() < time.Minute {
				continue
			}
			ahead, next = now, min(next, afterJump)
		case <-wait.C:
		}
		wait.Reset(next)
		if err := t.run(ctx); err != nil && ctx.Err() == nil {
			a.resources.Log.WarnContext(ctx, "a periodic task failed and will run again", "task", t.name, "error", err)
		}
	}
}
