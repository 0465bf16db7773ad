package settlement_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/workshop/testkit/program"
)

// paidByCheck settles a gift of csio's form by a check and returns the gift and its payment.
func paidByCheck(t *testing.T, h *program.Program, form donation.Form) (donation.Donation, uuid.UUID) {
	t.Helper()
	d, id := h.StartedGift(form), program.NewID()
	outcomes, err := h.Settle(donation.IncomingPayment{
		EntityID: d.EntityID, Method: payment.Check, DonationID: d.ID, Amount: d.Amount(), ReceivedAt: time.Now(), Cause: "test", PaymentID: id,
	})
	require.NoError(t, err)
	require.Equal(t, []donation.Outcome{donation.Booked}, outcomes)
	stored := h.Lines(`SELECT id::text FROM payment WHERE donation_id = $1`, d.ID)
	require.Len(t, stored, 1)
	return h.Gift(d.ID), uuid.MustParse(stored[0])
}

func refundOffline(t *testing.T, h *program.Program, r offlinepay.OfflineRefund) (booked bool, err error) {
	t.Helper()
	err = pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		booked, err = offlinepay.Booker{Booker: h.Booker}.RefundOfflineTx(t.Context(), tx, h.CurrentCatalog(), r)
		return err
	})
	return booked, err
}

// netAssets lists the net assets of each fund of tsne that has any, without and with donor restrictions, in minor
// units.
func netAssets(h *program.Program) []string {
	return h.Lines(`SELECT format('%s %s %s', f.code, a.class, -sum(p.amount)) FROM posting p
		JOIN account a ON a.code = p.account_code JOIN fund f ON f.id = p.fund_id JOIN legal_entity e ON e.id = f.entity_id
		WHERE e.slug = 'tsne' AND a.class IN ('without', 'with') GROUP BY f.code, a.class HAVING sum(p.amount) <> 0 ORDER BY 1`)
}

