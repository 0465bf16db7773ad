package program

import (
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/office/check"
)

// Checked lists what the checkers find, read as the server may read it.
func (h *Program) CheckerRows() (rows []check.Row) {
	h.t.Helper()
	require.NoError(h.t, ledger.ReadConsistent(h.t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		found, err := check.RunAll(h.t.Context(), tx)
		rows = check.Rows(found)
		return err
	}))
	return rows
}

// WantChecked holds that every checker finds nothing.
func (h *Program) RequireNoFindings() {
	h.t.Helper()
	require.Empty(h.t, h.CheckerRows())
}
