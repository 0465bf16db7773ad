package privacy_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// personalColumns returns the columns that hold what names a person until an erasure. A test of package internal
// compares the file with the schema.
func personalColumns(t *testing.T) (columns []string) {
	t.Helper()
	text, err := os.ReadFile("testdata/columns.txt")
	require.NoError(t, err)
	for _, line := range regexp.MustCompile(`(?m)^(\w+\.\w+) +(\w[\w ]*)$`).FindAllStringSubmatch(string(text), -1) {
		if slices.Contains([]string{"emptied", "stripped", "deleted"}, line[2]) {
			columns = append(columns, line[1])
		}
	}
	require.Greater(t, len(columns), 40)
	return columns
}
