package internal_test

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lib/pq may execute an auto-commit write twice if its reply is lost, but a statement in a transaction only
// once. So shipped code writes through a *sql.Tx or *sqlx.Tx. Everything else may run only SQL that this test
// can read and that only reads.

// trusted lists code outside the module that gets a database and runs its own SQL, and why this is allowed.
var trusted = map[string]string{
	"platform/jobs: riverdatabasesql.New":              "River takes jobs and notes their ends, any of them again: a job may run twice, and its handler guards its own effect",
	"platform/metrics: collectors.NewDBStatsCollector": "counts connections",
	"migrations: goose.NewProvider":                    "migrations run in transactions of goose's",
	"migrations: riverdatabasesql.New":                 "River's own migrations, which may be begun again",
}

// repeatable lists the statements that pg.Repeatable runs, and why a second run does no harm.
var repeatable = map[string]string{
	"guard.countAttempt":    "an attempt that is counted twice is limited sooner, never later",
	"checkout.begin":        "a form that has a gift begins no other; the caller reads that gift",
	"checkout.storeSession": "it stores the same page again",
	"webhook.storeEvents":   "an event is stored once by its id",
}

// repeater is the function of package pg that runs them.
const repeater = "Repeatable"

// TestWritesRunInTransactions applies the rule to all shipped code.
func TestWritesRunInTransactions(t *testing.T) {
	h := loadModule(t)
	seen, used := 0, map[string]bool{}
	for _, p := range h.shipped {
		info, files := h.check(t, p.path, p.files)
		j := &checker{fset: h.fset, info: info, files: files, pkg: strings.TrimPrefix(strings.TrimPrefix(p.path, "konbit/"), "internal/"), writes: writesOf(t), used: used}
		for _, why := range j.run() {
			t.Error(why)
		}
		seen += j.statements
	}
	require.Greater(t, seen, 40, "the test read less SQL than the module has")
	for name := range trusted {
		require.True(t, used[name], "no code passes a database to %q any more: delete it from trusted", name)
	}
	for name := range repeatable {
		require.True(t, used[name], "no code repeats %q any more: delete it from repeatable", name)
	}
}

// readers matches the start of statements that only read.
var readers = regexp.MustCompile(`(?i)^[\s(]*(SELECT|WITH|VALUES|TABLE|SHOW)\b`)

// writesOf matches SQL that writes: statements in any place, and functions, including those of the schema.
func writesOf(t *testing.T) *regexp.Regexp {
	t.Helper()
	functions := []string{`nextval`, `setval`, `set_config`, `pg_notify`, `lo_\w+`, `dblink\w*`, `pg_(try_)?advisory_\w+`, `pg_terminate_backend`, `pg_cancel_backend`}
	made := regexp.MustCompile(`(?is)CREATE (?:OR REPLACE )?FUNCTION (\w+)\((.*?)\) RETURNS (.*?)(?:AS \$|RETURN )`)
	files, err := filepath.Glob("../migrations/*.sql")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, name := range files {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for _, f := range made.FindAllStringSubmatch(string(text), -1) {
			if pure := strings.Contains(f[3], "IMMUTABLE") || strings.Contains(f[3], "STABLE"); !pure {
				functions = append(functions, f[1])
			}
		}
	}
	return regexp.MustCompile(`(?i)\b(INSERT|DELETE|MERGE|TRUNCATE|INTO|UPDATE|CALL)\b|\b(` + strings.Join(functions, "|") + `)\s*\(`)
}

var unwritten = regexp.MustCompile(`(?is)/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'|\bFOR\s+(?:NO\s+KEY\s+)?UPDATE\b`)

// onlyReads reports whether SQL certainly does not write.
func onlyReads(sql string, writes *regexp.Regexp) bool {
	sql = unwritten.ReplaceAllString(sql, " ")
	return readers.MatchString(sql) && !writes.MatchString(sql)
}

// checker checks one package.
type checker struct {
	fset       *token.FileSet
	info       *types.Info
	files      []*ast.File
	pkg        string
	writes     *regexp.Regexp
	used       map[string]bool
	statements int // number of statements read
	wrong      []string
}

var (
	runs  = []string{"Exec", "MustExec", "NamedExec", "Prepare", "Preparex", "PrepareNamed", "Raw", "Driver"}
	reads = []string{"Query", "Queryx", "QueryRow", "QueryRowx", "NamedQuery", "Get", "Select"}
)

