package localpg

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/short"
)

// TestStartCopy: a model is made once, however many ask for it at once, and each server has a copy of its own. A failed
// preparation leaves no model behind. A model that nothing used for a day is removed.
func TestStartCopy(t *testing.T) {
	short.Skip(t, "PostgreSQL")
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache) // where macOS keeps its caches
	var made atomic.Int32
	defect := errors.New("defect")
	_, err := StartCopy(t.Context(), Options{}, Model{"k", func(context.Context, *Server) error { return defect }})
	require.ErrorIs(t, err, defect)
	model := Model{"k", func(ctx context.Context, s *Server) error {
		made.Add(1)
		return s.CreateDatabase(ctx, "model", "postgres")
	}}
	var servers [3]*Server
	var failed [3]error
	var group sync.WaitGroup
	for i := range servers {
		group.Go(func() { servers[i], failed[i] = StartCopy(t.Context(), Options{}, model) })
	}
	group.Wait()
	for i, s := range servers {
		require.NoError(t, failed[i])
		t.Cleanup(s.Stop)
		require.Equal(t, "1", query[string](t, s.URL("postgres", "postgres"), "SELECT count(*) FROM pg_database WHERE datname = 'model'"))
	}
	require.NoError(t, servers[0].DropDatabase(t.Context(), "model"))
	require.Equal(t, "1", query[string](t, servers[1].URL("postgres", "postgres"), "SELECT count(*) FROM pg_database WHERE datname = 'model'"))
	require.EqualValues(t, 1, made.Load())

	kept, err := filepath.Glob(filepath.Join(cache, "*", "konbit", "clusters", "*-k"))
	require.NoError(t, err)
	more, err := filepath.Glob(filepath.Join(cache, "konbit", "clusters", "*-k"))
	require.NoError(t, err)
	kept = append(kept, more...)
	require.Len(t, kept, 1)
	old := time.Now().Add(-2 * modelLife)
	require.NoError(t, os.Chtimes(kept[0], old, old))
	model.Key = "other"
	s, err := StartCopy(t.Context(), Options{}, model)
	require.NoError(t, err)
	t.Cleanup(s.Stop)
	assert.NoDirExists(t, kept[0])
}
