package internal_test

import (
	"go/ast"
	"regexp"
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

// TestEveryTableHasAClass: SECURITY.md gives every table its class of data (ASVS 5.0.0 V14.1.1). The list of columns is
// complete by a test of package portal.
func TestEveryTableHasAClass(t *testing.T) {
	var tables []string
	for line := range strings.Lines(read(t, "web/portal/testdata/columns.txt")) {
		if cells := strings.Split(line, " | "); len(cells) == 3 && !strings.HasPrefix(line, "#") {
			tables = append(tables, cells[0])
		}
	}
	names(t, securityPage, tables, 60)
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
