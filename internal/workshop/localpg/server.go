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

// Options describe the cluster to run. The zero Options run a temporary cluster.
type Options struct {
	// DataDir is the cluster's directory, created if absent. DataDir.lock and DataDir.log are beside it. Empty: a
	// temporary directory, in memory unless Durable, which is removed when the server stops.
	DataDir string
	// SocketDir is the directory of the server's socket. If it is set, the server's URLs stay the same after a restart.
	// It is created if absent and given to the server's account. Empty: a new directory at each start.
	SocketDir string
	// Durable makes a commit survive a crash of the machine. Without it, tests are several times faster.
	Durable bool
	// Settings are added to the server's command line and replace our own settings of the same name.
	Settings map[string]string
	// Environment is added to the server's environment, each entry as "NAME=value".
	Environment []string
	// Follow makes the cluster a standby of another server. If DataDir is absent, it is copied from that server. The
	// standby's name there is StandbyName. It follows until it is promoted.
	Follow *Server
	// Archive is a directory to which complete segments of the write-ahead log are copied, created if absent. Empty: no
	// archive. The setting archive_timeout decides how soon a segment that fills slowly is completed.
	Archive string
	// Recover means that DataDir is a copy (see Copy). The server replays all segments in Archive and then accepts
	// writes.
	Recover bool
	// Logger receives a line for each slow step; nil: no log.
	Logger *slog.Logger

	model string // a new DataDir is a copy of this directory; empty: initdb makes it
	clean bool   // the server stops with a checkpoint, so that its directory can be copied
}

// A Server is one running PostgreSQL. Its methods are safe for concurrent use.
type Server struct {
	socketDir string
	data      string
	bin       string
	process   *tether.Process
	durable   bool
}

// Start starts a server and returns when it accepts connections. It creates the cluster if DataDir is absent or empty.
// Its errors say how to correct the problem; the caller can test for ErrMissing, ErrInUse and ErrUnreachable.
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

// shortTemp returns /tmp instead of macOS's long TMPDIR: a Unix socket's path may have 103 bytes there and 107 on
// Linux.
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
	if err := errors.Join(os.MkdirAll(o.SocketDir, 0o755), who.giveTo(o.SocketDir), who.giveTo(private),
		who.checkReach(data), os.MkdirAll(filepath.Dir(data), 0o755)); err != nil {
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
	defer held.Close() // the server's processes hold their own copy
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

// initialise creates the cluster in a second directory and renames it when it is complete, so that an incomplete
// cluster is never used.
func initialise(ctx context.Context, o Options, in installation, who account, data string) error {
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return who.giveTo(data)
	}
	if entries, err := os.ReadDir(data); err == nil && len(entries) > 0 {
		return fmt.Errorf("localpg: %s is not empty and holds no PostgreSQL cluster; give another data directory", data)
	}
	o.Logger.Info("making a new PostgreSQL cluster", "version", in.major, "data", data)
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	create := initdb
	if o.model != "" {
		create = func(context.Context, Options, installation, account, string) error { return copyModel(o.model, fresh) }
	}
	if err := errors.Join(create(ctx, o, in, who, fresh), who.giveTo(fresh)); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, os.ErrNotExist) { // an empty directory, or none
		return fmt.Errorf("localpg: %w", err)
	}
	if err := os.Rename(fresh, data); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

// initdb creates a cluster in the directory fresh.
func initdb(ctx context.Context, o Options, in installation, who account, fresh string) error {
	if err := errors.Join(os.Mkdir(fresh, 0o700), who.giveTo(fresh)); err != nil {
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
		return fmt.Errorf("localpg: initdb: %w: %s", err, out)
	}
	return nil
}

func startProcess(o Options, in installation, who account, data, private string, held *os.File) (*Server, error) {
	log, err := os.OpenFile(data+".log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	defer log.Close()
	stop := tether.Options{Signal: "INT", Leftover: private} // INT: with a checkpoint
	if !o.Durable && !o.clean {
		stop.Signal = "QUIT" // at once, without a last checkpoint
	}
	cmd := exec.Command(filepath.Join(in.bin, "postgres"), append([]string{"-D", data}, settings(o)...)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", append(environment(), o.Environment...), who.attr()
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = log, log, []*os.File{held}
	process, err := tether.Start(cmd, stop)
	if err != nil {
		return nil, fmt.Errorf("localpg: %w", err)
	}
	return &Server{o.SocketDir, data, in.bin, process, o.Durable}, nil
}

// environment returns our environment without PostgreSQL's variables, which would change what its programs connect to.
func environment() []string {
	env := []string{"LC_ALL=C"}
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return env
}

// ready waits until a connection succeeds.
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

// Stop stops the server and waits until it has ended. Open connections are closed. It does nothing if the server has
// ended.
func (s *Server) Stop() { s.process.Stop() }

// Done returns a channel that is closed when the server has ended for any reason.
func (s *Server) Done() <-chan struct{} { return s.process.Done() }

// Log returns what the server has written to its log.
func (s *Server) Log() ([]byte, error) {
	return os.ReadFile(s.data + ".log")
}

// logTail returns the last lines of the server's log as an error, for a server that did not start.
func logTail(data string) error {
	log, err := os.ReadFile(data + ".log")
	if err != nil {
		return nil //nolint:nilerr // it adds to another error
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return fmt.Errorf("its log ends:\n%s", strings.Join(lines[max(0, len(lines)-10):], "\n"))
}
