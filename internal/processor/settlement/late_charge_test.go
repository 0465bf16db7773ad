package settlement_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
	"konbit/internal/workshop/testkit/program"
)

// TestPayoutAndItsMembersInOneList: without any event, one import finds a payment, its payout and the payout's failure.
func TestPayoutAndItsMembersInOneList(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Fund, form.Split = "", map[string]string{"general": "15", "network": "5"}
	h.Pay(h.StartedGift(form))
	_, err := h.Fake.AdjustBalance("tsne", "stripe_fee", "usd", -100)
	require.NoError(t, err)
	h.Fake.Advance(72 * time.Hour)
	payouts, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	settle(t, h)
	require.Subset(t, balances(h), []string{"general 1015 1329", "network 1015 443", "operations 1015 40"}, "by its members, not in proportion")
	require.NoError(t, h.Fake.FailPayout(payouts[0]))
	settle(t, h)
	require.Equal(t, []string{"payout_failed"}, h.Lines(`SELECT kind FROM finance_task`))
}

// TestPayoutOfAPaymentInSuspense: it is paid out like any other payment, without a task about the payout.
func TestPayoutOfAPaymentInSuspense(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	h.Exec(`UPDATE donation SET amount = 1999 WHERE id = $1`, d.ID) // not what the donor will pay
	h.Pay(d)
	settle(t, h)
	h.Fake.Advance(72 * time.Hour)
	_, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	settle(t, h)
	require.Equal(t, []string{"operations 1015 1912", "operations 1090 -2000", "operations 5100 88"}, balances(h))
	require.Equal(t, []string{"payment_differs_from_gift"}, h.Lines(`SELECT kind FROM finance_task`))
}

// TestLostDisputeOfAPaymentInSuspense: the dispute is in suspense too, and its event does not wait for a change.
func TestLostDisputeOfAPaymentInSuspense(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	h.Exec(`UPDATE donation SET amount = 1999 WHERE id = $1`, d.ID)
	h.Pay(d)
	settle(t, h)
	dispute, err := h.Fake.Dispute(h.IntentOf(d), false)
	require.NoError(t, err)
	require.NoError(t, h.Fake.CloseDispute(dispute, "lost"))
	deliver(h)
	settle(t, h)
	require.Equal(t, []string{"operations 1010 -1588", "operations 5100 88", "operations 5110 1500"}, balances(h))
}

// TestPaymentInAnotherCurrencyThatWasConverted: what Stripe converts to the books' currency is in suspense.
func TestPaymentInAnotherCurrencyThatWasConverted(t *testing.T) {
	h := program.New(t, program.Options{})
	entity := h.Offer("csio").Entity
	now := time.Now().UTC().Truncate(time.Second)
	charge := donation.IncomingPayment{EntityID: entity.ID, ChargeRef: "ch_euro", IntentRef: "pi_euro", DonationID: uuid.Nil, Amount: money.New(2000, "EUR"), ReceivedAt: now, Cause: "evt_euro"}
	listed := []settlement.Transaction{{ID: "txn_euro", Type: "charge", Category: "charge", SourceID: "ch_euro", Amount: 2150, Fee: 100, Net: 2050,
		Currency: "USD", CreatedAt: now, AvailableOn: now, Charge: &charge}}
	for range 2 {
		require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
			_, err := h.Booker.BookTx(t.Context(), tx, h.CurrentCatalog(), entity.ID, listed)
			return err
		}))
	}
	require.Equal(t, []string{"operations 1010 2050", "operations 1090 -2150", "operations 5100 100"}, balances(h))
}

// TestChargeReportedAfterAnImport: a charge older than the cursor is imported when its event comes late.
func TestChargeReportedAfterAnImport(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	h.Pay(d)
	h.Exec(`ALTER TABLE balance_lookup DISABLE TRIGGER balance_read_is_kept`) // a minute passes
	h.Exec(`ALTER TABLE balance_lookup DISABLE TRIGGER USER`)                 // otherwise the cursor cannot be in the future
	h.Exec(`INSERT INTO balance_lookup (entity_id, read_through, next_look) SELECT id, now() + interval '1 minute', now() FROM legal_entity`)
	h.Deliver(h.EventOf(d, "charge.succeeded"))
	h.DrainAll()
	n, err := h.Collector.ImportDue(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	require.Zero(t, h.Count(`SELECT count(*) FROM fee_due`))
}
