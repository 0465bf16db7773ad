package stripepay_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/processor/stripebalance"
)

// priorities says which calls to Stripe go first (package turns). A function that is not here has the priority of its
// caller's context, which is that of acts if nobody says another.
var priorities = map[string]string{
	"Create": "Gift", "Find": "Gift", "Expire": "Gift",
	"Invoice": "Import", "Dispute": "Import", "fetchBalance": "Import", "Transactions": "Import", "Transaction": "Import",
	"Payout": "Import", "Members": "Import", "Sweep": "Import",
	"drain": "Act", // within Sweep: a donor may wait for the gift that an event settles
}

// TestEachCallHasItsPriority reads the source: each function has the priority of the table. The functions that the import
// calls every few seconds, for which nobody waits, have that of imports, by themselves or by what they call.
func TestEachCallHasItsPriority(t *testing.T) {
	files := token.NewFileSet()
	entries, err := os.ReadDir(".")
	require.NoError(t, err)
	found, calls := map[string]string{}, map[string][]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(files, e.Name(), nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range parsed.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				calls[f.Name.Name] = append(calls[f.Name.Name], s.Sel.Name)
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "turns" && s.Sel.Name == "With" {
					found[f.Name.Name] = call.Args[1].(*ast.SelectorExpr).Sel.Name
				}
				return true
			})
		}
	}
	assert.Equal(t, priorities, found)
	for m := range reflect.TypeFor[stripebalance.Source]().Methods() {
		name := m.Name
		if name == "HasAccount" {
			continue // it calls nothing
		}
		by := found[name] == "Import"
		for _, other := range calls[name] {
			by = by || found[other] == "Import"
		}
		assert.True(t, by, "%s is called for the import", name)
	}
}
