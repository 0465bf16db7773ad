package many

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/workshop/testkit/program"
)

// TestFill checks many gifts by the rules of the packages, and adds one more gift by the gift path.
func TestFill(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	keys := h.Lines(`SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1`)
	const gifts = 6_000
	began := time.Now()
	require.NoError(t, Fill(t.Context(), h.DB.Owner, PerTx+500, 7))
	require.NoError(t, Fill(t.Context(), h.DB.Owner, gifts-PerTx-500, 8))
	t.Logf("%d gifts: %.0f/s", gifts, gifts/time.Since(began).Seconds())

	require.Equal(t, keys, h.Lines(`SELECT conrelid::regclass || conname || pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1`))
	require.Zero(t, h.Count(`SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'`))
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	for what, query := range map[string]string{
		"settled":      `donation WHERE status = 'settled'`,
		"payments":     `payment WHERE status = 'settled'`,
		"paid":         `journal_entry WHERE kind = 'payment'`,
		"with a fee":   `journal_entry WHERE kind = 'processing fee'`,
		"receipts":     `receipt`,
		"numbers used": `(SELECT generate_series(1, last) FROM receipt_counter) n`,
		"emails":       `letter_delivery WHERE accepted_at IS NOT NULL`,
		"shares":       `payment_share WHERE gift > 0`,
	} {
		require.Equal(t, gifts, h.Count(`SELECT count(*) FROM `+query), what)
	}
	require.Zero(t, h.Count(`SELECT sum(net) FROM balance_transaction`))
	require.Zero(t, h.Count(`SELECT sum(amount) FROM posting WHERE account_code = '1010'`))
	require.Equal(t, h.Count(`SELECT sum(net) FROM balance_transaction WHERE type = 'charge'`), h.Count(`SELECT sum(amount) FROM posting WHERE account_code = '1015'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM journal_entry e LEFT JOIN ledger_seal s ON s.entry_id = e.id WHERE s.n IS NULL`))
	require.NotZero(t, h.Count(`SELECT count(*) FROM ledger_snapshot`))

	require.Equal(t, program.SettledOnce, h.State(h.SettledGift(program.ValidForm())))
}
