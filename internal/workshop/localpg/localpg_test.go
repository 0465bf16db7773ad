package localpg

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/short"
)

// launcherDir makes this test binary a launcher that runs a server on the directory until the binary is killed.
const launcherDir = "LOCALPG_TEST_LAUNCHER"

func TestMain(m *testing.M) {
	dir, ok := os.LookupEnv(launcherDir)
	if !ok {
		os.Exit(m.Run())
	}
	s, err := Start(context.Background(), Options{DataDir: dir, Durable: true})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	println("ready")
	<-s.Done()
}

// dataDir returns a path that the server's account can reach. It may not enter the parents of t.TempDir.
func dataDir(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp(shortTemp(), "konbit-pg-test-")
	require.NoError(t, err)
	require.NoError(t, os.Chmod(base, 0o755))
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	return filepath.Join(base, "data")
}

func run(t *testing.T, o Options) *Server {
	t.Helper()
	short.Skip(t, "PostgreSQL")
	s, err := Start(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	return s
}

func query[T any](t *testing.T, dsn, q string) (v T) {
	t.Helper()
	db, err := sql.Open("postgres", dsn)
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.QueryRowContext(t.Context(), q).Scan(&v))
	return v
}

func TestTemporaryServer(t *testing.T) {
	s := run(t, Options{Settings: map[string]string{"work_mem": "5MB"}})
	for range 2 { // both are idempotent
		require.NoError(t, s.CreateRole(t.Context(), "own-er"))
		require.NoError(t, s.CreateDatabase(t.Context(), "gifts", "own-er"))
	}
	dsn := s.URL("own-er", "gifts")
	for setting, want := range map[string]string{
		"listen_addresses": "", "log_parameter_max_length_on_error": "0", "fsync": "off", "work_mem": "5MB", "server_encoding": "UTF8", "TimeZone": "UTC",
		"dynamic_shared_memory_type": "mmap",
	} {
		t.Run(setting, func(t *testing.T) {
			require.Equal(t, want, query[string](t, dsn, "SHOW "+setting))
		})
	}
	require.Equal(t, "é", query[string](t, dsn, "SELECT lower('É')"))
	require.False(t, query[bool](t, dsn, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))

	info, err := os.Stat(s.socketDir)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), info.Mode().Perm())

	s.Stop()
	s.Stop()
	require.NoDirExists(t, s.socketDir)
}

// TestTheLogHoldsNoRows: the server's log contains no parameter of a statement and no detail of an error (threat T20).
func TestTheLogHoldsNoRows(t *testing.T) {
	dir := dataDir(t)
	s := run(t, Options{DataDir: dir})
	db, err := sql.Open("postgres", s.URL("postgres", "postgres"))
	require.NoError(t, err)
	defer db.Close()
	_, err = db.Exec("CREATE TABLE donor (email text PRIMARY KEY CHECK (email <> 'zzcanary@example.org'))")
	require.NoError(t, err)
	for _, email := range []string{"zzcanary@example.org", "zzcanary2@example.org", "zzcanary2@example.org"} {
		_, err = db.Exec("INSERT INTO donor VALUES ($1)", email)
	}
	require.ErrorContains(t, err, "duplicate key")
	log, err := os.ReadFile(dir + ".log")
	require.NoError(t, err)
	require.Contains(t, string(log), "duplicate key")
	require.Contains(t, string(log), "violates check constraint")
	require.NotContains(t, string(log), "zzcanary")
}

func TestCloneAndDrop(t *testing.T) {
	s := run(t, Options{})
	require.NoError(t, s.CreateRole(t.Context(), "o"))
	require.NoError(t, s.CreateDatabase(t.Context(), "model", "o"))
	query[int](t, s.URL("o", "model"), "WITH x AS (SELECT 1) SELECT * FROM x")
	db, err := sql.Open("postgres", s.URL("o", "model"))
	require.NoError(t, err)
	_, err = db.Exec("CREATE TABLE kept AS SELECT 7 AS n")
	require.NoError(t, err)
	require.NoError(t, db.Close())

	require.NoError(t, s.CloneDatabase(t.Context(), "copy", "model", "o"))
	require.Equal(t, 7, query[int](t, s.URL("o", "copy"), "SELECT n FROM kept"))
	require.NoError(t, s.DropDatabase(t.Context(), "copy"))
	require.NoError(t, s.DropDatabase(t.Context(), "copy"))
	require.Zero(t, query[int](t, s.URL("postgres", "postgres"), "SELECT count(*) FROM pg_database WHERE datname = 'copy'"))
}

