package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"konbit/internal/workshop/localpg"
)

// dataDir is where PostgreSQL's data lies: in the demo's directory, unless we are root and PostgreSQL, which then runs as another
// user, may not go there (a clone under /root).
func (d *demo) dataDir() string {
	if errors.Is(localpg.Reachable(inside(d.dir)), localpg.ErrUnreachable) {
		return outside(d.dir)
	}
	return inside(d.dir)
}

func inside(dir string) string { return filepath.Join(dir, "postgres") }

func outside(dir string) string {
	return filepath.Join("/var/lib", fmt.Sprintf("konbit-demo-%x", sha256.Sum256([]byte(dir)))[:len("konbit-demo-")+12], "postgres")
}

// reset deletes what a demo has left, and nothing else that may lie in the same directory.
func reset(ctx context.Context, c config, out io.Writer) error {
	for _, data := range []string{inside(c.dir), outside(c.dir)} {
		if err := localpg.Remove(ctx, data); err != nil {
			return err
		}
	}
	for _, name := range []string{"mail", "cards.json", "env", "konbit", "konbit.log"} {
		if err := os.RemoveAll(filepath.Join(c.dir, name)); err != nil {
			return err
		}
	}
	for _, dir := range []string{c.dir, filepath.Dir(outside(c.dir))} {
		err := os.Remove(dir) // only when nothing is left in it
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	fmt.Fprintf(out, "The demo's data in %s is gone.\n", short(c.dir))
	return nil
}

// short is a path as a person in the current directory would write it.
func short(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// tail is the end of a log.
func tail(path string) string {
	log, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// welcome says where everything is.
func (d *demo) welcome(took time.Duration) {
	base := d.settings["BASE_URL"]
	d.say(`
Konbit is ready (%.1f s). Ctrl-C stops it.

  Give to CSIO                       %[2]s/give/csio
  The same in Spanish                %[2]s/give/csio?lang=es
  Give to Grassroots International   %[2]s/give/grassroots-international
  See what you gave, as its donor    %[2]s/sign-in
  The mailbox every letter goes to   %[3]s/
  The stand-in for Stripe            %[4]s/_sandbox/

Pay with card 4242 4242 4242 4242, any later month and any CVC; 4000 0000 0000 0002 is declined.
Look into the books from another terminal:

  set -a; . %[5]s; set +a; go run ./cmd/konbit ledger balance

The server's log: %[6]s`,
		took.Seconds(), base, webAddress(d.mailAddr), webAddress(d.card), short(envPath(d.dir)), short(d.log()))
}
