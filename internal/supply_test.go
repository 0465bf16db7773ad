package internal_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Threat T34: third-party code is used only through go.mod, at one version with its hash.

var required = regexp.MustCompile(`(?m)^(?:require )?\s*([a-zA-Z0-9][^\s()]*\.[^\s()]*) (v\S+)`)

func TestModulesArePinnedWithTheirHashes(t *testing.T) {
	mod, sum := read(t, "../go.mod"), read(t, "../go.sum")
	assert.NotRegexp(t, `(?m)^\s*(replace|exclude)\b`, mod, "what is built is what its authors published")
	modules := required.FindAllStringSubmatch(mod, -1)
	require.Greater(t, len(modules), 40, "go.mod was not read")
	for _, m := range modules {
		assert.Contains(t, sum, m[1]+" "+m[2]+"/go.mod h1:", m[1])
		assert.Contains(t, sum, m[1]+" "+m[2]+" h1:", m[1])
	}
}

// TestToolsArePinned checks that each tool of the Makefile has one version, and that the lock file of npm (for tests)
// holds hashes.
func TestToolsArePinned(t *testing.T) {
	makefile := read(t, "../Makefile")
	assert.NotContains(t, makefile, "@latest")
	tools := regexp.MustCompile(`(?m)^[A-Z_]+ = \S+\.\S+/\S+`).FindAllString(makefile, -1)
	require.Len(t, tools, 2, "golangci-lint and govulncheck")
	for _, tool := range tools {
		assert.Regexp(t, `@v\d+\.\d+\.\d+$`, tool)
	}
	var lock struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, "workshop/testkit/axe/package-lock.json")), &lock))
	require.Greater(t, len(lock.Packages), 1)
	for name, p := range lock.Packages {
		if name != "" { // our own package
			assert.Regexp(t, `^sha512-`, p.Integrity, name)
		}
	}
}

var (
	// loads matches the places from which a page or a style sheet loads, links or sends.
	loads = regexp.MustCompile(`(?i)(?:\b(?:src|href|action|formaction|poster|srcset|data|ping|background)\s*=\s*["']?|url\(\s*["']?|@import\s+["']?)([^"'\s>)]*)`)
	// inline matches code in a page.
	inline = regexp.MustCompile(`(?is)<script\b[^>]*>\s*[^<\s]|<[^>]*\son[a-z]+\s*=|javascript:`)
)

// foreign returns what a template, a style sheet or a script loads from elsewhere, and code in a page.
func foreign(content string) (wrong []string) {
	for _, load := range loads.FindAllStringSubmatch(content, -1) {
		if to := load[1]; !regexp.MustCompile(`^(\{\{|#|/[^/\\]|/$|\$|$)`).MatchString(to) {
			wrong = append(wrong, to)
		}
	}
	return append(wrong, inline.FindAllString(content, -1)...)
}

func TestPagesAndEmailsLoadNothingExternal(t *testing.T) {
	seen := 0
	address := regexp.MustCompile(`(?i)(?:https?:|wss?:)?//[a-z0-9-]+\.[a-z]`)
	require.NoError(t, filepath.WalkDir("../templates", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".go") || strings.HasSuffix(path, ".yaml") {
			return err
		}
		seen++
		content := read(t, path)
		assert.Empty(t, address.FindAllString(strings.ReplaceAll(content, `xmlns="http://www.w3.org/2000/svg"`, ""), -1), path)
		if filepath.Ext(path) != ".js" {
			assert.Empty(t, foreign(content), path)
		} else {
			assert.NotRegexp(t, `\b(fetch|XMLHttpRequest|WebSocket|EventSource|sendBeacon|importScripts|eval|innerHTML|outerHTML|insertAdjacentHTML|import)\b\s*[(=]|document\.write|new Function`, content, path)
		}
		return nil
	}))
	require.Greater(t, seen, 15)
}

func TestForeignContentIsFound(t *testing.T) {
	for _, wrong := range []string{
		`<script src="https://cdn.example/x.js"></script>`, `<script src=//cdn.example/x.js></script>`, `<link href='https://fonts.example/css'>`, `<img src=http://x.example/pixel.gif>`,
		`@import "https://fonts.example/a.css";`, `background: url(//x.example/a.png)`, `<script>alert(1)</script>`, `<body onload="x()">`, `<a href="javascript:x()">`, `<form action="https://x.example">`,
	} {
		assert.NotEmpty(t, foreign(wrong), wrong)
	}
	for _, right := range []string{`<script src="{{asset "give.js"}}" defer></script>`, `<a href="#x">`, `<a href="/give/csio">`, `<form method="post" action="{{.Action}}">`} {
		assert.Empty(t, foreign(right), right)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}
