package testkit

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"konbit/internal/mail/difference"
)

// ColumnsContaining returns the columns of all tables in which one of the words occurs, as "table.column". It reads the
// list of columns from the catalogue and converts values of every type to text. Of an email that is stored as a difference
// it reads what it says.
func ColumnsContaining(t testing.TB, db *sqlx.DB, words []string) (found []string) {
	t.Helper()
	var columns []struct {
		Table  string `db:"table_name"`
		Column string `db:"column_name"`
		Type   string `db:"data_type"`
	}
	if err := db.Select(&columns, `SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
		JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, 2`); err != nil || len(columns) < 200 {
		t.Fatalf("testkit: %d columns found: %v", len(columns), err)
	}
	pattern := make([]string, len(words))
	for i, w := range words {
		pattern[i] = regexp.QuoteMeta(w)
	}
	for _, c := range columns {
		text := fmt.Sprintf(`%q::text`, c.Column)
		if c.Type == "bytea" {
			text = fmt.Sprintf(`encode(%q, 'escape')`, c.Column)
		}
		var n int
		if err := db.Get(&n, fmt.Sprintf(`SELECT count(*) FROM %q WHERE %s ~* $1`, c.Table, text), strings.Join(pattern, "|")); err != nil {
			t.Fatalf("testkit: %s.%s: %v", c.Table, c.Column, err)
		}
		if n > 0 || c.Table == "letter" && c.Column == "difference" && anEmailContains(t, db, regexp.MustCompile("(?i)"+strings.Join(pattern, "|"))) {
			found = append(found, c.Table+"."+c.Column)
		}
	}
	return found
}

// anEmailContains reports whether an email that is stored as a difference contains a word.
func anEmailContains(t testing.TB, db *sqlx.DB, words *regexp.Regexp) bool {
	t.Helper()
	var emails []struct{ Content, Difference []byte }
	if err := db.Select(&emails, `SELECT m.content, l.difference FROM letter l LEFT JOIN email_model m ON m.id = l.model_id WHERE l.difference IS NOT NULL`); err != nil {
		t.Fatalf("testkit: emails: %v", err)
	}
	for _, e := range emails {
		message, err := difference.ReadModel(e.Content).Message(e.Difference)
		if err != nil {
			t.Fatalf("testkit: an email: %v", err)
		}
		if words.Match(message) {
			return true
		}
	}
	return false
}