func (j *checker) run() []string {
	for _, file := range j.files {
		called := map[ast.Expr]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				called[ast.Unparen(n.Fun)] = true
				j.call(n)
			case *ast.SelectorExpr:
				on := j.bare(n)
				if name := strings.TrimSuffix(n.Sel.Name, "Context"); on != "" && !called[n] && slices.Contains(slices.Concat(runs, reads), name) {
					j.report(n, "%s of %s is taken as a value", n.Sel.Name, on)
				}
			}
			return true
		})
	}
	return j.wrong
}

func (j *checker) report(at ast.Node, format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf("%s: %s", j.fset.Position(at.Pos()), fmt.Sprintf(format, args...)))
}

// call checks one call: of a method that runs SQL, of a function of sqlx, or of other code with a database.
func (j *checker) call(c *ast.CallExpr) {
	function := ast.Unparen(c.Fun)
	if generic, ok := function.(*ast.IndexExpr); ok {
		function = generic.X
	}
	method, ok := function.(*ast.SelectorExpr)
	if !ok {
		return
	}
	f, ok := j.info.Uses[method.Sel].(*types.Func)
	if !ok {
		return
	}
	if f.Name() == repeater && f.Pkg().Path() == "konbit/internal/platform/pg" {
		j.checkRepeated(c, f)
		return
	}
	on, name := j.bare(method), strings.TrimSuffix(method.Sel.Name, "Context")
	if f.Signature().Recv() == nil && f.Pkg().Path() == sqlxPath {
		for _, a := range c.Args {
			if on = bareType(j.info.TypeOf(a)); on != "" {
				break
			}
		}
	} else if f.Signature().Recv() == nil || on == "" {
		j.checkArgument(c, f)
		return
	}
	switch {
	case on == "":
	case slices.Contains(runs, name):
		j.report(c, "%s on %s: want a transaction", method.Sel.Name, on)
	case slices.Contains(reads, name):
		j.statements++
		text, known := j.text(queryOf(c, f), map[types.Object]bool{})
		switch {
		case !known:
			j.report(c, "%s on %s of SQL that is not written here: want a transaction, or SQL the rule can read", method.Sel.Name, on)
		case !onlyReads(text, j.writes):
			j.report(c, "%s on %s of SQL that writes: want a transaction", method.Sel.Name, on)
		}
	}
}

// checkRepeated checks a call of pg.Repeatable: its statement is listed by the name in its comment.
func (j *checker) checkRepeated(c *ast.CallExpr, f *types.Func) {
	j.statements++
	text, known := j.text(queryOf(c, f), map[types.Object]bool{})
	name, _, _ := strings.Cut(strings.TrimPrefix(text, "/* "), " */")
	j.used[name] = true
	if !known || repeatable[name] == "" {
		j.report(c, "%s of %q: list it with the reason why it may run twice", repeater, name)
	}
}

// checkArgument checks a call that passes a database to code outside the module.
func (j *checker) checkArgument(c *ast.CallExpr, f *types.Func) {
	if f.Pkg() == nil || strings.HasPrefix(f.Pkg().Path(), "konbit/") || f.Pkg().Path() == sqlxPath {
		return
	}
	for _, a := range c.Args {
		if on := bareType(j.info.TypeOf(a)); on != "" && !types.IsInterface(j.info.TypeOf(a)) {
			who := j.pkg + ": " + f.Pkg().Name() + "." + f.Name()
			j.used[who] = true
			if trusted[who] == "" {
				j.report(c, "%s gets %s: list it with the reason why it may", who, on)
			}
		}
	}
}

// queryOf returns the argument with the SQL: the first string.
func queryOf(c *ast.CallExpr, f *types.Func) ast.Expr {
	params := f.Signature().Params()
	for i := range min(params.Len(), len(c.Args)) {
		if b, ok := params.At(i).Type().Underlying().(*types.Basic); ok && b.Kind() == types.String {
			return c.Args[i]
		}
	}
	return nil
}

const sqlxPath = "github.com/jmoiron/sqlx"

// bare returns the name of the type on which a method is called, if it runs SQL and is not a transaction;
// else "".
func (j *checker) bare(s *ast.SelectorExpr) string {
	if chosen := j.info.Selections[s]; chosen != nil {
		return bareType(chosen.Recv())
	}
	return ""
}

