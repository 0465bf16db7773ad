package internal_test

import (
	"bufio"
	"bytes"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/short"
)

// typedModule is the module with the types of everything it imports.
type typedModule struct {
	fset    *token.FileSet
	exports map[string]string // by import path: the file with the package's export data
	shipped []listed
	imports types.Importer
}

type listed struct {
	path  string
	files []string
}

// loadModule asks the go command for the shipped packages and for the types of their imports.
func loadModule(t *testing.T) *typedModule {
	t.Helper()
	short.Skip(t, "the go command")
	command := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}\t{{.Dir}}\t{{join .GoFiles \" \"}}", "./cmd/konbit")
	command.Dir = ".."
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	require.NoError(t, err, "%s", said.String())
	h := &typedModule{fset: token.NewFileSet(), exports: map[string]string{}}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		part := strings.Split(lines.Text(), "\t")
		h.exports[part[0]] = part[1]
		if strings.HasPrefix(part[0], "konbit/") {
			p := listed{path: part[0]}
			for _, name := range strings.Fields(part[3]) {
				p.files = append(p.files, filepath.Join(part[2], name))
			}
			h.shipped = append(h.shipped, p)
		}
	}
	require.Greater(t, len(h.shipped), 20, "the test loaded less than the module")
	h.imports = importer.ForCompiler(h.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(h.exports[path]) })
	return h
}

// check parses files, or the given source, and computes their types.
func (h *typedModule) check(t *testing.T, path string, names []string, source ...string) (*types.Info, []*ast.File) {
	t.Helper()
	var files []*ast.File
	for _, name := range names {
		f, err := parser.ParseFile(h.fset, name, nil, 0)
		require.NoError(t, err)
		files = append(files, f)
	}
	for _, text := range source {
		f, err := parser.ParseFile(h.fset, "x.go", text, 0)
		require.NoError(t, err)
		files = append(files, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{}}
	_, err := (&types.Config{Importer: h.imports}).Check(path, h.fset, files, info)
	require.NoError(t, err)
	return info, files
}
