package bank

import (
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/bank"
)

// check adds up from the tables, and compares with the proof.
func (s *sequence) check(after string) {
	s.t.Helper()
	require.Empty(s.t, s.h.Lines(`SELECT m.id::text FROM bank_match m WHERE m.undone_at IS NULL
		AND (SELECT sum(amount) FROM bank_match_line l WHERE l.match_id = m.id) IS DISTINCT FROM (SELECT sum(amount) FROM bank_match_item i WHERE i.match_id = m.id)`), after)
	require.Empty(s.t, s.h.Lines(`SELECT l.line_id::text FROM bank_match_line l JOIN bank_match m ON m.id = l.match_id WHERE m.undone_at IS NULL GROUP BY l.line_id, l.part HAVING count(*) > 1`), after)
	require.Empty(s.t, s.h.Lines(`SELECT i.ref FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id WHERE m.undone_at IS NULL
		AND i.kind IN ('gift', 'entry', 'payout') GROUP BY i.kind, i.ref HAVING count(*) > 1`), after)
	require.Empty(s.t, s.h.Lines(`SELECT l.id::text FROM bank_line l WHERE l.amount <> (SELECT sum(p.amount) FROM bank_part p WHERE p.line_id = l.id)`), after)
	require.Empty(s.t, s.h.Lines(`SELECT detail FROM check_bank_differs`), after)
	for _, a := range s.accounts {
		var sums struct{ Lines, Book, Open, Aside, Gifts, Transfers int64 }
		require.NoError(s.t, s.h.DB.Owner.Get(&sums, `SELECT
			(SELECT coalesce(sum(amount), 0) FROM bank_line WHERE account_id = $1) AS lines,
			(SELECT coalesce(sum(amount), 0) FROM posting WHERE account_code = '1100' AND dimensions ->> 'bank' = $2) AS book,
			(SELECT coalesce(sum(p.amount), 0) FROM bank_part p WHERE p.account_id = $1 AND NOT EXISTS (SELECT FROM bank_match_line o JOIN bank_match m ON m.id = o.match_id
				WHERE o.line_id = p.line_id AND o.part = p.part AND m.undone_at IS NULL)) AS open,
			(SELECT coalesce(sum(i.amount), 0) FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id WHERE i.account_id = $1 AND i.kind = 'aside' AND m.undone_at IS NULL) AS aside,
			(SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN journal_entry e ON e.id = p.entry_id WHERE e.source = 'payment' AND p.account_code = '1100' AND p.dimensions ->> 'bank' = $2
				AND NOT EXISTS (SELECT FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id JOIN donation d ON d.public_ref = i.ref
				  WHERE i.kind = 'gift' AND m.undone_at IS NULL AND d.id::text = e.dimensions ->> 'donation')) AS gifts,
			(SELECT coalesce(-sum(i.amount), 0) FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id WHERE i.kind = 'transfer' AND i.ref = $2 AND i.booked AND m.undone_at IS NULL)
			- (SELECT coalesce(sum(i.amount), 0) FROM bank_match_item i JOIN bank_match m ON m.id = i.match_id WHERE i.kind = 'transfer' AND i.account_id = $1 AND NOT i.booked AND m.undone_at IS NULL) AS transfers`,
			a.ID, a.Slug))
		require.Equal(s.t, sums.Lines-sums.Open-sums.Aside+sums.Gifts+sums.Transfers, sums.Book, "after %s: account %s: %+v", after, a.Slug, sums)
		p, err := bank.ProofOf(s.t.Context(), s.h.DB.Owner, a, bank.Month{Year: 2026, Month: time.October})
		require.NoError(s.t, err)
		require.Zero(s.t, p.Sums.Difference, "after %s: %+v", after, p.Sums)
		require.Equal(s.t, []int64{sums.Lines, sums.Book, sums.Open, sums.Aside, sums.Gifts + sums.Transfers},
			[]int64{p.Closing, p.Book, p.Sums.Open, p.Sums.Aside, p.Sums.NotCleared}, after)
	}
}
