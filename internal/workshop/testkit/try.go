package testkit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Try runs a check outside `go test`, for code that takes a testing.TB. cmd/chaos and cmd/bench use it. The error holds
// the output of the failed check.
func Try(ctx context.Context, name string, prove func(t testing.TB)) error {
	ctx, cancel := context.WithCancel(ctx)
	b := &trial{name: name, ctx: ctx}
	b.run(func() { prove(b) })
	cancel()
	for b.runLastCleanup() {
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed {
		return errors.New(strings.Join(b.output, "\n"))
	}
	return nil
}

// trial implements the methods of testing.TB that the checks use.
type trial struct {
	testing.TB // nil; embedded because testing.TB has an unexported method
	name       string
	ctx        context.Context

	mu       sync.Mutex
	cleanups []func()
	failed   bool
	output   []string // log lines, returned if the check fails
}

// run calls do in its own goroutine, because FailNow ends the goroutine.
func (b *trial) run(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if why := recover(); why != nil {
				b.Errorf("panic: %v", why)
			}
		}()
		do()
	}()
	<-done
}

// runLastCleanup removes the newest cleanup function and runs it. It returns false if none remains.
func (b *trial) runLastCleanup() bool {
	b.mu.Lock()
	if len(b.cleanups) == 0 {
		b.mu.Unlock()
		return false
	}
	last := b.cleanups[len(b.cleanups)-1]
	b.cleanups = b.cleanups[:len(b.cleanups)-1]
	b.mu.Unlock()
	b.run(last)
	return true
}

func (b *trial) Helper()                  {}
func (b *trial) Name() string             { return b.name }
func (b *trial) Context() context.Context { return b.ctx }

func (b *trial) Cleanup(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cleanups = append(b.cleanups, f)
}

func (b *trial) Failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *trial) Logf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.output = append(b.output, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (b *trial) Fail() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = true
}

func (b *trial) Log(args ...any)                   { b.Logf("%s", fmt.Sprint(args...)) }
func (b *trial) Errorf(format string, args ...any) { b.Logf(format, args...); b.Fail() }
func (b *trial) Error(args ...any)                 { b.Log(args...); b.Fail() }
func (b *trial) FailNow()                          { b.Fail(); runtime.Goexit() }
func (b *trial) Fatalf(format string, args ...any) { b.Logf(format, args...); b.FailNow() }
func (b *trial) Fatal(args ...any)                 { b.Log(args...); b.FailNow() }

func (b *trial) TempDir() string {
	dir, err := os.MkdirTemp("", "konbit-try-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
