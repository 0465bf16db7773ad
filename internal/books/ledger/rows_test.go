package ledger_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/many"
	"konbit/internal/workshop/testkit/program"
)

// TestRowsOf compares each list of postings, page by page, with a query without pages: read by account, by day and by fund.
func TestRowsOf(t *testing.T) {
	h := program.New(t, program.Options{})
	require.NoError(t, many.Fill(t.Context(), h.DB.Owner, 400, 1))
	h.Exec(`ALTER TABLE journal_entry DISABLE TRIGGER USER; UPDATE journal_entry SET entry_date = entry_date + (hashint8(serial) & 3); ALTER TABLE journal_entry ENABLE TRIGGER USER`)
	entity, err := h.CurrentCatalog().Entity("tsne")
	require.NoError(t, err)
	var funds []uuid.UUID
	require.NoError(t, h.DB.Owner.Select(&funds, `SELECT f.id FROM fund f WHERE f.entity_id = $1 ORDER BY f.id`, entity.ID))
	var first time.Time
	require.NoError(t, h.DB.Owner.Get(&first, `SELECT min(entry_date) + 1 FROM journal_entry WHERE entity_id = $1`, entity.ID))
	day := ledger.DateOf(first, time.UTC)
	const want = `SELECT format('%s %s %s', e.entry_date, p.serial, p.n) FROM posting p JOIN journal_entry e ON e.id = p.entry_id
		WHERE p.entity_id = $1 AND p.account_code = $2 AND ($3::uuid[] IS NULL OR p.fund_id = ANY($3)) AND ($4 = '' OR e.entry_date = $4::date) ORDER BY `
	number := *ledger.MostOfFunds
	t.Cleanup(func() { *ledger.MostOfFunds = number })
	for _, account := range []ledger.Account{ledger.StripeClearing, ledger.ProcessingFees, ledger.PayoutsInTransit} {
		for name, list := range map[string]ledger.Rows{
			"all": {}, "two funds": {Funds: funds[:2]}, "no fund": {Funds: []uuid.UUID{}}, "a day": {From: day, Until: day.Next()},
			"a fund on a day": {Funds: funds[1:2], From: day, Until: day.Next()},
		} {
			for _, *ledger.MostOfFunds = range []int{number, 3} { // by fund, and by day
				list.EntityID, list.Accounts = entity.ID, []ledger.Account{account}
				order, on, ids := `e.entry_date DESC, p.serial DESC, p.n DESC`, "", any(nil)
				if account == ledger.PayoutsInTransit {
					order = `p.serial DESC, p.n DESC`
				}
				if list.From != (ledger.Date{}) {
					on = list.From.String()
				}
				if list.Funds != nil {
					ids = pg.UUIDs(list.Funds)
				}
				wanted := h.Lines(want+order, entity.ID, account, ids, on)
				got := []string{}
				for after := (&ledger.RowCursor{}); after != nil; {
					page, next, err := ledger.RowsOf(t.Context(), h.DB.Server, list, *after, 7)
					require.NoError(t, err)
					for _, r := range page {
						got = append(got, fmt.Sprintf("%s %d %d", r.Date, r.Serial, r.N))
					}
					after = next
				}
				require.Equal(t, name == "no fund" || account == ledger.PayoutsInTransit && on != "", len(wanted) == 0, "%s: %s", account, name)
				require.Equal(t, wanted, got, "%s: %s", account, name)
			}
		}
	}
}
