package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"konbit/internal/workshop/localpg/tether"
)

// commandDeadline limits every command except servers.
const commandDeadline = time.Minute

// Konbit runs one command of the program and returns its standard output. An error ends the test.
func (s *Stack) Konbit(args ...string) string {
	s.t.Helper()
	return s.KonbitWithin(commandDeadline, args...)
}

// KonbitWithin is Konbit with a limit for commands that take long.
func (s *Stack) KonbitWithin(limit time.Duration, args ...string) string {
	s.t.Helper()
	out, err := s.run(limit, args...)
	if err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	return out
}

// TryKonbit is Konbit for a command that may fail. Its error contains the command's standard error and wraps
// *exec.ExitError.
func (s *Stack) TryKonbit(args ...string) (string, error) {
	s.t.Helper()
	return s.run(commandDeadline, args...)
}

func (s *Stack) run(limit time.Duration, args ...string) (string, error) {
	s.t.Helper()
	path := s.program(s.binary) // outside the command's time limit: it may have to be built
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	var out, complaint bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.environ(nil), &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("konbit %q: %w\n%s", args, err, complaint.String())
	}
	return out.String(), nil
}

// UseProgram makes commands and servers that are created from now on run the program at path. An empty path is the
// program built from this source. A server keeps its program when it restarts.
func (s *Stack) UseProgram(path string) { s.binary = path }

// program returns the given path of the program. If it is empty, it returns the path of the real program, which the
// first call in a test binary builds.
func (s *Stack) program(given string) string {
	s.t.Helper()
	if given != "" {
		return given
	}
	path, err := program()
	if err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	return path
}

// program builds into a directory that a supervisor removes when this process ends, even by SIGKILL: the directory
// belongs to a program under tether that does nothing. With -race the servers detect races too, and a race ends the
// server with status 66.
var program = sync.OnceValues(func() (string, error) {
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "konbit-e2e-")
	if err != nil {
		return "", err
	}
	if _, err := tether.Start(exec.Command("tail", "-f", os.DevNull), tether.Options{Signal: "TERM", Leftover: dir}); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	path := filepath.Join(dir, "konbit")
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags=-s -w", "-o", path)
	if raceDetector {
		build.Args = append(build.Args, "-race")
	}
	build.Args = append(build.Args, "./cmd/konbit")
	build.Dir = root
	if said, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, said)
	}
	return path, nil
})
