package localpg

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLeftoversAreRemovedAndDirectoriesInUseAreNot(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	mine, err := newTempDir(root)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(mine.Path, "data.lock"), nil, 0o600))

	// The process that made this directory was killed, and a server still runs on it.
	orphan, err := newTempDir(root)
	require.NoError(t, err)
	orphan.release()
	server, err := tryLock(filepath.Join(orphan.Path, "data.lock"))
	require.NoError(t, err)

	// Here the server was killed too.
	leftover, err := newTempDir(root)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Join(leftover.Path, "data", "base"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(leftover.Path, "data.lock"), nil, 0o600))
	leftover.release()

	other := filepath.Join(root, "konbit-pg-424242-1") // another user's
	require.NoError(t, os.Mkdir(other, 0o700))

	// A process that another test starts holds a copy of the lock until it executes its program.
	require.Eventually(t, func() bool {
		removeLeftovers(root)
		_, err := os.Stat(leftover.Path)
		return errors.Is(err, os.ErrNotExist)
	}, 30*time.Second, 10*time.Millisecond)
	next, err := newTempDir(root)
	require.NoError(t, err)
	for _, dir := range []string{mine.Path, orphan.Path, next.Path, other} {
		require.DirExists(t, dir)
	}

	require.NoError(t, server.Close())
	require.NoError(t, next.Remove())
	require.NoDirExists(t, next.Path)
	require.Eventually(t, func() bool {
		removeLeftovers(root)
		_, err := os.Stat(orphan.Path)
		return errors.Is(err, os.ErrNotExist)
	}, 30*time.Second, 10*time.Millisecond)
	last, err := newTempDir(root)
	require.NoError(t, err)
	require.NoError(t, errors.Join(mine.Remove(), last.Remove()))
}

// TestTemporaryClustersAreInMemory also holds on a machine without room there: the cluster is then on disk.
func TestTemporaryClustersAreInMemory(t *testing.T) {
	t.Parallel()
	root := shortTemp()
	if memoryHasRoom() == nil {
		root = memoryDir
	}
	s := run(t, Options{})
	require.Equal(t, root, filepath.Dir(filepath.Dir(s.data)))
	require.Equal(t, 1, query[int](t, s.URL("postgres", "postgres"), "SELECT 1"))
	durable := run(t, Options{Durable: true})
	require.Equal(t, shortTemp(), filepath.Dir(filepath.Dir(durable.data)))
}
