package internal_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// erasable matches a statement that changes rows of a table that an erasure locks, several at a time in the order of their
// ids (migration 00094).
var erasable = regexp.MustCompile(`\b(?:UPDATE|DELETE FROM) (sign_in|mailbox|plan_link|session|letter_delivery|donor)\b`)

// oneRow matches the condition of a statement that changes one row.
var oneRow = regexp.MustCompile(`(?s)\bWHERE (?:\w+\.)?(?:id|email|token_hash) = \$\d|\bWHERE person_id = \$\d AND id = \$\d`)

// lockedBefore lists the statements on several rows that do not lock them themselves, with what does it before.
var lockedBefore = map[string]string{
	"donor.UpdateProfileTx": "LockTx",
	"donor.CorrectTx":       "LockTx",
	"donor.EraseUnpaidTx":   "its caller, by LockForErasureTx",
}

// TestRowsAreLockedInOrder: a transaction that changes several rows that an erasure locks, locks them in the order of
// their ids first. A statement without that order locks them as they are stored; then it or the erasure fails by a
// deadlock.
func TestRowsAreLockedInOrder(t *testing.T) {
	seen, listed := 0, map[string]bool{}
	each(t, func(pkg, path string, file *ast.File) {
		if g := groupOf(pkg); g == workshop || g == "migrations" {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			literal, ok := n.(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			if erasable.MatchString(text) {
				seen++
				name, _, _ := strings.Cut(strings.TrimPrefix(text, "/* "), " */")
				listed[name] = lockedBefore[name] != ""
				assert.True(t, inOrder(text) || listed[name], "%s: %s locks several rows in no order: ORDER BY id FOR UPDATE first", path, name)
			}
			return true
		})
	})
	require.Greater(t, seen, 15, "it saw fewer statements than the program has")
	for name := range lockedBefore {
		assert.True(t, listed[name], "%s is gone: delete it from lockedBefore", name)
	}
	require.False(t, inOrder(`UPDATE session SET ended_at = now() WHERE person_id = $1`))
	require.False(t, inOrder(`DELETE FROM sign_in WHERE email = $1 AND used_at IS NULL`), "an address has several sign-ins")
	require.True(t, inOrder(`UPDATE mailbox SET closed = true WHERE email = $1`))
}

// inOrder reports whether a statement changes one row, or locks several in the order of their ids.
func inOrder(sql string) bool {
	if strings.Contains(sql, "ORDER BY id FOR ") {
		return true
	}
	table := erasable.FindStringSubmatch(sql)[1]
	byEmail := strings.Contains(sql, "WHERE email = $")
	return oneRow.MatchString(sql) && (table == "mailbox" || !byEmail)
}
