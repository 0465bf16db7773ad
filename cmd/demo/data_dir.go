package main

import (
	"cmp"
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
	"konbit/internal/workshop/stripefake"
)

// dataDir returns the directory of PostgreSQL's data. It is in the demo's directory, unless the demo runs as root and
// PostgreSQL, which then runs as another user, has no access there (for example a clone under /root).
func (d *demo) dataDir() string {
	if errors.Is(localpg.Reachable(dataDirInside(d.dir)), localpg.ErrUnreachable) {
		return dataDirOutside(d.dir)
	}
	return dataDirInside(d.dir)
}

func dataDirInside(dir string) string { return filepath.Join(dir, "postgres") }

func dataDirOutside(dir string) string {
	return filepath.Join("/var/lib", fmt.Sprintf("konbit-demo-%x", sha256.Sum256([]byte(dir)))[:len("konbit-demo-")+12], "postgres")
}

// reset deletes the data of a demo, and no other files in the same directory.
func reset(ctx context.Context, c config, out io.Writer) error {
	for _, data := range []string{dataDirInside(c.dir), dataDirOutside(c.dir)} {
		if err := localpg.Remove(ctx, data); err != nil {
			return err
		}
	}
	paths, err := filepath.Glob(filepath.Join(c.dir, "cards.json.*.log"))
	if err != nil {
		return err
	}
	for _, name := range []string{"mail", "cards.json", "env", "staff.json", "konbit", "konbit.log"} {
		paths = append(paths, filepath.Join(c.dir, name))
	}
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	for _, dir := range []string{c.dir, filepath.Dir(dataDirOutside(c.dir))} {
		err := os.Remove(dir) // fails if it is not empty
		if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ENOTEMPTY) {
			return err
		}
	}
	fmt.Fprintf(out, "The demo's data in %s is deleted.\n", relativePath(c.dir))
	return nil
}

// relativePath returns a path relative to the current directory if it is below it.
func relativePath(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

// tail returns the last 20 lines of a log.
func tail(path string) string {
	log, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}

// welcome prints the addresses and files of the demo.
func (d *demo) welcome(took time.Duration) {
	base := d.settings["BASE_URL"]
	d.printf(`
Konbit is ready (%.1f s). Ctrl-C stops it.

  Give to CSIO                       %[2]s/give/csio
  The same in Spanish                %[2]s/give/csio?lang=es
  Give to Grassroots International   %[2]s/give/grassroots-international
  Sign in as the donor               %[2]s/sign-in
  The mailbox of all emails          %[3]s/
  The stand-in for Stripe            %[4]s/_sandbox/

Pay with card 4242 4242 4242 4242, any later month and any CVC; 4000 0000 0000 0002 is declined.
Look into the books from another terminal:

  set -a; . %[5]s; set +a; go run ./cmd/konbit ledger balance

The server's log: %[6]s
%[7]s`,
		took.Seconds(), base, webAddress(d.mailAddr), webAddress(d.cardAddr), relativePath(envPath(d.dir)), relativePath(d.log()), d.more())
}

// more returns what the welcome says about the history and the staff.
func (d *demo) more() string {
	var b strings.Builder
	if state := d.cards.HistoryProgress().State; d.history && state != "told" {
		fmt.Fprintf(&b, "Two months of gifts are being made in the background: %s%s\n", webAddress(d.cardAddr), stripefake.HistoryAPI)
	}
	if len(d.staff) > 0 {
		fmt.Fprintf(&b, "\nStaff sign in at %s/office/sign-in with a code from %s/authenticator\n\n", d.settings["BASE_URL"], webAddress(d.mailAddr))
	}
	for _, s := range d.staff {
		fmt.Fprintf(&b, "  %-8s %-24s %-36s %s\n", s.Role, cmp.Or(s.Org, s.Entity), s.Email, s.Password)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
