package stripepay_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
)

// TestOneSweepAfterThreeDaysWithoutEvents: the webhook endpoint does not answer for three days, in which there are
// donations, refunds, disputes and payouts. One sweep books all of them and issues the receipts.
func TestOneSweepAfterThreeDaysWithoutEvents(t *testing.T) {
	h := program.New(t, program.Options{})
	before := h.SettledGift(program.ValidForm())
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.NoError(t, h.Fake.SetMode(stripefake.Drop))

	var gifts []donation.Donation
	for range 6 {
		d := h.StartedGift(program.ValidForm())
		h.Pay(d)
		gifts = append(gifts, d)
		h.Fake.Advance(12 * time.Hour)
	}
	intent := *h.Gift(before.ID).PaymentIntentID
	_, err = h.Fake.Refund(intent, 700)
	require.NoError(t, err)
	lost, err := h.Fake.Dispute(h.IntentOf(gifts[0]), false)
	require.NoError(t, err)
	h.Fake.Advance(time.Hour)
	require.NoError(t, h.Fake.CloseDispute(lost, "lost"))
	require.NoError(t, h.Fake.SetMode(stripefake.Hold))

	swept, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Positive(t, swept.Events)
	require.Equal(t, 6+2, swept.Transactions, "six charges, a refund and a withdrawal")
	for _, d := range gifts {
		require.Equal(t, donation.Settled, h.Gift(d.ID).Status)
		require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt WHERE donation_id = $1`, d.ID))
	}
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment_change WHERE kind = 'dispute lost'`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM receipt_void v JOIN receipt r ON r.id = v.receipt_id WHERE r.donation_id = $1`, gifts[0].ID))
	require.Zero(t, h.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM fee_due`))
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)

	again, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, again, "a second sweep finds nothing")
}

// TestOneSweepFindsTheFirstGiftAndItsRefund: although no event of a donation arrived, the first sweep imports the
// balance. It does not need a second one.
func TestOneSweepFindsTheFirstGiftAndItsRefund(t *testing.T) {
	h := program.New(t, program.Options{})
	require.NoError(t, h.Fake.SetMode(stripefake.Drop))
	d := h.StartedGift(program.ValidForm())
	h.Pay(d)
	_, err := h.Fake.Refund(h.IntentOf(d), 700)
	require.NoError(t, err)
	swept, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 2, swept.Transactions, "a charge and a refund")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM payment_change WHERE kind = 'refund'`))
	require.Zero(t, h.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`))
}

func TestSweepEndsStartedGifts(t *testing.T) {
	h := program.New(t, program.Options{})
	require.NoError(t, h.Fake.SetMode(stripefake.Drop))
	abandoned := h.StartedGift(program.ValidForm())
	unmade := h.StartedGift(program.ValidForm())
	h.Exec(`UPDATE checkout SET session_id = NULL, session_url = NULL WHERE donation_id = $1`, unmade.ID)
	paid := h.StartedGift(program.ValidForm())
	h.Pay(paid)
	young, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, young.Ended, "their pages can still be paid on")
	h.Fake.Advance(2 * time.Hour)
	h.Exec(`UPDATE donation SET created_at = created_at - interval '2 hours' WHERE settled_at IS NULL`) // a settled one keeps its dates
	h.Exec(`UPDATE checkout SET expires_at = expires_at - interval '2 hours'`)
	swept, err := h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	require.LessOrEqual(t, swept.Ended, 2)
	require.Equal(t, donation.Expired, h.Gift(abandoned.ID).Status)
	require.Equal(t, donation.Expired, h.Gift(unmade.ID).Status)
	require.Equal(t, donation.Settled, h.Gift(paid.ID).Status)
}

func TestPurgeErasesDonorsWhoNeverPaid(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Contact.Email = "stranger@example.org"
	abandoned := h.StartedGift(form)
	giver := h.StartedGift(program.ValidForm())
	again := h.StartedGift(program.ValidForm())
	h.Exec(`UPDATE donation SET created_at = created_at - interval '31 days'`)
	_, err := h.Settle(program.ChargeOf(giver, time.Now()))
	require.NoError(t, err)
	h.Exec(`UPDATE donation SET status = 'expired' WHERE id = ANY(ARRAY[$1, $2]::uuid[])`, abandoned.ID, again.ID)
	n, err := donation.Purge(t.Context(), h.DB.Server, time.Now().Add(-32*24*time.Hour))
	require.NoError(t, err)
	require.Zero(t, n)
	n, err = donation.Purge(t.Context(), h.DB.Server, time.Now().Add(-30*24*time.Hour))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Zero(t, h.Count(`SELECT count(*) FROM donor WHERE email = 'stranger@example.org' OR first_name = $1`, "stranger"))
	require.Equal(t, []string{giver.ID.String()}, h.Lines(`SELECT donation_id::text FROM donation_contact`))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM donor WHERE first_name <> ''`), "a donor who once gave is not forgotten")
}

// TestPurgeSparesDonorsWhoGiveAgain: a donation that is begun while its donor is being purged keeps the donor.
func TestPurgeSparesDonorsWhoGiveAgain(t *testing.T) {
	h := program.New(t, program.Options{})
	h.StartedGift(program.ValidForm())
	h.Exec(`UPDATE donation SET created_at = created_at - interval '31 days', status = 'expired'`)
	form, err := h.DB.Server.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	var found string
	require.NoError(t, form.Get(&found, `SELECT id FROM donor WHERE email = 'ana@example.org' FOR KEY SHARE`)) // as donor.FindOrAddTx
	purged := make(chan error)
	go func() {
		_, err := donation.Purge(t.Context(), h.DB.Server, time.Now().Add(-30*24*time.Hour))
		purged <- err
	}()
	testkit.Eventually(t, time.Minute, func() error {
		if h.Count(`SELECT count(DISTINCT l.pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.datname = current_database() AND NOT l.granted`) == 0 {
			return errors.New("the purge does not wait")
		}
		return nil
	})
	again, err := donation.RecordTx(t.Context(), form, donation.Record{
		ID: program.NewID(), PublicRef: program.NewRef(), EntityID: h.Offer("csio").Entity.ID, OrganisationID: h.Offer("csio").Organisation.ID,
		DonorID: uuid.MustParse(found), Source: donation.FromOffice, Contact: program.ValidForm().Contact, Language: "en", At: time.Now(), Cause: "staff",
		Parts: []donation.Designation{{FundID: h.Offer("csio").Funds[0].ID, Amount: money.New(2000, "USD")}},
	})
	require.NoError(t, err)
	require.NoError(t, form.Commit())
	require.NoError(t, <-purged)
	require.Equal(t, []string{"ana@example.org"}, h.Lines(`SELECT email FROM donor`))
	require.Equal(t, []string{again.ID.String()}, h.Lines(`SELECT donation_id::text FROM donation_contact`))
}
