package internal_test

import (
	"bytes"
	"go/ast"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// Limits of size, in lines with comments, without tests. Packages of workshop have only the limit of a file.
const (
	maxPackageLines = 2500
	maxFileLines    = 400
)

func TestPackagesAndFilesStaySmall(t *testing.T) {
	lines := map[string]int{}
	each(t, func(pkg, path string, _ *ast.File) {
		source, err := os.ReadFile(path)
		require.NoError(t, err)
		n := bytes.Count(source, []byte("\n"))
		lines[pkg] += n
		if n > maxFileLines {
			t.Errorf("%s has %d lines: divide it, at most %d", path, n, maxFileLines)
		}
	})
	for pkg, n := range lines {
		if groupOf(pkg) != workshop && n > maxPackageLines {
			t.Errorf("%s has %d lines: divide it by its nouns, at most %d", pkg, n, maxPackageLines)
		}
	}
}
