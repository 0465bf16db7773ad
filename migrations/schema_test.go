package migrations_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit"
)

var update = flag.Bool("update", false, "write schema.sql anew")

// TestSchemaFile compares schema.sql with the schema that the migrations make. Write it anew with:
//
//	go test ./migrations -run TestSchemaFile -update
//
// It is read from the catalogue, not by pg_dump, whose text differs between PostgreSQL 15, 16 and 17. For the same
// reason a view is shown by its columns: the text of its query differs too. River's tables are left out.
func TestSchemaFile(t *testing.T) {
	schema := describe(t, testkit.DB(t).Owner)
	if *update {
		require.NoError(t, os.WriteFile("schema.sql", []byte(schema), 0o644))
	}
	written, err := os.ReadFile("schema.sql")
	require.NoError(t, err)
	if differ := differences(string(written), schema); len(differ) > 0 {
		t.Errorf("schema.sql (-) is not today's schema (+); write it anew with: go test ./migrations -run TestSchemaFile -update\n%s", strings.Join(differ, "\n"))
	}
	for _, part := range []string{"CREATE TABLE donation (", "CREATE TABLE posting (", "PRIMARY KEY", "CREATE TRIGGER", "CREATE INDEX", "VIEW check_", "FUNCTION"} {
		require.Contains(t, schema, part)
	}
}

// differences returns the lines that only one of two texts has, with "- " or "+ " and the first line of their block;
// blocks are separated by empty lines. If the texts have the same lines in another order, it says so.
func differences(written, schema string) (differ []string) {
	count := map[string]int{}
	each := func(text string, visit func(line string)) {
		for _, block := range strings.Split(text, "\n\n") {
			first, rest, _ := strings.Cut(block, "\n")
			visit(first)
			for _, line := range strings.Split(rest, "\n") {
				visit(first + " " + strings.TrimSuffix(strings.TrimSpace(line), ",")) // the last of a list has no comma
			}
		}
	}
	only := func(mark, text string) {
		each(text, func(line string) {
			if count[line]--; count[line] < 0 {
				differ = append(differ, mark+line)
			}
		})
	}
	each(schema, func(line string) { count[line]++ })
	only("- ", written)
	clear(count)
	each(written, func(line string) { count[line]++ })
	only("+ ", schema)
	if len(differ) == 0 && written != schema {
		return []string{"the same lines in another order"}
	}
	return differ
}

// TestDifferencesAreFewLines requires that the comparison names exactly the lines that differ, with their table.
func TestDifferencesAreFewLines(t *testing.T) {
	written := "-- head\n\nCREATE TABLE a (\n    x int,\n    y int\n);\n\nCREATE TABLE b (\n    x int\n);\n"
	require.Empty(t, differences(written, written))
	require.Equal(t, []string{"+ CREATE TABLE b ( z int"}, differences(written, strings.Replace(written, "x int\n);\n", "x int,\n    z int\n);\n", 1)))
	require.Equal(t, []string{"- CREATE TABLE a ( y int", "+ CREATE TABLE a ( y text"}, differences(written, strings.Replace(written, "y int", "y text", 1)))
	require.Equal(t, []string{"the same lines in another order"}, differences(written, strings.Replace(written, "x int,\n    y int", "y int,\n    x int", 1)))
}

// ours selects relations of the schema that are the project's own.
const ours = `c.relnamespace = 'public'::regnamespace AND c.relname !~ '^(river_|goose_)'`

// describe returns the schema as SQL for readers: tables with columns, constraints, indexes and triggers; views with
// columns; functions.
func describe(t *testing.T, db *sqlx.DB) string {
	t.Helper()
	lines := func(query string, args ...any) []string {
		var found []string
		require.NoError(t, db.SelectContext(t.Context(), &found, query, args...))
		return found
	}
	var b strings.Builder
	b.WriteString("-- Today's schema, for readers. Generated from the catalogue: go test ./migrations -run TestSchemaFile -update\n")
	b.WriteString("-- What changes it is a new migration; what the server's role may do is in grants.sql.\n")
	for _, table := range lines(`SELECT c.relname FROM pg_class c WHERE ` + ours + ` AND c.relkind IN ('r', 'p') ORDER BY c.relname`) {
		kind := lines(`SELECT CASE c.relpersistence WHEN 'u' THEN 'UNLOGGED ' ELSE '' END FROM pg_class c WHERE `+ours+` AND c.relname = $1`, table)[0]
		parts := append(lines(columns, table), lines(constraints, table)...)
		fmt.Fprintf(&b, "\nCREATE %sTABLE %s (\n    %s\n);\n", kind, table, strings.Join(parts, ",\n    "))
		for _, more := range append(lines(indexes, table), lines(triggers, table)...) {
			fmt.Fprintf(&b, "%s;\n", strings.ReplaceAll(more, "public.", ""))
		}
	}
	for _, view := range lines(`SELECT c.relname FROM pg_class c WHERE ` + ours + ` AND c.relkind = 'v' ORDER BY c.relname`) {
		fmt.Fprintf(&b, "\n-- VIEW %s (%s)\n", view, strings.Join(lines(columns, view), ", "))
	}
	for _, f := range lines(functions) {
		fmt.Fprintf(&b, "\n-- FUNCTION %s\n", f)
	}
	return b.String()
}

