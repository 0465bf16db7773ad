package internal_test

import (
	"cmp"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asvsLevels has the level of each requirement of OWASP ASVS 5.0.0 of levels 1 and 2, by section, in the order of their
// numbers: "1.5": "12" is 1.5.1 of level 1 and 1.5.2 of level 2. In every section those of level 3 come last.
var asvsLevels = map[string]string{
	"1.1": "22", "1.2": "111112222", "1.3": "11222222222", "1.4": "222", "1.5": "12",
	"2.1": "122", "2.2": "112", "2.3": "1222", "2.4": "2",
	"3.2": "11", "3.3": "1222", "3.4": "112222", "3.5": "11122", "3.7": "22",
	"4.1": "122", "4.2": "2", "4.3": "22", "4.4": "1222",
	"5.1": "2", "5.2": "112", "5.3": "11", "5.4": "222",
	"6.1": "122", "6.2": "111111112222", "6.3": "1122", "6.4": "1122", "6.5": "22222", "6.6": "222", "6.8": "2222",
	"7.1": "222", "7.2": "1111", "7.3": "22", "7.4": "11222", "7.5": "22", "7.6": "22",
	"8.1": "12", "8.2": "112", "8.3": "1", "8.4": "2",
	"9.1": "111", "9.2": "1222",
	"10.1": "22", "10.2": "22", "10.3": "2222", "10.4": "11111222222", "10.5": "22222", "10.6": "22", "10.7": "222",
	"11.1": "22", "11.2": "222", "11.3": "112", "11.4": "1222", "11.5": "2", "11.6": "2",
	"12.1": "122", "12.2": "11", "12.3": "2222",
	"13.1": "2", "13.2": "22222", "13.3": "22", "13.4": "12222",
	"14.1": "22", "14.2": "1222", "14.3": "122",
	"15.1": "122", "15.2": "122", "15.3": "1222222",
	"16.1": "2", "16.2": "22222", "16.3": "2222", "16.4": "222", "16.5": "222",
	"17.1": "2", "17.2": "2222", "17.3": "22",
}

// asvsRow is a row of .github/ASVS.md.
type asvsRow struct{ no, level, about, state, why string }

func asvsRows(t *testing.T) (rows []asvsRow) {
	t.Helper()
	for line := range strings.Lines(read(t, "../.github/ASVS.md")) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if no := strings.TrimSpace(cells[0]); no != "" && no[0] >= '0' && no[0] <= '9' {
			require.Len(t, cells, 5, line)
			rows = append(rows, asvsRow{no, cells[1], cells[2], cells[3], strings.TrimSpace(cells[4])})
		}
	}
	return rows
}

// TestASVSHasEveryRequirement: each requirement stands in the table once, with its level.
func TestASVSHasEveryRequirement(t *testing.T) {
	missing, number := map[string]string{}, map[string]int{}
	for section, levels := range asvsLevels {
		for i, level := range levels {
			missing[section+"."+strconv.Itoa(i+1)] = string(level)
			number[string(level)]++
		}
	}
	require.Equal(t, map[string]int{"1": 70, "2": 183}, number, "as the standard counts them")
	for _, row := range asvsRows(t) {
		assert.Equal(t, missing[row.no], row.level, "%s: its level, or it stands twice, or it is of level 3", row.no)
		delete(missing, row.no)
	}
	assert.Empty(t, missing)
}

// TestASVSStates: nothing of level 1 is open, what is met names evidence that exists, and what is not says why.
func TestASVSStates(t *testing.T) {
	known, before, tests := newEvidence(t), "", 0
	for _, row := range asvsRows(t) {
		switch row.state {
		case "met":
			found := known.of(t, row)
			if strings.HasPrefix(row.why, "the same") {
				assert.Equal(t, "met", before, "%s: the same as what?", row.no)
			} else {
				assert.NotEmpty(t, found, "%s: where? It needs a test, a file or a target of make that exists", row.no)
			}
			if slices.ContainsFunc(found, isTest) {
				tests++
			}
		case "open":
			assert.Equal(t, "2", row.level, "%s is of level 1 and open", row.no)
			assert.Greater(t, len(row.why), 20, "%s: why?", row.no)
			known.of(t, row)
		case "n/a":
			assert.NotEmpty(t, row.why, "%s: why not?", row.no)
		default:
			t.Errorf("%s: %q is no state", row.no, row.state)
		}
		before = row.state
	}
	require.Greater(t, tests, 110, "requirements that a test holds")
}

// evidence is what a row of the table can name.
type evidence struct{ tests, targets map[string]bool }

var (
	quotedWord = regexp.MustCompile("`([^`]+)`")
	linkedFile = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)
)

func newEvidence(t *testing.T) evidence {
	t.Helper()
	e := evidence{map[string]bool{}, map[string]bool{}}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	require.NoError(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == ".git" || d.Name() == ".cache" || d.Name() == "node_modules") {
			return cmp.Or(err, filepath.SkipDir)
		}
		if strings.HasSuffix(path, "_test.go") {
			for _, m := range function.FindAllStringSubmatch(read(t, path), -1) {
				e.tests[m[1]] = true
			}
		}
		return nil
	}))
	for _, m := range regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "../Makefile"), -1) {
		e.targets["make "+m[1]] = true
	}
	require.Greater(t, len(e.tests), 500)
	require.Greater(t, len(e.targets), 5)
	return e
}

func isTest(name string) bool {
	return strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz")
}

// of returns the tests, files and targets of make that a row names. It fails the test if one of them does not exist.
// It ignores other words in backquotes.
func (e evidence) of(t *testing.T, row asvsRow) (found []string) {
	t.Helper()
	file := func(path string) {
		_, err := os.Stat(path)
		assert.NoError(t, err, "%s names %s", row.no, path)
		found = append(found, path)
	}
	for _, m := range quotedWord.FindAllStringSubmatch(row.why, -1) {
		switch name := m[1]; {
		case isTest(name):
			assert.True(t, e.tests[name], "%s names %s", row.no, name)
			found = append(found, name)
		case strings.HasPrefix(name, "make "):
			assert.True(t, e.targets[name], "%s names %s", row.no, name)
			found = append(found, name)
		case pathInCode.MatchString(m[0]), strings.HasPrefix(name, "."):
			file(filepath.Join("..", name))
		}
	}
	for _, m := range linkedFile.FindAllStringSubmatch(row.why, -1) {
		file(filepath.Join("../.github", m[1]))
	}
	return found
}

// TestWrongEvidenceIsNoticed: the rules of TestASVSStates, with rows that break them.
func TestWrongEvidenceIsNoticed(t *testing.T) {
	known := newEvidence(t)
	for why, want := range map[string]int{
		"`TestASVSStates`": 1, "`make check`": 1, "[the page](SECURITY.md), *Logs*": 1, "`internal/asvs_test.go`, `.golangci.yml`": 2,
		"`anything`": 0, "Go's default": 0, "`sslmode=verify-full`": 0, "`konbit`": 0, "`/hooks/`": 0,
	} {
		require.Len(t, known.of(t, asvsRow{why: why}), want, why)
	}
	require.False(t, known.tests["TestNobodyWroteThis"])
	require.False(t, known.targets["make nothing"])
}
