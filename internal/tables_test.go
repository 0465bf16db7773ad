package internal_test

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A table belongs to one package: the only one whose SQL names it. Other packages call its functions. Views
// and functions of migrations may read tables of several packages; tests and the workshop may too.

// shared lists the tables that more than one package names, each with its reason.
var shared = map[string]string{}

// TestEachTableBelongsToOnePackage reads the SQL in the string literals of all shipped packages.
func TestEachTableBelongsToOnePackage(t *testing.T) {
	tables := map[string]bool{"river_job": true}
	for _, m := range regexp.MustCompile(`(?m)^CREATE (?:UNLOGGED )?TABLE (\w+) \(`).FindAllStringSubmatch(read(t, "../migrations/schema.sql"), -1) {
		tables[m[1]] = true
	}
	require.Greater(t, len(tables), 40, "schema.sql was not read")
	owners := map[string]map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		if g := groupOf(pkg); g == workshop || g == "migrations" || slices.Contains([]string{"cmd/demo", "cmd/chaos", "cmd/bench"}, pkg) {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			for _, name := range tablesIn(text) {
				if !tables[name] {
					continue
				}
				if owners[name] == nil {
					owners[name] = map[string]bool{}
				}
				owners[name][pkg] = true
			}
			return true
		})
	})
	require.Greater(t, len(owners), 40, "it saw fewer tables than the program uses")
	for _, name := range slices.Sorted(maps.Keys(owners)) {
		if packages := slices.Sorted(maps.Keys(owners[name])); len(packages) > 1 && shared[name] == "" {
			t.Errorf("table %s is named in the SQL of %s: it belongs to one of them", name, strings.Join(packages, " and "))
		}
	}
	for name := range shared {
		require.Greater(t, len(owners[name]), 1, "table %s has one owner now: delete it from shared", name)
	}
}

var (
	sqlComment = regexp.MustCompile(`(?s)/\*.*?\*/|--[^\n]*|'(?:[^']|'')*'`)
	sqlToken   = regexp.MustCompile(`[A-Za-z_][A-Za-z0-9_.]*|[(),;]|[^\s\w(),;]+`)
)

// tablesIn returns the names in the places where SQL has a table: after FROM, JOIN, INTO, UPDATE, USING and
// TABLE, and after the commas of such a list. It omits functions, subqueries and the names of a WITH. It
// reads keywords in capitals only, as the code writes them.
func tablesIn(text string) []string {
	tokens := sqlToken.FindAllString(sqlComment.ReplaceAllString(text, " "), -1)
	at := func(i int) string {
		if i >= 0 && i < len(tokens) {
			return tokens[i]
		}
		return ""
	}
	var found []string
	with := map[string]bool{}
	for i, word := range tokens {
		if word == "AS" && (at(i+1) == "(" || at(i+1) == "MATERIALIZED" || at(i+1) == "NOT" && at(i+2) == "MATERIALIZED") {
			with[at(i-1)] = true
		}
	}
	for i, word := range tokens {
		switch word {
		case "FROM":
			if at(i-1) == "DISTINCT" {
				continue
			}
		case "UPDATE":
			if at(i-1) == "FOR" || at(i-1) == "KEY" || at(i-1) == "DO" {
				continue
			}
		case "INTO": // the parentheses after the table hold columns
			if name := at(i + 1); sqlWord.MatchString(name) {
				found = append(found, strings.TrimPrefix(name, "public."))
			}
			continue
		case "JOIN", "USING", "TABLE":
		default:
			continue
		}
		found = append(found, tableList(tokens, i+1, at)...)
	}
	return slices.DeleteFunc(found, func(name string) bool { return with[name] })
}

var sqlWord = regexp.MustCompile(`^[a-z_][a-z0-9_.]*$`)

// tableList returns the tables of one list, which begins at token i.
func tableList(tokens []string, i int, at func(int) string) (found []string) {
	for i < len(tokens) {
		for at(i) == "ONLY" || at(i) == "LATERAL" {
			i++
		}
		switch {
		case at(i) == "(" && sqlWord.MatchString(at(i+1)) && at(i+1) != "":
			found = append(found, tableList(tokens, i+1, at)...) // FROM (a JOIN b …)
			i = closing(tokens, i)
		case at(i) == "(":
			i = closing(tokens, i) // a subquery; its own FROM is read separately
		case sqlWord.MatchString(at(i)):
			if at(i+1) == "(" {
				i = closing(tokens, i+1) // a function
			} else {
				found = append(found, strings.TrimPrefix(at(i), "public."))
				i++
			}
		default:
			return found
		}
		if at(i) == "AS" {
			i++
		}
		if sqlWord.MatchString(at(i)) {
			i++ // the alias
			if at(i) == "(" {
				i = closing(tokens, i) // its columns
			}
		}
		if at(i) != "," {
			return found
		}
		i++
	}
	return found
}

// closing returns the index after the parenthesis that closes the one at i.
func closing(tokens []string, i int) int {
	for depth := 0; i < len(tokens); i++ {
		switch tokens[i] {
		case "(":
			depth++
		case ")":
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return i
}

func TestTablesAreFound(t *testing.T) {
	for sql, want := range map[string][]string{
		`SELECT a FROM plan p, donor AS d, fund WHERE x IS DISTINCT FROM y FOR UPDATE`:                               {"plan", "donor", "fund"},
		`/* FROM letter */ INSERT INTO payment (a) SELECT 'FROM fund' FROM unnest($1::uuid[]) AS u (id), checkout c`: {"payment", "checkout"},
		`WITH fund AS (SELECT 1 FROM donor) UPDATE plan SET a = 1 FROM fund`:                                         {"donor", "plan"},
		`DELETE FROM receipt USING donation d WHERE true`:                                                            {"receipt", "donation"},
		`SELECT (SELECT 1 FROM donor) FROM (SELECT 2 FROM fund f) AS z, letter`:                                      {"donor", "letter", "fund"},
		`SELECT 1 FROM public.plan LEFT JOIN LATERAL (SELECT 1 FROM donor) d ON true`:                                {"plan", "donor"},
		`INSERT INTO a VALUES (1) ON CONFLICT (b) DO UPDATE SET c = 1`:                                               {"a"},
		`SELECT 1 FROM (plan p JOIN donor d ON true)`:                                                                {"plan", "donor"},
		`a gift from plan, into donor`:                                                                               nil,
	} {
		t.Run(sql, func(t *testing.T) {
			require.ElementsMatch(t, want, tablesIn(sql))
		})
	}
}
