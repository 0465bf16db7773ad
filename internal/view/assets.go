package view

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// StaticPath is the path at which Static is mounted.
const StaticPath = "/static/"

// assets are the static files. Each address contains a hash of the file's bytes, so that the content of an address
// never changes and browsers may cache it for ever.
type assets struct {
	urls  map[string]string // app.css → /static/app.0123456789ab.css
	files map[string]asset  // by address
}

type asset struct {
	mediaType     string
	plain, zipped []byte
}

// cssComment matches a comment of a style sheet, which phones need not load.
var cssComment = regexp.MustCompile(`(?s)/\*.*?\*/\n?`)

func newAssets(fsys fs.FS) (*assets, error) {
	entries, err := fs.ReadDir(fsys, "static")
	if err != nil {
		return nil, fmt.Errorf("view: %w", err)
	}
	a := &assets{urls: map[string]string{}, files: map[string]asset{}}
	for _, entry := range entries {
		content, err := fs.ReadFile(fsys, "static/"+entry.Name())
		if err != nil {
			return nil, fmt.Errorf("view: %w", err)
		}
		ext := path.Ext(entry.Name())
		if ext == ".css" {
			content = cssComment.ReplaceAll(content, nil)
		}
		url := StaticPath + strings.TrimSuffix(entry.Name(), ext) + "." + fingerprint(content) + ext
		a.urls[entry.Name()] = url
		if a.files[url], err = newAsset(mediaTypeOf(ext), content); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// mediaTypeOf returns the media type of files with an extension, all of which are text, with its charset. Package mime
// has none for SVG.
func mediaTypeOf(ext string) string {
	mediaType := mime.TypeByExtension(ext)
	if !strings.Contains(mediaType, "charset=") {
		mediaType += "; charset=utf-8"
	}
	return mediaType
}

func newAsset(mediaType string, content []byte) (asset, error) {
	var zipped bytes.Buffer
	z, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return asset{}, fmt.Errorf("view: %w", err)
	}
	if _, err := z.Write(content); err != nil {
		return asset{}, fmt.Errorf("view: %w", err)
	}
	if err := z.Close(); err != nil {
		return asset{}, fmt.Errorf("view: %w", err)
	}
	return asset{mediaType: mediaType, plain: content, zipped: zipped.Bytes()}, nil
}

func fingerprint(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:6])
}

func (a *assets) url(name string) (string, error) {
	url, ok := a.urls[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return url, nil
}

// Static returns the handler of the files below StaticPath and of the organisations' colours. Responses may be cached
// for ever. Any other path is 404.
func (v *View) Static() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
			return
		}
		file, ok := v.assets.files[r.URL.Path]
		if !ok {
			file, ok = accentAsset(r.URL.Path)
		}
		if !ok {
			http.NotFound(w, r)
			return
		}
		file.serve(w, r)
	})
}

func (f asset) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", f.mediaType)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	header.Set("X-Content-Type-Options", "nosniff")
	content := f.plain
	if f.zipped != nil {
		header.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			header.Set("Content-Encoding", "gzip")
			content = f.zipped
		}
	}
	header.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(content) // it is no failure if the client has gone
	}
}
