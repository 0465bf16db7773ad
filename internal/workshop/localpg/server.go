package localpg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	_ "github.com/lib/pq"

	"konbit/internal/workshop/localpg/tether"
)

// Options say which cluster to run. The zero Options run a temporary one.
type Options struct {
	// DataDir is the cluster's directory, made when absent. DataDir.lock and DataDir.log stand beside it. Empty: a temporary
	// directory, removed when the server stops.
	DataDir string
	// SocketDir is where the server's socket stands, so that its URLs stay the same over starts; it is made when absent and given to
	// the server's account. Empty: a directory of its own, another with each start.
	SocketDir string
	// Durable makes a commit survive the machine's crash. Tests do without and are several times faster.
	Durable bool
	// Settings are added to the server's command line and win over our own.
	Settings map[string]string
	// Environment is added to the server's, "NAME=value" each.
	Environment []string
	// Follow makes the cluster a standby of another server, by a copy of it when DataDir is absent. It goes by the name StandbyName
	// among that server's standbys, and follows until it is promoted.
	Follow *Server
	// Archive is a directory that finished segments of the log are copied to, made when absent; empty: none. archive_timeout, a setting,
	// says how soon a segment is finished that fills slowly.
	Archive string
	// Recover says that DataDir is a copy (see Copy): it goes on from there through all that Archive holds, and then takes writes.
	Recover bool
	// Logger hears of the slow steps; nil: nobody does.
	Logger *slog.Logger
}

// A Server is one running PostgreSQL. Its methods are safe for concurrent use.
type Server struct {
	socketDir string
	data      string
	bin       string
	process   *tether.Process
}

// Start returns a server that accepts connections. It creates the cluster when DataDir is absent or empty. Errors carry what mends
// them; ErrMissing, ErrInUse and ErrUnreachable can be told apart.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	who, err := serverAccount()
	if err != nil {
		return nil, err
	}
	private, err := NewTempDir(o.DataDir == "" && !o.Durable)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, o, who, private.Path)
	if err != nil {
		return nil, errors.Join(err, private.Remove())
	}
	go func() {
		<-s.Done() // the supervisor has deleted the directory
		private.release()
	}()
	return s, nil
}

// shortTemp avoids macOS's long TMPDIR: a Unix socket's path has room for 103 bytes there and 107 on Linux.
func shortTemp() string {
	if info, err := os.Stat("/tmp"); err == nil && info.IsDir() {
		return "/tmp"
	}
	return os.TempDir()
}

func start(ctx context.Context, o Options, who account, private string) (*Server, error) {
	data, err := filepath.Abs(o.DataDir)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	if o.DataDir == "" {
		data = filepath.Join(private, "data")
	}
	if o.SocketDir == "" {
		o.SocketDir = private
	}
	if err := errors.Join(os.MkdirAll(o.SocketDir, 0o755), who.giveTo(o.SocketDir), who.giveTo(private), who.checkReach(data), os.MkdirAll(filepath.Dir(data), 0o755)); err != nil {
		return nil, err
	}
	in, err := chooseInstallation(installations(binDirs), data)
	if err != nil {
		return nil, err
	}
	held, err := lock(ctx, data)
	if err != nil {
		return nil, err
	}
	defer held.Close() // the server's processes keep theirs
	if o.Follow != nil {
		err = o.follow(ctx, who, data)
	} else {
		err = initialise(ctx, o, in, who, data)
	}
	if err := errors.Join(err, o.archive(who, data)); err != nil {
		return nil, err
	}
	if err := clearStale(data); err != nil {
		return nil, err
	}
	began := time.Now()
	s, err := startProcess(o, in, who, data, private, held)
	if err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		err = errors.Join(err, logTail(data))
		s.Stop()
		return nil, err
	}
	o.Logger.Info("PostgreSQL is ready", "version", in.major, "data", data, "took", time.Since(began).Round(time.Millisecond))
	return s, nil
}

// initialise creates the cluster beside its place and moves it there whole, so that a half-made one is never taken for data.
func initialise(ctx context.Context, o Options, in installation, who account, data string) error {
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return who.giveTo(data)
	}
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		return fmt.Errorf("localpg: %s is not empty and holds no PostgreSQL cluster; give another data directory", data)
	}
	o.Logger.Info("making a new PostgreSQL cluster", "version", in.major, "data", data)
	fresh := data + ".new"
	if err := errors.Join(os.RemoveAll(fresh), os.Mkdir(fresh, 0o700), who.giveTo(fresh)); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "en_US.UTF-8"
	}
	args := []string{"--pgdata=" + fresh, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=" + locale, "--no-instructions"}
	if !o.Durable {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(in.bin, "initdb"), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environment(), who.attr()
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("localpg: initdb: %w: %s", err, out), os.RemoveAll(fresh))
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty directory, or none
		return fmt.Errorf("localpg: %w", err)
	}
	if err := os.Rename(fresh, data); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

func startProcess(o Options, in installation, who account, data, private string, held *os.File) (*Server, error) {
	log, err := os.OpenFile(data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	defer log.Close()
	stop := tether.Options{Signal: "INT", Leftover: private} // INT: cleanly
	if !o.Durable {
		stop.Signal = "QUIT" // at once, without a last checkpoint
	}
	cmd := exec.Command(filepath.Join(in.bin, "postgres"), append([]string{"-D", data}, settings(o)...)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", append(environment(), o.Environment...), who.attr()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{held}
	process, err := tether.Start(cmd, stop)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	return &Server{o.SocketDir, data, in.bin, process}, nil
}

// environment is ours without PostgreSQL's own variables, which would redirect its programs.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return env
}

// ready waits for the first connection.
func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute) // crash recovery may take a while
	defer cancel()
	db, err := sql.Open("postgres", s.URL("postgres", "postgres"))
	if err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	defer db.Close()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.Done():
			return fmt.Errorf("localpg: the server ended while starting: %w", s.process.Err())
		case <-ctx.Done():
			return fmt.Errorf("localpg: the server is not ready: %w (last: %w)", ctx.Err(), err)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Stop stops the server and waits for its end. Open connections are cut. Stopping a stopped server does nothing.
func (s *Server) Stop() { s.process.Stop() }

// Done is closed when the server has ended, by Stop or by itself.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// logTail gives the last lines of the server's log as an error, for a server that did not come up.
func logTail(data string) error {
	log, err := os.ReadFile(data + ".log")
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return fmt.Errorf("its log ends:\n%s", strings.Join(lines[max(0, len(lines)-10):], "\n"))
}
