package program

import (
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/check"
)

// CheckerRows returns the checkers' findings, read with the server's rights.
func (h *Program) CheckerRows() (rows []check.Row) {
	h.t.Helper()
	require.NoError(h.t, ledger.ReadConsistent(h.t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		found, err := check.RunAll(h.t.Context(), tx)
		rows = check.Rows(found)
		return err
	}))
	return rows
}

// RequireNoFindings fails the test if a checker has a finding.
func (h *Program) RequireNoFindings() {
	h.t.Helper()
	require.Empty(h.t, h.CheckerRows())
}
