package localpg

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// minMajor is the first major version whose behaviour we need. For example, only from 15 on is the public schema closed
// to other roles.
const minMajor = 15

// An installation is a directory with initdb and postgres of one major version.
type installation struct {
	bin   string
	major int
}

// ErrMissing means that this machine has no usable PostgreSQL. Start wraps it.
var ErrMissing = errors.New("no PostgreSQL 15 or newer is installed")

func errMissing() error {
	mend := "apt-get install -y postgresql (or your system's package of it)"
	if runtime.GOOS == "darwin" {
		mend = "brew install postgresql@17"
	}
	return fmt.Errorf("localpg: %w; mend it with: %s", ErrMissing, mend)
}

// binDirs lists where packages install the server's programs: Debian and Ubuntu, Red Hat's community packages,
// Homebrew.
var binDirs = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/opt/homebrew/bin",
	"/usr/local/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// installations returns every usable PostgreSQL in the directories that match the patterns and on PATH, newest first.
func installations(patterns []string) []installation {
	var dirs []string
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // the only error is a malformed pattern
		dirs = append(dirs, found...)
	}
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)

	var all []installation
	seen := map[string]bool{}
	for _, dir := range dirs {
		if dir == "" || seen[dir] {
			continue
		}
		seen[dir] = true
		if major, ok := versionIn(dir); ok && major >= minMajor {
			all = append(all, installation{dir, major})
		}
	}
	slices.SortStableFunc(all, func(a, b installation) int { return cmp.Compare(b.major, a.major) })
	return all
}

var versionLine = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

func versionIn(dir string) (major int, ok bool) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return 0, false
	}
	out, err := exec.Command(filepath.Join(dir, "postgres"), "--version").Output()
	if err != nil {
		return 0, false
	}
	m := versionLine.FindSubmatch(out)
	if m == nil {
		return 0, false
	}
	major, err = strconv.Atoi(string(m[1]))
	return major, err == nil
}

// Program returns the path of one of PostgreSQL's programs (pgbench, psql …) in the installation that new clusters use.
func Program(name string) (string, error) {
	all := installations(binDirs)
	if len(all) == 0 {
		return "", errMissing()
	}
	path := filepath.Join(all[0].bin, name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("localpg: PostgreSQL %d is installed without %s: %w", all[0].major, name, err)
	}
	return path, nil
}

// chooseInstallation returns the newest installation for a new cluster, and the one of the cluster's major version for
// an existing cluster in dataDir.
func chooseInstallation(all []installation, dataDir string) (installation, error) {
	if len(all) == 0 {
		return installation{}, errMissing()
	}
	made, err := os.ReadFile(filepath.Join(dataDir, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return all[0], nil
	}
	if err != nil {
		return installation{}, fmt.Errorf("localpg: %w", err)
	}
	version := strings.TrimSpace(string(made))
	for _, in := range all {
		if strconv.Itoa(in.major) == version {
			return in, nil
		}
	}
	return installation{}, fmt.Errorf("localpg: the data in %s was made by PostgreSQL %s and this machine has %d; "+
		"install PostgreSQL %s, or give another data directory",
		dataDir, version, all[0].major, version)
}
