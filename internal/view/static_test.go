package view_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/view"
)

// eventPage returns a page with a script, in a frame.
func eventPage(t *testing.T, v *view.View, f view.Frame) string {
	t.Helper()
	var page strings.Builder
	require.NoError(t, v.Write(&page, "give/event", "en", struct {
		view.Frame
		Organisation view.Organisation
		Action       string
	}{f, centro("en"), "/"}))
	return page.String()
}

func TestStaticFilesAreCachedForEver(t *testing.T) {
	v := newView(t)
	page := eventPage(t, v, frame("en"))
	paths := regexp.MustCompile(`/static/[^"]+`).FindAllString(page, -1)
	require.Len(t, paths, 4, "sheet, accent, icon, script")
	for _, path := range paths {
		plain := get(v, path, "")
		require.Equal(t, http.StatusOK, plain.Code, path)
		assert.Equal(t, "public, max-age=31536000, immutable", plain.Header().Get("Cache-Control"))
		assert.Regexp(t, `^(text/css|text/javascript|image/svg\+xml)`, plain.Header().Get("Content-Type"))
		if zipped := get(v, path, "gzip, br"); zipped.Header().Get("Content-Encoding") == "gzip" {
			r, err := gzip.NewReader(zipped.Body)
			require.NoError(t, err)
			content, err := io.ReadAll(r)
			require.NoError(t, err)
			assert.Equal(t, plain.Body.String(), string(content))
			assert.Equal(t, "Accept-Encoding", plain.Header().Get("Vary"))
		}
	}
}

// TestStaticFilesNameTheirCharset is ASVS 5.0.0 V4.1.1: style sheets, scripts and pictures are all text.
func TestStaticFilesNameTheirCharset(t *testing.T) {
	v := newView(t)
	for _, path := range regexp.MustCompile(`/static/[^"]+`).FindAllString(eventPage(t, v, frame("en")), -1) {
		assert.Regexp(t, `^(text/css|text/javascript|image/svg\+xml); charset=utf-8$`, get(v, path, "").Header().Get("Content-Type"), path)
	}
}

func TestStaticServesNothingElse(t *testing.T) {
	v := newView(t)
	accent := regexp.MustCompile(`/static/accent-[^"]+`).FindString(eventPage(t, v, frame("en")))
	for _, path := range []string{
		"/static/", "/static/app.css", "/static/app.000000000000.css", "/static/../give/en.yaml", "/static/accent-",
		"/static/accent-ffffff.000000000000.css", strings.Replace(accent, "7a1f1f", "7a1f2f", 1), accent + "x",
	} {
		assert.Equal(t, http.StatusNotFound, get(v, path, "").Code, path)
	}
	answer := httptest.NewRecorder()
	v.Static().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, accent, nil))
	assert.Equal(t, http.StatusMethodNotAllowed, answer.Code)
}

func TestAccentSheet(t *testing.T) {
	v := newView(t)
	p := frame("en")
	sheet := func(accent string) string {
		p.Accent = accent
		return get(v, regexp.MustCompile(`/static/accent-[^"]+`).FindString(eventPage(t, v, p)), "").Body.String()
	}
	assert.Contains(t, sheet("#1f5d57"), "--accent:#1f5d57;")
	for _, unfit := range []string{"", "#fff", "red;}body{display:none", "#ffff00"} {
		assert.Contains(t, sheet(unfit), "--accent:"+view.DefaultAccent+";", unfit)
	}
	assert.NotContains(t, sheet("#000000"), "NaN")
}

func TestCheckAccent(t *testing.T) {
	for _, good := range []string{view.DefaultAccent, "#000000", "#1f5d57", "#0b5394", "#6a3d00"} {
		assert.NoError(t, view.CheckAccent(good), good)
	}
	for _, bad := range []string{"", "7a1f1f", "#7A1F1F", "#7a1f1", "#7a1f1f ", "#ffff00", "#888888", "#e07a5f"} {
		assert.Error(t, view.CheckAccent(bad), bad)
	}
}

func get(v *view.View, path, encoding string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.URL.Path = path
	r.Header.Set("Accept-Encoding", encoding)
	answer := httptest.NewRecorder()
	v.Static().ServeHTTP(answer, r)
	return answer
}