const (
	columns = `SELECT quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
			|| CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
			|| CASE a.attidentity WHEN 'a' THEN ' GENERATED ALWAYS AS IDENTITY' WHEN 'd' THEN ' GENERATED BY DEFAULT AS IDENTITY' ELSE '' END
			|| CASE WHEN d.oid IS NULL THEN '' WHEN a.attgenerated = 's' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ') STORED'
			        ELSE ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid) END
		  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
		  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
		 WHERE ` + ours + ` AND c.relname = $1 ORDER BY a.attnum`
	constraints = `SELECT CASE WHEN o.contype IN ('p', 'u') THEN '' ELSE 'CONSTRAINT ' || quote_ident(o.conname) || ' ' END || pg_get_constraintdef(o.oid, true)
		  FROM pg_class c JOIN pg_constraint o ON o.conrelid = c.oid AND o.contype IN ('p', 'u', 'c', 'f', 'x')
		 WHERE ` + ours + ` AND c.relname = $1 ORDER BY position(o.contype IN 'pucfx'), o.conname COLLATE "C"`
	indexes = `SELECT pg_get_indexdef(i.indexrelid) FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
		 WHERE ` + ours + ` AND c.relname = $1 AND NOT EXISTS (SELECT FROM pg_constraint o WHERE o.conindid = i.indexrelid AND o.contype IN ('p', 'u', 'x'))
		 ORDER BY pg_get_indexdef(i.indexrelid) COLLATE "C"`
	triggers = `SELECT pg_get_triggerdef(g.oid) FROM pg_class c JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
		 WHERE ` + ours + ` AND c.relname = $1 ORDER BY g.tgname COLLATE "C"`
	functions = `SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ') RETURNS ' || pg_get_function_result(p.oid)
		  FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND p.proname !~ '^river_'
		   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e') -- of an extension
		 ORDER BY p.proname COLLATE "C", p.oid`
)

// entityOfItsOwn lists the references between rows of legal entities that do not hold the entity, and what holds it instead.
var entityOfItsOwn = map[string]string{
	"donation plan_id":                 "deferred; the server writes both, from one form",
	"donation_owner_change receipt_id": "move_gift alone writes it, about that receipt's gifts",
	"journal_entry reverses":           "ledger.ReverseTx copies the entity of the entry that it mirrors",
	"payment_change payment_id":        "written once, with the entity of the payment",
	"payment_source payment_id":        "written with the payment",
	"receipt replaces":                 "(replaces, donation_id) is of the same gift",
	"refund_order payment_id":          "a trigger compares the payment's entity",
	"repayment payment_id":             "the same",
}

// TestReferencesHoldTheEntity: a row of a legal entity refers to rows of the same entity, by its foreign key (STAFF 15).
func TestReferencesHoldTheEntity(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t)
	var loose []string
	require.NoError(t, db.Owner.Select(&loose, `
		WITH reference AS MATERIALIZED (
		    SELECT c.conrelid, c.confrelid, array(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) ORDER BY 1) AS columns
		      FROM pg_constraint c
		     WHERE c.contype = 'f' AND c.connamespace = 'public'::regnamespace
		       AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.conrelid AND o.attname = 'entity_id')
		       AND EXISTS (SELECT FROM pg_attribute o WHERE o.attrelid = c.confrelid AND o.attname = 'entity_id'))
		SELECT r.conrelid::regclass::text || ' ' || array_to_string(r.columns, ', ') FROM reference r
		 WHERE NOT 'entity_id' = ANY (r.columns)
		   AND NOT EXISTS (SELECT FROM reference w WHERE w.conrelid = r.conrelid AND w.confrelid = r.confrelid AND 'entity_id' = ANY (w.columns) AND w.columns && r.columns)`))
	require.ElementsMatch(t, slices.Collect(maps.Keys(entityOfItsOwn)), loose)
}