func TestRefundOfACheck(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Amount, form.AmountOther, form.Fund, form.Split = "other", "100", "", map[string]string{"general": "75", "network": "25"}
	d, paid := paidByCheck(t, h, form)
	refund := offlinepay.OfflineRefund{EntityID: d.EntityID, OrderID: program.NewID(), PaymentID: paid, Amount: money.New(4000, "USD"), At: time.Now()}
	booked, err := refundOffline(t, h, refund)
	require.NoError(t, err)
	require.True(t, booked)
	require.Equal(t, []string{
		"general 1050 7185", "general 2300 -3000", "general 3900 315", "general 4100 -7500", "general 4805 3000", "general 4900 315", "general 4910 -315",
		"network 1050 2395", "network 2300 -1000", "network 3900 105", "network 4000 -2500", "network 4800 1000",
		"operations 1050 420", "operations 3900 -420",
	}, balances(h))
	require.Len(t, receipts(h), 2, "the receipt is replaced by one for the rest")

	booked, err = refundOffline(t, h, refund)
	require.NoError(t, err)
	require.False(t, booked, "each order once")
	other := refund
	other.Amount = money.New(1, "USD")
	_, err = refundOffline(t, h, other)
	require.ErrorContains(t, err, "is booked with another payment or amount")

	rest := offlinepay.OfflineRefund{EntityID: d.EntityID, OrderID: program.NewID(), PaymentID: paid, Amount: money.New(6001, "USD"), At: time.Now()}
	_, err = refundOffline(t, h, rest)
	require.ErrorIs(t, err, offlinepay.ErrRefundTooLarge)
	rest.Amount, rest.FeesIn = money.New(6000, "USD"), ledger.Bank
	_, err = refundOffline(t, h, rest)
	require.NoError(t, err)
	require.Empty(t, netAssets(h))
	require.Subset(t, balances(h), []string{"general 1100 315", "operations 1100 -420"}, "after the deposit the fee is given back in the bank account")
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM receipt_void`))
	h.RequireNoFindings()
}

func TestRefundOfACheckThatTheFundHasSpent(t *testing.T) {
	h := program.New(t, program.Options{})
	d, paid := paidByCheck(t, h, program.ValidForm())
	general := h.CurrentCatalog().Open(d.OrganisationID)[0]
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := ledger.PostTx(t.Context(), tx, []ledger.Entry{{EntityID: d.EntityID, Currency: "USD", Date: ledger.DateOf(time.Now(), time.UTC), Source: "award", SourceID: "a",
			Kind: "paid", Fact: ledger.Fact{"amount": "18.00"}, Postings: append(ledger.Move(ledger.ProcessingFees, ledger.UndepositedChecks, general.ID, 1800),
				ledger.Move(ledger.ReleasedWith, ledger.ReleasedWithout, general.ID, 1800)...)}}, program.NewID)
		return err
	}))
	_, err := refundOffline(t, h, offlinepay.OfflineRefund{
		EntityID: d.EntityID, OrderID: program.NewID(), PaymentID: paid, Amount: money.New(2000, "USD"), At: time.Now(),
	})
	require.NoError(t, err)
	require.Subset(t, balances(h), []string{"general 4805 200", "operations 4800 1800", "operations 2300 -1800"})
	require.Empty(t, h.Lines(`SELECT sum(p.amount) FROM posting p JOIN account a ON a.code = p.account_code
		WHERE a.class = 'with' AND p.fund_id = $1 HAVING sum(p.amount) <> 0`, general.ID), "a restricted fund never falls below zero")
	require.Equal(t, []string{"fund_could_not_bear"}, h.Lines(`SELECT kind FROM finance_task`))
}

func TestOnlySettledPaymentsWithoutAProcessorAreRefundedOffline(t *testing.T) {
	h := program.New(t, program.Options{})
	d := settledGift(t, h)
	card := uuid.MustParse(h.Lines(`SELECT id::text FROM payment WHERE donation_id = $1`, d.ID)[0])
	for _, id := range []uuid.UUID{card, program.NewID()} {
		_, err := refundOffline(t, h, offlinepay.OfflineRefund{EntityID: d.EntityID, OrderID: program.NewID(), PaymentID: id, Amount: money.New(100, "USD"), At: time.Now()})
		require.ErrorContains(t, err, "cannot be refunded without a processor")
	}
}

// TestAFullOfflineRefundLeavesNothing: a gift is split in any way and refunded in any parts. Then every fund has the
// net assets that it had before the gift, and no fund keeps a sponsor's fee.
func TestAFullOfflineRefundLeavesNothing(t *testing.T) {
	h := program.New(t, program.Options{})
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 12 {
		before := netAssets(h)
		amount := 500 + random.Int64N(100_000)
		first := 1 + random.Int64N(amount-1)
		form := program.ValidForm()
		form.FormID, form.Fund, form.Amount, form.AmountOther = uuid.New(), "", "other", dollars(amount)
		form.Split = map[string]string{"general": dollars(first), "network": dollars(amount - first)}
		d, paid := paidByCheck(t, h, form)
		require.NotEqual(t, before, netAssets(h))
		for rest := amount; rest > 0; {
			part := 1 + random.Int64N(rest)
			booked, err := refundOffline(t, h, offlinepay.OfflineRefund{
				EntityID: d.EntityID, OrderID: program.NewID(), PaymentID: paid, Amount: money.New(part, "USD"), At: time.Now(),
			})
			require.NoError(t, err)
			require.True(t, booked)
			rest -= part
		}
		require.Equal(t, before, netAssets(h))
	}
	require.Empty(t, h.Lines(`SELECT fund_id::text FROM posting WHERE account_code = '3900' GROUP BY 1 HAVING sum(amount) <> 0`))
	require.Empty(t, h.Lines(`SELECT fund_id::text FROM posting WHERE account_code IN ('1050', '2300') GROUP BY 1 HAVING sum(amount) <> 0`))
	h.RequireNoFindings()
}

func dollars(minor int64) string { return fmt.Sprintf("%d.%02d", minor/100, minor%100) }