func TestDataSurvivesAndIsExclusive(t *testing.T) {
	dir := dataDir(t)
	o := Options{DataDir: dir, Durable: true}
	s := run(t, o)
	require.NoError(t, s.CreateDatabase(t.Context(), "kept", "postgres"))
	require.Equal(t, "on", query[string](t, s.URL("postgres", "kept"), "SHOW fsync"))

	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := Start(short, o)
	require.ErrorIs(t, err, ErrInUse)
	require.Contains(t, err.Error(), dir)
	require.ErrorIs(t, Remove(short, dir), ErrInUse)
	s.Stop()

	s = run(t, o)
	require.Equal(t, "kept", query[string](t, s.URL("postgres", "kept"), "SELECT current_database()"))
	s.Stop()
	require.NoError(t, Remove(t.Context(), dir))
	require.NoError(t, Remove(t.Context(), dir))
	left, err := os.ReadDir(filepath.Dir(dir))
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestKilledLauncherTakesItsServerAlong(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	dir := dataDir(t)
	launcher := exec.Command(os.Args[0])
	launcher.Env = append(os.Environ(), launcherDir+"="+dir)
	out, err := launcher.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, launcher.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	number, socket := readPIDFile(dir)
	pid, err := strconv.Atoi(number)
	require.NoError(t, err)

	require.NoError(t, launcher.Process.Signal(syscall.SIGKILL))
	_ = launcher.Wait()
	s, err := Start(t.Context(), Options{DataDir: dir, Durable: true}) // waits for the old server's end
	require.NoError(t, err)
	require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	require.NoDirExists(t, filepath.Dir(socket))
	s.Stop()
}

func TestStalePIDFileOfALivingStranger(t *testing.T) {
	dir := dataDir(t)
	o := Options{DataDir: dir, Durable: true}
	run(t, o).Stop()
	who, err := serverAccount()
	require.NoError(t, err)
	stranger := exec.Command("sleep", "60") // it runs as the server's own user: PostgreSQL itself would refuse to start
	stranger.SysProcAttr = who.attr()
	require.NoError(t, stranger.Start())
	t.Cleanup(func() { _ = stranger.Process.Kill(); _ = stranger.Wait() })
	left := strings.Join([]string{strconv.Itoa(stranger.Process.Pid), dir, "1700000000", port, "/tmp/konbit-pg-gone", "", "  1  2", "ready", ""}, "\n")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "postmaster.pid"), []byte(left), 0o600))

	require.Equal(t, 1, query[int](t, run(t, o).URL("postgres", "postgres"), "SELECT 1"))
}

func TestForeignDirectoriesAreLeftAlone(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	other := dataDir(t)
	require.NoError(t, os.Mkdir(other, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(other, "PG_VERSION"), []byte("9\n"), 0o600))
	_, err := Start(t.Context(), Options{DataDir: other})
	require.ErrorContains(t, err, "made by PostgreSQL 9")

	letters := dataDir(t)
	require.NoError(t, os.Mkdir(letters, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(letters, "letter.txt"), []byte("dear"), 0o600))
	_, err = Start(t.Context(), Options{DataDir: letters})
	require.ErrorContains(t, err, "holds no PostgreSQL cluster")
	require.NoError(t, Remove(t.Context(), letters))
	require.FileExists(t, filepath.Join(letters, "letter.txt"))
}

func TestMissingBinaries(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := chooseInstallation(installations([]string{filepath.Join(t.TempDir(), "*", "bin")}), t.TempDir())
	require.ErrorIs(t, err, ErrMissing)
	require.Contains(t, err.Error(), "install")
}

func TestNewestIsChosenAndExistingDataDecides(t *testing.T) {
	all := []installation{{"/new", 17}, {"/old", 15}}
	in, err := chooseInstallation(all, filepath.Join(t.TempDir(), "absent"))
	require.NoError(t, err)
	require.Equal(t, "/new", in.bin)

	made := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(made, "PG_VERSION"), []byte("15\n"), 0o600))
	in, err = chooseInstallation(all, made)
	require.NoError(t, err)
	require.Equal(t, "/old", in.bin)
}

func TestReachable(t *testing.T) {
	dir := dataDir(t)
	require.NoError(t, os.Mkdir(dir, 0o700))
	nobody := account{name: "someone", uid: 4242, gid: 4242}
	require.ErrorIs(t, nobody.checkReach(filepath.Join(dir, "data")), ErrUnreachable)
	require.NoError(t, os.Chmod(dir, 0o711))
	require.NoError(t, nobody.checkReach(filepath.Join(dir, "data", "not", "yet")))
	require.NoError(t, account{}.checkReach(filepath.Join(dir, "data")))
}

func TestStartGivesUpWithItsContext(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := Start(ctx, Options{})
	require.Error(t, err)
	require.True(t, errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "initdb"), err)
}

func TestSocketDirKeepsTheAddressOverStarts(t *testing.T) {
	t.Parallel()
	data := dataDir(t)
	o := Options{DataDir: data, SocketDir: filepath.Join(filepath.Dir(data), "socket")}
	first := run(t, o)
	url := first.URL("postgres", "postgres")
	require.Equal(t, 1, query[int](t, url, `SELECT 1`))
	first.Stop()
	require.Equal(t, url, run(t, o).URL("postgres", "postgres"))
	require.Equal(t, 2, query[int](t, url, `SELECT 2`))
}
