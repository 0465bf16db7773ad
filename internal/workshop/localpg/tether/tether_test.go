package tether

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// launch makes this test binary a launcher that runs the shell program in this variable until the binary is killed.
const launch = "TETHER_TEST_PROGRAM"

func TestMain(m *testing.M) {
	program, ok := os.LookupEnv(launch)
	if !ok {
		os.Exit(m.Run())
	}
	cmd := exec.Command("sh", "-c", program)
	cmd.Stdout = os.Stdout
	p, err := Start(cmd, Options{Signal: "TERM"})
	if err != nil {
		panic(err)
	}
	<-p.Done()
}

func start(t *testing.T, program string, o Options) (*Process, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command("sh", "-c", program)
	out, w, err := os.Pipe()
	require.NoError(t, err)
	cmd.Stdout = w
	p, err := Start(cmd, o)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	t.Cleanup(func() { p.Stop(); _ = out.Close() })
	return p, bufio.NewReader(out)
}

func TestStopAsksByTheSignal(t *testing.T) {
	left := filepath.Join(t.TempDir(), "left")
	require.NoError(t, os.Mkdir(left, 0o700))
	p, out := start(t, `trap 'echo asked; exit 7' TERM; echo up; while :; do sleep 0.05; done`, Options{Signal: "TERM", Leftover: left})
	line, _ := out.ReadString('\n')
	require.Equal(t, "up\n", line)
	p.Stop()
	p.Stop()
	rest, err := io.ReadAll(out)
	require.NoError(t, err)
	require.Equal(t, "asked\n", string(rest))
	var exit *exec.ExitError
	require.ErrorAs(t, p.Err(), &exit)
	require.Equal(t, 7, exit.ExitCode())
	require.NoDirExists(t, left)
}

func TestProgramEndsByItself(t *testing.T) {
	p, _ := start(t, "exit 0", Options{Signal: "TERM"})
	select {
	case <-p.Done():
		require.NoError(t, p.Err())
	case <-time.After(10 * time.Second):
		t.Fatal("the end was not noticed")
	}
}

func TestKilledLauncherTakesTheProgramAlong(t *testing.T) {
	launcher := exec.Command(os.Args[0])
	launcher.Env = append(os.Environ(), launch+"=echo $$; exec sleep 60")
	out, err := launcher.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, launcher.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, 0))

	require.NoError(t, launcher.Process.Kill())
	_ = launcher.Wait()
	require.Eventually(t, func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }, 10*time.Second, 10*time.Millisecond)
}

func TestMissingProgram(t *testing.T) {
	_, err := Start(exec.Command("no-such-program-here"), Options{Signal: "TERM"})
	require.ErrorIs(t, err, exec.ErrNotFound)
}
