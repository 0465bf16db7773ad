package privacy

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// SyncFile brings the database and the list in a file outside the database to the same state. The file is copied with
// the backups, and it only grows. An erasure that is in the file and not in the database was lost by restoring a
// backup, and is run again first. Several servers may use the same file.
func (k Eraser) SyncFile(ctx context.Context, path string) (ApplyResult, error) {
	d, err := Compare(ctx, k.DB, path)
	if err != nil {
		return ApplyResult{}, err
	}
	applied, err := k.Apply(ctx, d.Undone)
	if err != nil || len(d.Unlisted) == 0 && d.Exists {
		return applied, err
	}
	list := append(d.listed, d.Unlisted...)
	slices.SortStableFunc(list, func(a, b ListEntry) int { return a.DoneAt.Compare(b.DoneAt) })
	var text bytes.Buffer
	if err := WriteList(&text, list); err != nil {
		return applied, err
	}
	return applied, replace(path, text.Bytes())
}

// Difference is how the list in a file differs from the database.
type Difference struct {
	Exists   bool        // whether the file exists
	Unlisted []ListEntry // done in the database, and not in the file
	Undone   []ListEntry // in the file, and not done in the database: an older backup was restored
	listed   []ListEntry
}

// Compare compares the list in a file with the database. A missing file counts as an empty list.
func Compare(ctx context.Context, q sqlx.QueryerContext, path string) (d Difference, err error) {
	text, err := os.ReadFile(path)
	if d.Exists = err == nil; err != nil && !errors.Is(err, fs.ErrNotExist) {
		return d, err
	}
	if d.listed, err = ReadList(bytes.NewReader(text)); err != nil {
		return d, err
	}
	done, err := ListDone(ctx, q)
	d.Unlisted, d.Undone = without(done, d.listed), without(d.listed, done)
	return d, err
}

// without returns the entries of all that are not in some.
func without(all, some []ListEntry) []ListEntry {
	known := map[uuid.UUID]bool{}
	for _, e := range some {
		known[e.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(all), func(e ListEntry) bool { return known[e.ID] })
}

// replace writes a file atomically: it is complete at every moment, also after a power failure.
func replace(path string, content []byte) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ignoreNotExist(os.Remove(f.Name()))) }()
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ignoreNotExist returns nil if err says that a file does not exist, and err otherwise.
func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
