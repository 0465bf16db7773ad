package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// modelLife is how long a model that nothing uses is kept.
const modelLife = 24 * time.Hour

// A Model is a stopped cluster in the user's cache directory. Temporary clusters are copies of it. Copying one takes
// a twentieth of the work of initdb and migrations.
type Model struct {
	// Key identifies what is in the cluster. PostgreSQL's version is added to it.
	Key string
	// Prepare fills the new cluster. It runs only if the machine has no model of the key.
	Prepare func(ctx context.Context, s *Server) error
}

// StartCopy starts a server on a copy of a model. Several processes may call it at once: one prepares the model, the others
// wait for it. If o names a DataDir that holds a cluster, StartCopy starts that cluster and copies nothing.
func StartCopy(ctx context.Context, o Options, m Model) (*Server, error) {
	in, err := chooseInstallation(installations(binDirs), "")
	if err != nil {
		return nil, err
	}
	models, err := modelsDir()
	if err != nil {
		return nil, err
	}
	o.model = filepath.Join(models, strconv.Itoa(in.major)+"-"+m.Key)
	if err := m.need(ctx, o.model); err != nil {
		return nil, err
	}
	return Start(ctx, o)
}

// modelsDir creates and returns the directory of models: in the user's cache directory, or in a temporary directory if
// the user has none that can be written to.
func modelsDir() (string, error) {
	if cache, err := os.UserCacheDir(); err == nil {
		dir := filepath.Join(cache, "konbit", "clusters")
		if err := os.MkdirAll(dir, 0o700); err == nil {
			return dir, nil
		}
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("konbit-clusters-%d", os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("localpg: %w", err)
	}
	return dir, nil
}

// need makes the model in dir, unless it is there.
func (m Model) need(ctx context.Context, dir string) error {
	held, err := waitForLock(ctx, dir+".lock")
	if err != nil {
		return err
	}
	defer held.Close()
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		err = m.make(ctx, dir)
		removeOld(filepath.Dir(dir))
		if err != nil {
			return err
		}
	}
	now := time.Now()
	if err := os.Chtimes(dir, now, now); err != nil { // used today
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

// waitForLock returns the lock of a file when no other process holds it.
func waitForLock(ctx context.Context, path string) (*os.File, error) {
	for {
		held, err := tryLock(path)
		if err == nil || !errors.Is(err, errLocked) {
			return held, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("localpg: %s: %w", path, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// make prepares a cluster in a temporary directory, stops it, and moves a copy to dir when it is complete.
func (m Model) make(ctx context.Context, dir string) error {
	private, err := NewTempDir(true)
	if err != nil {
		return err
	}
	defer private.Remove()
	if err := os.Chmod(private.Path, 0o755); err != nil { // PostgreSQL's account must be able to enter
		return fmt.Errorf("localpg: %w", err)
	}
	data := filepath.Join(private.Path, "data")
	s, err := Start(ctx, Options{DataDir: data, clean: true})
	if err != nil {
		return err
	}
	err = m.Prepare(ctx, s)
	s.Stop()
	if err != nil {
		return err
	}
	fresh := dir + ".new"
	if err := errors.Join(os.RemoveAll(fresh), os.CopyFS(fresh, os.DirFS(data))); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	if err := os.Rename(fresh, dir); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return nil
}

// removeOld removes models that were not used for modelLife. What another process removes at the same time is not its
// business.
func removeOld(models string) {
	entries, _ := os.ReadDir(models)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && time.Since(info.ModTime()) > modelLife {
			_ = os.RemoveAll(filepath.Join(models, e.Name()))
			_ = os.Remove(filepath.Join(models, e.Name()+".lock"))
		}
	}
}

// copyModel makes a data directory of a model. PostgreSQL demands that nobody else may enter it.
func copyModel(model, fresh string) error {
	if err := os.CopyFS(fresh, os.DirFS(model)); err != nil {
		return fmt.Errorf("localpg: %w", err)
	}
	return os.Chmod(fresh, 0o700)
}
