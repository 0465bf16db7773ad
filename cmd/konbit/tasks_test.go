package main

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestEveryTaskHasItsNextStep reads the rooms: the kinds they open are those of nextSteps, no more and no fewer.
func TestEveryTaskHasItsNextStep(t *testing.T) {
	kinds := map[string]bool{}
	for _, files := range rooms(t) {
		k := kindReader{t, files, kinds}
		for _, f := range files {
			ast.Inspect(f, k.look(f))
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(nextSteps)), slices.Sorted(maps.Keys(kinds)))
}

// rooms parses the program, folder by folder, without its tests.
func rooms(t *testing.T) map[string][]*ast.File {
	files := token.NewFileSet()
	parsed := map[string][]*ast.File{}
	for _, root := range []string{"../../internal", "."} {
		require.NoError(t, filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			parsed[filepath.Dir(path)] = append(parsed[filepath.Dir(path)], f)
			return err
		}))
	}
	return parsed
}

// kindReader collects the kinds of one room's tasks. A kind it cannot read fails the test.
type kindReader struct {
	t     *testing.T
	files []*ast.File
	kinds map[string]bool
}

// look finds ledger.Task{Kind: …} and task.Kind = ….
func (k kindReader) look(in *ast.File) func(ast.Node) bool {
	return func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if s, ok := n.Type.(*ast.SelectorExpr); !ok || s.Sel.Name != "Task" {
				break
			}
			for _, e := range n.Elts {
				if kv := e.(*ast.KeyValueExpr); kv.Key.(*ast.Ident).Name == "Kind" {
					k.take(in, kv.Value)
				}
			}
		case *ast.AssignStmt:
			if s, ok := n.Lhs[0].(*ast.SelectorExpr); ok && s.Sel.Name == "Kind" {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "task" {
					k.take(in, n.Rhs[0])
				}
			}
		}
		return true
	}
}

// take reads a kind: a literal, a constant of the room, or a parameter of the function around it, whose callers then name it.
func (k kindReader) take(in *ast.File, kind ast.Expr) {
	if literal, ok := kind.(*ast.BasicLit); ok {
		text, err := strconv.Unquote(literal.Value)
		require.NoError(k.t, err)
		k.kinds[text] = true
		return
	}
	name, ok := kind.(*ast.Ident)
	require.True(k.t, ok, "%s: the kind of a task is a literal, a constant or a parameter", in.Name)
	if value := k.constant(name.Name); value != nil {
		k.take(in, value)
		return
	}
	for _, d := range in.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || kind.Pos() < f.Pos() || kind.Pos() > f.End() {
			continue
		}
		at := slices.Index(parameters(f), name.Name)
		require.GreaterOrEqual(k.t, at, 0, "%s.%s: the kind of a task is a literal, a constant or a parameter", in.Name, f.Name)
		for _, file := range k.files {
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && calls(call, f.Name.Name) {
					k.take(file, call.Args[at])
				}
				return true
			})
		}
	}
}

// constant is what a constant of the room was declared to be; nil: there is none of that name.
func (k kindReader) constant(name string) (value ast.Expr) {
	for _, file := range k.files {
		for _, d := range file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
				for _, spec := range g.Specs {
					v := spec.(*ast.ValueSpec)
					if at := slices.IndexFunc(v.Names, func(n *ast.Ident) bool { return n.Name == name }); at >= 0 && at < len(v.Values) {
						value = v.Values[at]
					}
				}
			}
		}
	}
	return value
}

func parameters(f *ast.FuncDecl) (names []string) {
	for _, p := range f.Type.Params.List {
		for _, n := range p.Names {
			names = append(names, n.Name)
		}
	}
	return names
}

func calls(c *ast.CallExpr, name string) bool {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name == name
	case *ast.SelectorExpr:
		return f.Sel.Name == name
	}
	return false
}

func TestTasksAreTold(t *testing.T) {
	tsne := org.LegalEntity{ID: uuid.New(), Slug: "tsne"}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	task := ledger.Task{EntityID: tsne.ID, Kind: "fund_could_not_bear", Subject: "re_1 B3-TRK", Detail: map[string]string{"of": "re_1", "amount": "700"}}
	var out bytes.Buffer
	printTasks(&out, taskLines([]org.LegalEntity{tsne}, []ledger.StoredTask{{Task: task, Times: 2, OpenedAt: at, ClosedAt: &at}}))
	require.Equal(t, `2026-03-01T12:00:00Z  tsne  fund_could_not_bear "re_1 B3-TRK", opened 2 times, closed 2026-03-01T12:00:00Z
    amount 700, of re_1
    `+nextSteps["fund_could_not_bear"]+"\n", out.String())
	out.Reset()
	printTasks(&out, nil)
	require.Equal(t, "Nothing waits for finance.\n", out.String())
}

// TestTaskCommands: closing what is not open is a failure, and the doctor tells what is left.
func TestTaskCommands(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	open := func(slug, subject string) {
		task := ledger.Task{EntityID: h.Offer(slug).Entity.ID, Kind: "payout_failed", Subject: subject}
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			return ledger.OpenTaskTx(t.Context(), tx, task, uuid.New, time.Now())
		}))
	}
	open("csio", "po_1")
	doctors := func() string {
		d := &doctor{}
		d.checkTasks(t.Context(), h.DB.Server)
		require.False(t, d.ill)
		return d.findings[0].String()
	}
	list := func(args ...string) string {
		out, err := said(t, append([]string{"tasks", "list"}, args...)...)
		require.NoError(t, err)
		return out
	}
	require.Equal(t, "✓ tasks for finance: 1 wait: konbit tasks list", doctors())
	require.Contains(t, list("--entity", "tsne"), `tsne  payout_failed "po_1"`+"\n    "+nextSteps["payout_failed"])
	require.Equal(t, "Nothing waits for finance.\n", list("--entity", "aina"))

	_, err := said(t, "tasks", "close", "payout_failed", "po_2", "--entity", "tsne")
	require.ErrorContains(t, err, `no task payout_failed "po_2" is open`)
	_, err = said(t, "tasks", "close", "payout_failed", "po_1", "--entity", "tsne")
	require.NoError(t, err)
	_, err = said(t, "tasks", "close", "payout_failed", "po_1", "--entity", "tsne")
	require.ErrorContains(t, err, "no task")

	// Without --entity where one task alone is meant.
	open("csio", "po_3")
	open("aina", "po_3")
	_, err = said(t, "tasks", "close", "payout_failed", "po_3")
	require.ErrorIs(t, err, errUse)
	require.ErrorContains(t, err, "aina and tsne have that task: say which by --entity")
	for _, args := range [][]string{{"po_3", "--entity", "aina"}, {"po_3"}} {
		out, err := said(t, append([]string{"tasks", "close", "payout_failed"}, args...)...)
		require.NoError(t, err)
		require.Equal(t, "Closed.\n", out)
	}

	require.Equal(t, "✓ tasks for finance", doctors())
	require.JSONEq(t, "[]", list("--json"))
	require.Contains(t, list("--all", "--json"), `"kind": "payout_failed"`)
}
