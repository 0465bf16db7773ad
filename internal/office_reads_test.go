package internal_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Pages for staff read as konbit_office, in a transaction of staff.ReadTx: row-level security shows them the rows of the
// scope of the signed-in person, whatever a query asks for. They write by services, in staff.InTx.

// officeDoors are the functions to which code of web/office may pass the database.
var officeDoors = map[string]string{
	"staff.ReadTx": "reads as konbit_office",
	"staff.InTx":   "the database's functions know who acts",
	// Staff accounts are read as the server, because konbit_office reads no factor and no session.
	"staff.FactorsOf": "which factors the signed-in person has",
	"staff.Devices":   "the signed-in person's own sessions",
	"staff.RolesAt":   "roles of the chosen scope, in which the route requires an admin",
	"staff.All":       "names of staff; the page shows those with a role in the scope",
}

// officeReads returns how code uses a field DB, or StaffDB otherwise than as an argument of officeDoors, and the doors that
// it uses.
func officeReads(file *ast.File) (wrong []string, used map[string]bool) {
	used = map[string]bool{}
	allowed := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			callee, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			of, ok := callee.X.(*ast.Ident)
			if !ok || officeDoors[of.Name+"."+callee.Sel.Name] == "" {
				return true
			}
			for _, a := range n.Args {
				if s, ok := a.(*ast.SelectorExpr); ok && s.Sel.Name == "StaffDB" {
					allowed[s], used[of.Name+"."+callee.Sel.Name] = true, true
				}
			}
		case *ast.SelectorExpr:
			if (n.Sel.Name == "DB" || n.Sel.Name == "StaffDB") && !allowed[n] {
				of := "a value"
				if id, ok := n.X.(*ast.Ident); ok {
					of = id.Name
				}
				wrong = append(wrong, of+"."+n.Sel.Name)
			}
		}
		return true
	})
	return wrong, used
}

// TestOfficeReadsThroughItsDoor applies the rule to web/office and its packages.
func TestOfficeReadsThroughItsDoor(t *testing.T) {
	seen, doors := 0, map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		if pkg != "web/office" && !strings.HasPrefix(pkg, "web/office/") {
			return
		}
		seen++
		wrong, used := officeReads(file)
		for _, w := range wrong {
			t.Errorf("%s uses %s: read in staff.ReadTx, as konbit_office", path, w)
		}
		for door := range used {
			doors[door] = true
		}
	})
	require.NotZero(t, seen)
	for door := range officeDoors {
		if door != "staff.ReadTx" && door != "staff.InTx" {
			require.True(t, doors[door], "web/office does not call %s any more: delete it from officeDoors", door)
		}
	}
	for code, n := range map[string]int{
		`staff.ReadTx(ctx, a.StaffDB, v.Session, func(tx *sqlx.Tx) error { return nil })`: 0,
		`staff.ReadTx(ctx, a.DB, v.Session, func(tx *sqlx.Tx) error { return nil })`:      1,
		`donation.ByID(ctx, a.StaffDB, id)`:                                               1,
		`donation.Finder{DB: a.StaffDB}.Find(ctx)`:                                        1,
		`a.StaffDB.GetContext(ctx, &n, "SELECT 1")`:                                       1,
		`read(staff.ReadTx, a.StaffDB)`:                                                   1,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc f() {\n"+code+"\n}", 0)
		require.NoError(t, err)
		wrong, _ := officeReads(file)
		require.Len(t, wrong, n, code)
	}
}
