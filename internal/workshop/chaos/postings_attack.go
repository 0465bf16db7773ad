package chaos

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

// attack tries to change each column of each of the ledger's tables, to delete rows and to truncate them, as the
// server's role and, where rows are written once, as the tables' owner. It returns how many tries the database refused,
// which must be all.
func attack(t testing.TB, db *testkit.Database) (refused int) {
	t.Helper()
	written := []string{"journal_entry", "posting", "ledger_seal", "ledger_snapshot", "ledger_head"}
	for _, table := range append([]string{"books", "account"}, written...) {
		var columns []string
		require.NoError(t, db.Owner.Select(&columns, `SELECT column_name FROM information_schema.columns WHERE table_name = $1`, table))
		require.NotEmpty(t, columns, table)
		tries := []string{`DELETE FROM ` + table, `DELETE FROM ` + table + ` WHERE false`, `TRUNCATE ` + table, `TRUNCATE ` + table + ` CASCADE`}
		for _, column := range columns {
			tries = append(tries, fmt.Sprintf(`UPDATE %[1]s SET %[2]s = %[2]s`, table, column))
		}
		for _, try := range tries {
			as := []*sqlx.DB{db.Server}
			if slices.Contains(written, table) {
				as = append(as, db.Owner)
			}
			for i, role := range as {
				_, err := role.Exec(try)
				var refusal *pq.Error
				require.True(t, errors.As(err, &refusal), "%q as role %d: %v", try, i, err)
				if referred := "feature_not_supported"; refusal.Code.Name() != referred { // TRUNCATE of a table with foreign keys to it
					require.Equal(t, "insufficient_privilege", refusal.Code.Name(), "%q as role %d: %v", try, i, err)
				}
				refused++
			}
		}
	}
	var inexact []string
	require.NoError(t, db.Owner.Select(&inexact, `SELECT table_name || '.' || column_name FROM information_schema.columns
		WHERE table_schema = 'public' AND data_type IN ('real', 'double precision', 'money')`))
	require.Empty(t, inexact, "columns that round")
	return refused
}

// noFloats checks that the ledger's code has no floating-point numbers.
func noFloats(t testing.TB) {
	t.Helper()
	root, err := os.Getwd()
	require.NoError(t, err)
	for {
		if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
			break
		}
		require.NotEqual(t, root, filepath.Dir(root), "no go.mod above")
		root = filepath.Dir(root)
	}
	files := 0
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "internal", "books", "ledger"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		files++
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if strings.Contains(strings.ToLower(n.Name), "float") {
					t.Errorf("%s: %s", fset.Position(n.Pos()), n.Name)
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					t.Errorf("%s: %s", fset.Position(n.Pos()), n.Value)
				}
			}
			return true
		})
		return nil
	}))
	require.Greater(t, files, 10)
}