// bareType returns the name of a type that runs SQL and is not a transaction; else "". It includes every type
// that may be a database. A statement is checked where it is prepared.
func bareType(t types.Type) string {
	if t == nil {
		return ""
	}
	name := types.TypeString(t, func(p *types.Package) string { return p.Name() })
	// pg.pqConn and pg.preparedStmt are the driver beneath database/sql. Their SQL was checked where the pool
	// was called. That of pg.loneConn was checked where Repeatable was called.
	if slices.Contains([]string{"pg.loneConn", "*sql.Tx", "*sqlx.Tx", "*sql.Stmt", "*sqlx.Stmt", "*sqlx.NamedStmt", "pg.pqConn", "pg.preparedStmt"}, name) {
		return ""
	}
	methods := types.NewMethodSet(t)
	for _, m := range []string{"Exec", "ExecContext", "QueryContext", "QueryxContext", "QueryRowContext", "QueryRowxContext", "GetContext", "SelectContext", "PrepareContext"} {
		if methods.Lookup(nil, m) != nil {
			return name
		}
	}
	return ""
}

// text returns all texts that an expression may have; false if a part is not known in this package.
func (j *checker) text(e ast.Expr, done map[types.Object]bool) (string, bool) {
	if e == nil {
		return "", false
	}
	if v := j.info.Types[e].Value; v != nil && v.Kind() == constant.String {
		return constant.StringVal(v), true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		return j.texts("", done, e.X, e.Y)
	case *ast.Ident:
		return j.variable(j.info.Uses[e], done)
	}
	return "", false
}

func (j *checker) texts(between string, done map[types.Object]bool, all ...ast.Expr) (string, bool) {
	var joined strings.Builder
	for _, e := range all {
		text, known := j.text(e, done)
		if !known {
			return "", false
		}
		joined.WriteString(between + text)
	}
	return joined.String(), true
}

// variable joins all values that the package assigns to a variable.
func (j *checker) variable(v types.Object, done map[types.Object]bool) (string, bool) {
	if done[v] {
		return "", true
	}
	done[v] = true
	var set []ast.Expr
	known := v != nil
	for _, file := range j.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.AssignStmt:
				for i, left := range n.Lhs {
					if id, ok := left.(*ast.Ident); ok && (j.info.Defs[id] == v || j.info.Uses[id] == v) && v != nil {
						if len(n.Rhs) != len(n.Lhs) {
							known = false
							continue
						}
						set = append(set, n.Rhs[i])
					}
				}
			case *ast.ValueSpec:
				for i, id := range n.Names {
					if j.info.Defs[id] == v && v != nil && i < len(n.Values) {
						set = append(set, n.Values[i])
					}
				}
			case *ast.UnaryExpr:
				if id, ok := n.X.(*ast.Ident); ok && n.Op == token.AND && j.info.Uses[id] == v {
					known = false // another package may assign it
				}
			}
			return true
		})
	}
	if known && len(set) == 0 {
		set, known = j.given(v)
	}
	if !known || len(set) == 0 {
		return "", false
	}
	return j.texts("\n", done, set...)
}

// given returns what the callers of the package's own function pass for a parameter; false if another package
// may call it.
func (j *checker) given(parameter types.Object) (set []ast.Expr, known bool) {
	function, at := j.owner(parameter)
	if function == nil || function.Exported() {
		return nil, false
	}
	known = true
	calls := map[*ast.Ident]bool{}
	for _, file := range j.files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				var name *ast.Ident
				switch f := ast.Unparen(n.Fun).(type) {
				case *ast.Ident:
					name = f
				case *ast.SelectorExpr:
					name = f.Sel
				}
				if name != nil && j.info.Uses[name] == function && at < len(n.Args) {
					calls[name], set = true, append(set, n.Args[at])
				}
			case *ast.Ident:
				known = known && (j.info.Uses[n] != function || calls[n]) // the call is visited before its name
			}
			return true
		})
	}
	return set, known
}

// owner returns the function of a parameter, and the parameter's index.
func (j *checker) owner(parameter types.Object) (types.Object, int) {
	for _, file := range j.files {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			params := j.info.Defs[f.Name].(*types.Func).Signature().Params()
			for i := range params.Len() {
				if params.At(i) == parameter {
					return j.info.Defs[f.Name], i
				}
			}
		}
	}
	return nil, 0
}
