package portal_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/contact"
	"konbit/internal/office/note"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/visitor"
)

//go:embed testdata/columns.txt
var columnsFile string

// columnRule says whether the copy of a person's data contains some columns of a table.
type columnRule struct {
	table   string
	of      string // SQL condition of the person's rows; empty: the copy does not contain the columns
	columns []string
}

func columnRules(t *testing.T) (rules []columnRule) {
	t.Helper()
	for line := range strings.Lines(columnsFile) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		cells := strings.Split(line, " | ")
		require.Len(t, cells, 3, line)
		of, copied := strings.CutPrefix(cells[1], "copied: ")
		require.NotEmpty(t, of, line)
		if !copied {
			require.NotContains(t, of, "$1", "a condition without the word copied: %s", line)
			of = ""
		}
		rules = append(rules, columnRule{cells[0], of, strings.Fields(cells[2])})
	}
	return rules
}

// TestEveryColumnHasARule: every column of the database has a line in testdata/columns.txt that says whether the copy
// contains it.
func TestEveryColumnHasARule(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	there := e.Lines(`SELECT c.table_name || '.' || c.column_name FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
		WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'`)
	ruled := map[string]int{}
	for _, r := range columnRules(t) {
		for _, c := range r.columns {
			ruled[r.table+"."+c]++
		}
	}
	require.Greater(t, len(there), 200)
	for _, column := range there {
		assert.Equal(t, 1, ruled[column], "rules of %s in testdata/columns.txt", column)
		delete(ruled, column)
	}
	assert.Empty(t, ruled, "columns that do not exist")
}

// TestCopyContainsEveryColumn checks that the copy contains the person's values of all columns that columns.txt marks
// with `copied`.
func TestCopyContainsEveryColumn(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	fillEverything(t, e)
	donors := pq.Array(e.Lines(`SELECT id::text FROM donor WHERE email = 'ana@example.org'`))
	emails := pq.Array([]string{"ana@example.org"})
	got := e.Ana.Ask("GET", "/portal/records/data.json", nil)
	require.Equal(t, 200, got.StatusCode)
	var tree any
	require.NoError(t, json.Unmarshal([]byte(got.Page), &tree))
	copied := map[string]bool{}
	leaves(tree, func(leaf string) { copied[leaf] = true })
	require.False(t, copied[uuid.NewString()])

	seen := 0
	for _, r := range columnRules(t) {
		for _, c := range r.columns {
			if r.of == "" {
				continue
			}
			var values []any
			query := fmt.Sprintf(`SELECT to_jsonb(%q) FROM %q WHERE (%s) AND %q IS NOT NULL AND ($1::uuid[] IS NOT NULL OR $2::text[] IS NOT NULL)`, c, r.table, r.of, c)
			require.NoError(t, e.DB.Owner.Select(&values, query, donors, emails), query)
			for _, v := range values {
				var tree any
				require.NoError(t, json.Unmarshal(v.([]byte), &tree))
				leaves(tree, func(leaf string) {
					seen++
					assert.True(t, leaf == "" || copied[leaf] || copied[decimal(leaf)] || copied[strings.ReplaceAll(leaf, "_", " ")], "%s.%s: %q", r.table, c, leaf)
				})
			}
		}
	}
	require.Greater(t, seen, 100)
	for _, kind := range []string{"donor", "gift", "receipt", "recurring gift", "recurring gift's event", "annual statement", "letter", "address", "what happened to an address",
		"sign-in asked for", "session", "letters wished for", "wish to be forgotten", "note of our staff"} {
		assert.True(t, copied[kind], kind)
	}
}

// fillEverything inserts everything that a donor can leave in the database: details, consents, a dedication, a
// statement, emails, and a withdrawn request for erasure.
func fillEverything(t *testing.T, e visitor.TwoDonors) {
	t.Helper()
	var details []string
	for column := range strings.SplitSeq(contact.DetailColumns, ", ") {
		details = append(details, fmt.Sprintf("%s = 'Ana %s'", column, column))
	}
	e.Exec(`UPDATE donor SET said_at = now(), news_consented_at = now(), ` + strings.Join(details, ", ") + ` WHERE email = 'ana@example.org'`)
	e.Exec(`UPDATE donation_contact SET ` + strings.Join(details, ", ") + ` WHERE email = 'ana@example.org'`)
	e.Exec(`INSERT INTO donor_consent (donor_id, kind, given, at, by) SELECT id, 'news', true, now(), 'portal' FROM donor WHERE email = 'ana@example.org'`)
	e.Exec(`INSERT INTO donation_dedication (donation_id, kind, name, card_name, card_email, card_message)
		SELECT d.id, 'memory', 'Nana', 'Béa', 'card@example.org', 'With love' FROM donation d JOIN donor o ON o.id = d.donor_id WHERE o.email = 'ana@example.org' ORDER BY d.id LIMIT 1`)
	e.Exec(`WITH e AS (INSERT INTO erasure (id, asked_at, asked_by, language, due_at, withdrawn_at) VALUES (gen_random_uuid(), now(), 'donor', 'en', now(), now()) RETURNING id)
		INSERT INTO erasure_donor SELECT e.id, donor.id FROM e, donor WHERE email = 'ana@example.org'`)
	entity := e.Offer("csio").Entity
	noting := office.Add(t, e.DB.Owner, "noting", office.Role{Role: "finance", Entity: "tsne"})
	for kind, query := range map[note.Kind]string{
		note.Donor: `SELECT id::text FROM donor WHERE email = 'ana@example.org' ORDER BY 1`,
		note.Gift:  `SELECT d.id::text FROM donation d JOIN donor o ON o.id = d.donor_id WHERE o.email = 'ana@example.org' ORDER BY 1`,
	} {
		require.NoError(t, noting.InTx(t, e.DB.Server, func(tx *sqlx.Tx) error {
			on := note.Object{Kind: kind, ID: uuid.MustParse(e.Lines(query)[0])}
			return note.AddTx(t.Context(), tx, note.New{ID: uuid.New(), EntityID: entity.ID, Object: on, Text: "noted on the " + string(kind)})
		}))
	}
	_, err := e.Statements.Issue(t.Context(), entity, time.Now().In(entity.Location()).Year(), nil)
	require.NoError(t, err)
	var receipts []uuid.UUID
	require.NoError(t, e.DB.Owner.Select(&receipts, `SELECT id FROM receipt`))
	for _, id := range receipts {
		require.NoError(t, e.Receipts.Mail(t.Context(), id))
	}
}

// leaves calls visit with every value of a JSON tree as text; times are in UTC, to the second.
func leaves(tree any, visit func(string)) {
	switch v := tree.(type) {
	case nil:
	case map[string]any:
		for _, each := range v {
			leaves(each, visit)
		}
	case []any:
		for _, each := range v {
			leaves(each, visit)
		}
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			v = at.UTC().Format(time.DateTime)
		} else if day, err := time.Parse(time.DateOnly, v); err == nil {
			visit(day.Format(time.DateTime)) // one table has the date, another one the time
		}
		visit(v)
	default:
		visit(fmt.Sprint(v))
	}
}

// decimal returns minor units as a decimal amount.
func decimal(minor string) string {
	if len(minor) < 3 {
		minor = strings.Repeat("0", 3-len(minor)) + minor
	}
	return minor[:len(minor)-2] + "." + minor[len(minor)-2:]
}
