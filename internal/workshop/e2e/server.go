package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"konbit/internal/workshop/localpg/tether"
	"konbit/internal/workshop/pgproxy"
	"konbit/internal/workshop/testkit"
)

// readyWithin is how long a server may take to become ready on a busy machine.
const readyWithin = 30 * time.Second

// A Server is one process of `konbit serve`. It keeps its address and its log when it restarts.
type Server struct {
	stack   *Stack
	addr    string
	own     map[string]string // settings over the stack's
	binary  string            // path of the program; empty: the one built from this source
	proxy   *pgproxy.Proxy    // to its database; nil: none
	log     string            // path
	cmd     *exec.Cmd
	process *tether.Process // nil before the first start
}

func (s *Stack) newServer() *Server {
	server := &Server{stack: s, addr: freeAddr(s), binary: s.binary, log: filepath.Join(s.dir, fmt.Sprintf("server-%d.log", len(s.servers)))}
	s.servers = append(s.servers, server)
	if s.proxied {
		var err error
		if server.proxy, err = pgproxy.Start(s.DB.ServerURL, s.seed+uint64(len(s.servers))); err != nil {
			s.t.Fatalf("e2e: %v", err)
		}
		s.t.Cleanup(server.proxy.Close)
	}
	s.t.Cleanup(func() {
		server.Kill()
		if s.t.Failed() {
			s.t.Logf("the errors of %s:\n%s\nits log ends:\n%s", server.addr, errorLines(server.Log(), 10), tail(server.Log(), 30))
		}
	})
	return server
}

// freeAddr returns an address below the range of ports that systems use for outgoing connections. No outgoing
// connection can occupy it while a server is down. Until the test ends, a listener at the same port of the IPv6 loopback
// address reserves it, so that no other test takes it before the server listens.
func freeAddr(s *Stack) string {
	for range 100 {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		reservation, err := net.Listen("tcp", net.JoinHostPort("::1", port))
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
		if err == nil {
			_ = l.Close()
			if reservation != nil { // nil on a machine without IPv6
				s.t.Cleanup(func() { _ = reservation.Close() })
			}
			return l.Addr().String()
		}
		if reservation != nil {
			_ = reservation.Close()
		}
	}
	s.t.Fatal("e2e: no free port")
	return ""
}

// URL returns the server's address without a slash at the end.
func (s *Server) URL() string { return "http://" + s.addr }

// Proxy returns the proxy between the server and its database, nil if Options.Proxied is false.
func (s *Server) Proxy() *pgproxy.Proxy { return s.proxy }

// Restart kills the server if it runs, starts it with the stack's current settings, and waits until it is ready.
func (s *Server) Restart() {
	s.stack.t.Helper()
	s.Launch()
	s.WaitReady()
}

// Launch is Restart without the wait.
func (s *Server) Launch() {
	s.stack.t.Helper()
	s.Kill()
	log, err := os.OpenFile(s.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		s.stack.t.Fatalf("e2e: %v", err)
	}
	defer log.Close()
	cmd := exec.Command(s.stack.program(s.binary), "serve")
	cmd.Dir, cmd.Env = s.stack.dir, append(s.stack.environ(s.own), "LISTEN_ADDR="+s.addr)
	if s.proxy != nil {
		cmd.Env = append(cmd.Env, "DATABASE_URL="+s.proxy.URL())
	}
	cmd.Stdout, cmd.Stderr = log, log
	if s.process, err = tether.Start(cmd, tether.Options{Signal: "TERM"}); err != nil {
		s.stack.t.Fatalf("e2e: %v", err)
	}
	s.cmd = cmd
}

// WaitReady waits until the server reports ready. The test ends if the server ends.
func (s *Server) WaitReady() {
	s.stack.t.Helper()
	testkit.Eventually(s.stack.t, readyWithin, func() error {
		if !s.Running() {
			s.stack.t.Fatalf("e2e: the server ended while starting: %v\n%s", s.process.Err(), tail(s.Log(), 30))
		}
		resp, err := http.Get(s.URL() + "/readyz")
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("readyz answers %s", resp.Status)
		}
		return nil
	})
}

// Kill ends the server as a power cut does (SIGKILL) and returns when it has ended. It does nothing if the server does
// not run.
func (s *Server) Kill() {
	if !s.Running() {
		return
	}
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // the supervisor leads its own process group
	<-s.process.Done()
	for range 1000 { // the supervisor can end a moment before the server
		if l, err := net.Listen("tcp", s.addr); err == nil {
			_ = l.Close()
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// Suspend stops the server's process (SIGSTOP) until Resume or Kill.
func (s *Server) Suspend() error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGSTOP) }

// Resume continues a suspended server (SIGCONT).
func (s *Server) Resume() error { return syscall.Kill(-s.cmd.Process.Pid, syscall.SIGCONT) }

// Stop ends the server with SIGTERM, waits, and returns how it ended: nil for status 0, else *exec.ExitError.
func (s *Server) Stop() error {
	if !s.Running() {
		return errors.New("e2e: the server is not running")
	}
	s.process.Stop()
	return s.process.Err()
}

// Running reports whether the process runs.
func (s *Server) Running() bool {
	if s.process == nil {
		return false
	}
	select {
	case <-s.process.Done():
		return false
	default:
		return true
	}
}

// Log returns what the server has written since its first start.
func (s *Server) Log() string {
	log, err := os.ReadFile(s.log)
	if err != nil {
		return "" // never started
	}
	return string(log)
}

func tail(log string, lines int) string {
	all := strings.Split(strings.TrimSpace(log), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// errorLines returns the last lines of a log in JSON whose level is ERROR.
func errorLines(log string, lines int) string {
	var found []string
	for line := range strings.Lines(log) {
		if strings.Contains(line, `"level":"ERROR"`) {
			found = append(found, line)
		}
	}
	return tail(strings.Join(found, ""), lines)
}
