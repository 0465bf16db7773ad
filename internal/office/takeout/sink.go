package takeout

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// Zip returns a sink that writes one archive to w, and what ends the archive: without its end an archive cannot be opened.
func Zip(w io.Writer, now time.Time) (to Sink, end func() error) {
	archive := zip.NewWriter(w)
	return func(name string) (io.WriteCloser, error) {
		out, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: now})
		return noClose{out}, err
	}, archive.Close
}

// noClose is a file of an archive: the next one ends it.
type noClose struct{ io.Writer }

// Close is part of io.Closer.
func (noClose) Close() error { return nil }

// Directory returns a sink that writes files into a directory, which is made if it is not there. A file that is there already is an
// error. Only the user may read the files.
func Directory(path string) (Sink, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	return func(name string) (io.WriteCloser, error) {
		out, err := os.OpenFile(filepath.Join(path, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the operator names the directory
		if errors.Is(err, os.ErrExist) {
			err = fmt.Errorf("%w: choose an empty directory", err)
		}
		return out, err
	}, nil
}
