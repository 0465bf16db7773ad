package internal_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)|src="([^"]+)"`)
	pathInCode   = regexp.MustCompile("`((?:internal|cmd|migrations|templates)/[a-zA-Z0-9_./-]+)`")
)

// TestDocumentationNamesWhatExists checks that the relative links and the quoted paths of all Markdown files
// exist.
func TestDocumentationNamesWhatExists(t *testing.T) {
	files, links := 0, 0
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == ".cache" || d.Name() == ".demo" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		files++
		text := read(t, path)
		for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
			to, _, _ := strings.Cut(m[1]+m[2], "#")
			if to == "" || strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
				continue
			}
			links++
			_, err := os.Stat(filepath.Join(filepath.Dir(path), to))
			assert.NoError(t, err, "%s links to %s", path, to)
		}
		for _, m := range pathInCode.FindAllStringSubmatch(text, -1) {
			_, err := os.Stat(filepath.Join("..", m[1]))
			assert.NoError(t, err, "%s names %s", path, m[1])
		}
		return nil
	}))
	require.Greater(t, files, 8, "it saw fewer files than there are")
	require.Greater(t, links, 30, "it saw fewer links than there are")
	assert.Less(t, len(read(t, "../README.md")), 9*1024, "details belong into the folder they are about")
}
