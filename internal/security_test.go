package internal_test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
)

const securityPage = "../.github/SECURITY.md"

// names asserts that a page quotes each name as code, and that there are at least some.
func names(t *testing.T, page string, quoted []string, atLeast int) {
	t.Helper()
	text := read(t, page)
	require.GreaterOrEqual(t, len(quoted), atLeast, "the test saw fewer than there are")
	for _, name := range quoted {
		assert.Contains(t, text, "`"+name+"`", "%s does not name it", page)
	}
}

// matches returns the first group of every match in the sources of packages below a folder of internal, without tests.
func matches(t *testing.T, folder, pattern string) (found []string) {
	t.Helper()
	each(t, func(pkg, path string, _ *ast.File) {
		if pkg == folder || strings.HasPrefix(pkg, folder+"/") {
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(read(t, path), -1) {
				found = append(found, m[1])
			}
		}
	})
	return found
}

// TestPermissionsAreDocumented: SECURITY.md names every permission of the table of routes (ASVS 5.0.0 V6.1.3, V8.1.1).
func TestPermissionsAreDocumented(t *testing.T) {
	var permissions []string
	for line := range strings.Lines(read(t, "web/testdata/routes.txt")) {
		if cells := strings.Split(line, "|"); len(cells) == 3 && !strings.HasPrefix(line, "#") {
			permissions = append(permissions, strings.TrimSpace(cells[1]))
		}
	}
	names(t, securityPage, permissions, 30)
}

// TestSecretsAreInTheInventory: SECURITY.md names every setting that holds a secret (ASVS 5.0.0 V11.1.2).
func TestSecretsAreInTheInventory(t *testing.T) {
	public := map[string]bool{"BASE_URL": true, "STRIPE_API_URL": true}
	var secrets []string
	for _, m := range regexp.MustCompile(`(?m)^([A-Z_]+)=`).FindAllStringSubmatch(read(t, "../.env.example"), -1) {
		if name := m[1]; regexp.MustCompile(`KEY|SECRET|PASSWORD|_URL$`).MatchString(name) && !public[name] {
			secrets = append(secrets, strings.Replace(name, "_TSNE", "_{ENTITY}", 1))
		}
	}
	names(t, securityPage, secrets, 7)
}

// TestEveryTableHasAClass: the lists of classes in SECURITY.md name every table (ASVS 5.0.0 V14.1.1), each whole table
// once and no other. A name with a part in parentheses, such as "(facts)", is that part alone. The list of columns is
// complete by a test of package portal.
func TestEveryTableHasAClass(t *testing.T) {
	classes, whole, entry := map[string][]string{}, map[string]bool{}, regexp.MustCompile("`(\\w+)`( \\([^)]*\\))?")
	for line := range strings.Lines(read(t, securityPage)) {
		if cells := strings.Split(line, " | "); strings.HasPrefix(line, "| **") && len(cells) == 5 {
			for _, m := range entry.FindAllStringSubmatch(cells[2], -1) {
				if m[2] == "" {
					assert.False(t, whole[m[1]], "%s: %s has two classes", cells[0], m[1])
					whole[m[1]] = true
				}
				classes[m[1]] = append(classes[m[1]], cells[0])
			}
		}
	}
	var tables []string
	for line := range strings.Lines(read(t, "web/portal/testdata/columns.txt")) {
		if cells := strings.Split(line, " | "); len(cells) == 3 && !strings.HasPrefix(line, "#") {
			tables = append(tables, cells[0])
		}
	}
	tables = slices.Compact(tables) // the lines of a table follow each other
	require.Greater(t, len(tables), 60)
	for _, table := range tables {
		assert.NotEmpty(t, classes[table], "%s has no class in %s", table, securityPage)
	}
	for table := range classes {
		assert.Contains(t, tables, table, "%s names what is no table", securityPage)
	}
}

// TestCookiesAreSetInOnePlace: all cookies have the attributes that TestCookieHasTheHostPrefix sees, because one
// function sets them (ASVS 5.0.0 V3.3).
func TestCookiesAreSetInOnePlace(t *testing.T) {
	var places []string
	each(t, func(pkg, path string, _ *ast.File) {
		if groupOf(pkg) != workshop && regexp.MustCompile(`http\.SetCookie|http\.Cookie\{|Set-Cookie`).MatchString(read(t, path)) {
			places = append(places, path)
		}
	})
	require.Equal(t, []string{"web/cookie.go"}, places)
}

// TestOnlyApprovedCryptography: the program imports no other cryptography than that of SECURITY.md, ciphers are made in
// one place, and random values that are not secret in three (ASVS 5.0.0 V6.5.3, V7.2.2, V11.3, V11.4, V11.5).
func TestOnlyApprovedCryptography(t *testing.T) {
	approved := []string{"crypto", "crypto/ed25519", "crypto/hkdf", "crypto/hmac", "crypto/rand", "crypto/rsa", "crypto/sha256", "crypto/subtle",
		"crypto/tls", "crypto/x509", "hash/adler32"} // the last is a checksum of compressed bytes
	only := map[string][]string{
		"golang.org/x/crypto/argon2": {"people/staff/password.go"},
		"crypto/aes":                 {"platform/keyring/seal.go"}, "crypto/cipher": {"platform/keyring/seal.go"},
		// Pauses, the sample of counters to lock, and the delay of a parked event.
		"math/rand/v2": {"platform/guard/count.go", "platform/jobs/runner.go", "processor/event/fetch.go"},
	}
	cryptography := regexp.MustCompile(`^(crypto|math/rand|hash/|golang\.org/x/crypto)`)
	seen := 0
	each(t, func(pkg, path string, file *ast.File) {
		if groupOf(pkg) == workshop || groupOf(pkg) == "cmd" && pkg != "cmd/konbit" {
			return
		}
		for _, imported := range file.Imports {
			name := strings.Trim(imported.Path.Value, `"`)
			if !cryptography.MatchString(name) {
				continue
			}
			seen++
			assert.True(t, slices.Contains(approved, name) || slices.Contains(only[name], path), "%s imports %s", path, name)
		}
	})
	require.Greater(t, seen, 20)
}

// TestCookiesAreDocumented: SECURITY.md names every cookie (ASVS 5.0.0 V14.3.3).
func TestCookiesAreDocumented(t *testing.T) {
	names(t, securityPage, matches(t, "web", `\b\w+Cookie\s*= "(\w+)"`), 6)
}

// TestFormFieldsAreDocumented: the README of package web names every field that a handler reads (ASVS 5.0.0 V2.1.1).
func TestFormFieldsAreDocumented(t *testing.T) {
	fields := matches(t, "web", `(?:PostForm\.Get|typed\.Get|query\.Get|Query\(\)\.Get|\bvalue|\btyped)\("([a-z_]+)"\)`)
	names(t, "web/README.md", append(fields, contact.FieldNames()...), 40)
}

// TestMemoryIsSafe: no package of ours goes around Go's types or calls C (ASVS 5.0.0 V1.4.1).
func TestMemoryIsSafe(t *testing.T) {
	each(t, func(_, path string, file *ast.File) {
		for _, imported := range file.Imports {
			assert.NotContains(t, []string{`"unsafe"`, `"C"`, `"plugin"`}, imported.Path.Value, path)
		}
	})
}
