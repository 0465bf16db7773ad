package internal_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The columns of all tables are listed in office/privacy/testdata/columns.txt, each with what an erasure does with it.

// erasedTreatments are the words of that file for columns that hold what names a person until an erasure.
var erasedTreatments = []string{"emptied", "stripped", "deleted"}

// otherTreatments are its words for the other columns.
var otherTreatments = []string{"none", "hashed", "sealed", "never stored"}

// unguarded lists the tables with personal columns on which no trigger waits for an erasure, each with the reason.
var unguarded = map[string]string{
	"session":            "a transaction that inserts a session holds the lock on the row of mailbox, which the erasure needs",
	"mailbox_step":       "likewise",
	"donor_word":         "a trigger on donor writes it in the transaction that changes the name, and donor has a trigger that waits",
	"donor_email_word":   "a trigger on donor writes it in the transaction that changes the address, and donor has a trigger that waits",
	"bank_line":          "it names a donor of ours when it is matched: a trigger on bank_match_item empties it then",
	"bank_upload":        "it is deleted a day later, and names nobody by a donor of ours before it is stored",
	"gift_import":        "its rows are deleted when they are posted or discarded; an erasure discards files that wait",
	"donor_address_word": "triggers write it, from rows of donor and donation_contact that wait for the erasure",
}

var (
	schemaTable   = regexp.MustCompile(`(?ms)^CREATE (?:UNLOGGED )?TABLE (\w+) \(\n(.*?)\n\);`)
	schemaColumn  = regexp.MustCompile(`(?m)^    "?([a-z]\w*)"? `)
	schemaGuard   = regexp.MustCompile(`(?m)^CREATE TRIGGER (?:erased_stays_erased|address_is_locked) BEFORE .*?\bON (\w+) FOR EACH ROW`)
	treatmentLine = regexp.MustCompile(`^(\w+)\.(\w+) +(\w[\w ]*)$`)
)

// TestEveryColumnIsListed fails for a column that is not listed: the author of a column says whether it is personal and
// what an erasure does with it. Each table with personal columns has a trigger that waits for an erasure, or a reason
// why it needs none.
func TestEveryColumnIsListed(t *testing.T) {
	schema := read(t, "../migrations/schema.sql")
	columns, guarded := map[string]bool{}, map[string]bool{}
	for _, table := range schemaTable.FindAllStringSubmatch(schema, -1) {
		for _, column := range schemaColumn.FindAllStringSubmatch(table[2], -1) {
			columns[table[1]+"."+column[1]] = true
		}
	}
	for _, trigger := range schemaGuard.FindAllStringSubmatch(schema, -1) {
		guarded[trigger[1]] = true
	}
	require.Greater(t, len(columns), 500, "schema.sql was not read")
	listed := map[string]bool{}
	for line := range strings.Lines(read(t, "office/privacy/testdata/columns.txt")) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		found := treatmentLine.FindStringSubmatch(line)
		require.NotNil(t, found, line)
		table, how := found[1], found[3]
		column := table + "." + found[2]
		require.False(t, listed[column], "%s is listed twice", column)
		listed[column] = true
		assert.True(t, columns[column], "%s is gone: delete it from columns.txt", column)
		switch {
		case slices.Contains(erasedTreatments, how):
			assert.NotEqual(t, guarded[table], unguarded[table] != "", "%s is personal: its table has a trigger that waits for an erasure, or a reason", column)
		default:
			assert.Contains(t, otherTreatments, how, line)
		}
	}
	for column := range columns {
		assert.True(t, listed[column], "%s is not in office/privacy/testdata/columns.txt: is it personal, and what does an erasure do with it?", column)
	}
}
