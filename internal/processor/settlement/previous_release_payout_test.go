package settlement_test

import (
	"testing"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/pg"
	"konbit/internal/workshop/testkit/program"
)

// TestThePreviousReleaseBooksThatAPayoutFailed stores balance transactions as the program of the release before does,
// which knows no table of payouts. A payout that was read as paid is not read again, so its failure must be stored by
// the trigger of migration 00045. Drop this test with the trigger.
func TestThePreviousReleaseBooksThatAPayoutFailed(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	for _, test := range []struct{ payout, end, status string }{
		{"po_1", "payout_failure", "failed"}, {"po_2", "payout_cancel", "canceled"}, {"po_3", "payout", "paid"},
	} {
		t.Run(test.end, func(t *testing.T) {
			store := func(id, kind string, net int) {
				require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
					_, err := tx.Exec(`INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at)
					VALUES ($1, $2, $3, $4, $5, 0, $5, 'USD', now(), now(), now())`, d.EntityID, id, kind, test.payout, net)
					return err
				}))
			}
			store("txn_"+test.payout, "payout", -500)
			h.Exec(`UPDATE payout SET status = 'paid', read_at = now() WHERE payout_ref = $1`, test.payout)
			store("txn_end_"+test.payout, test.end, 500)
			require.Equal(t, []string{test.status}, h.Lines(`SELECT status FROM payout WHERE payout_ref = $1`, test.payout))
		})
	}
}
