package localpg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// lockTimeout is how long Start waits for the lock of a server that is still ending because its launcher was killed.
const lockTimeout = 5 * time.Second

// lock takes the lock of the data directory. The server inherits the returned file, so the lock is held until the last
// process of the server has ended, even if the launcher was killed.
func lock(ctx context.Context, dataDir string) (*os.File, error) {
	f, err := os.OpenFile(dataDir+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("localpg: lock %s: %w", f.Name(), err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, inUse(dataDir)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// ErrInUse means that another server runs on the data directory. Start wraps it.
var ErrInUse = errors.New("data directory in use")

func inUse(dataDir string) error {
	pid, _ := readPIDFile(dataDir)
	return fmt.Errorf("localpg: %w: %s belongs to a running PostgreSQL (process %s); stop what started it, or give another data directory",
		ErrInUse, dataDir, pid)
}

// clearStale removes a postmaster.pid that a crash left behind. PostgreSQL does this itself, but not if another program
// of the same user has the process number now (common in containers). We hold the lock, so only a server that was
// started in another way can be alive; clearStale finds it by its socket.
func clearStale(dataDir string) error {
	_, socket := readPIDFile(dataDir)
	if socket != "" {
		if conn, err := net.DialTimeout("unix", socket, time.Second); err == nil {
			conn.Close()
			return inUse(dataDir)
		}
	}
	err := os.Remove(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

// readPIDFile reads postmaster.pid (src/include/utils/pidfile.h: line 1 process, 4 port, 5 socket directory). Both
// results are empty if there is no such file.
func readPIDFile(dataDir string) (pid, socket string) {
	f, err := os.Open(filepath.Join(dataDir, "postmaster.pid"))
	if err != nil {
		return "", ""
	}
	defer f.Close()
	var lines []string
	for s := bufio.NewScanner(f); s.Scan(); {
		lines = append(lines, strings.TrimSpace(s.Text()))
	}
	if len(lines) > 0 {
		pid = lines[0]
	}
	if len(lines) > 4 && lines[4] != "" {
		socket = filepath.Join(lines[4], ".s.PGSQL."+lines[3])
	}
	return pid, socket
}
