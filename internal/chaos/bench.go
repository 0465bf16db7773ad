package chaos

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

// Try proves something outside `go test`, where the harnesses of the tests want a testing.TB. The error is what the test would
// have said.
func Try(ctx context.Context, name string, prove func(t testing.TB)) error {
	ctx, cancel := context.WithCancel(ctx)
	b := &bench{name: name, ctx: ctx}
	b.run(func() { prove(b) })
	cancel()
	for b.next() {
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed {
		return errors.New(strings.Join(b.said, "\n"))
	}
	return nil
}

// bench is the part of testing.TB that harnesses use.
type bench struct {
	testing.TB // nil: it lends the method that keeps others from implementing the interface
	name       string
	ctx        context.Context

	mu       sync.Mutex
	cleanups []func()
	failed   bool
	said     []string // what was logged; kept for a failure
}

// run calls do in a goroutine of its own, for FailNow ends one.
func (b *bench) run(do func()) {
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

// next runs the last cleanup that was asked for and is left.
func (b *bench) next() bool {
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

func (b *bench) Helper()                  {}
func (b *bench) Name() string             { return b.name }
func (b *bench) Context() context.Context { return b.ctx }

func (b *bench) Cleanup(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cleanups = append(b.cleanups, f)
}

func (b *bench) Failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failed
}

func (b *bench) Logf(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.said = append(b.said, strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (b *bench) Fail() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failed = true
}

func (b *bench) Log(args ...any)                   { b.Logf("%s", fmt.Sprint(args...)) }
func (b *bench) Errorf(format string, args ...any) { b.Logf(format, args...); b.Fail() }
func (b *bench) Error(args ...any)                 { b.Log(args...); b.Fail() }
func (b *bench) FailNow()                          { b.Fail(); runtime.Goexit() }
func (b *bench) Fatalf(format string, args ...any) { b.Logf(format, args...); b.FailNow() }
func (b *bench) Fatal(args ...any)                 { b.Log(args...); b.FailNow() }

func (b *bench) TempDir() string {
	dir, err := os.MkdirTemp("", "konbit-chaos-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
