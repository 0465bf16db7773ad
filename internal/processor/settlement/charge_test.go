package settlement_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/settlement"
	"konbit/internal/workshop/testkit/program"
)

func list(h *program.Program, t *testing.T, entity uuid.UUID, listed ...settlement.Transaction) error {
	t.Helper()
	return pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := h.Booker.BookTx(t.Context(), tx, h.CurrentCatalog(), entity, listed)
		return err
	})
}

// disputed returns a balance transaction of a dispute about a gift, in minor units of USD.
func disputed(g donation.Donation, id, category string, amount int64) settlement.Transaction {
	now := time.Now().UTC()
	return settlement.Transaction{ID: id, Type: "adjustment", Category: category, SourceID: "dp_1", ChargeID: *g.ChargeID, Amount: amount, Net: amount,
		Currency: "USD", CreatedAt: now, AvailableOn: now}
}

func lose(h *program.Program, t *testing.T, g donation.Donation) bool {
	t.Helper()
	var lost bool
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) (err error) {
		lost, err = h.Booker.BookLostDisputeTx(t.Context(), tx, h.CurrentCatalog(), settlement.LostDispute{EntityID: g.EntityID, ID: "dp_1", ChargeID: *g.ChargeID, Withdrew: true, At: time.Now()})
		return err
	}))
	return lost
}

// settledGift returns a gift of 20.00 whose fee is booked.
func settledGift(t *testing.T, h *program.Program) donation.Donation {
	d := h.SettledGift(program.ValidForm())
	settle(t, h)
	return h.Gift(d.ID)
}

func TestSecondWithdrawalOfADispute(t *testing.T) {
	h := program.New(t, program.Options{})
	g := settledGift(t, h)
	require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_a", "dispute", -2000)))
	require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_b", "dispute_reversal", 2000)))
	require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_c", "dispute", -2000)))
	require.Contains(t, balances(h), "operations 1090 2000")
	require.Equal(t, []string{"movement_does_not_fit txn_c", "payment_disputed dp_1"}, h.Lines(`SELECT kind || ' ' || subject FROM finance_task ORDER BY 1`))
	found := h.CheckerRows()
	require.Contains(t, found[len(found)-1].String(), "A18 ", "the receipt is valid, and its money is gone: %v", found)
}

func TestDisputeWonAfterItWasLost(t *testing.T) {
	for name, order := range map[string][]string{"lost, then won": {"lose", "win"}, "the loss is reported after the win": {"win", "lose"}} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			g := settledGift(t, h)
			before := balances(h)
			require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_a", "dispute", -2000)))
			for _, step := range order {
				if step == "lose" {
					require.True(t, lose(h, t, g))
				} else {
					require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_b", "dispute_reversal", 2000)))
				}
			}
			require.Equal(t, before, balances(h), "the same as without a dispute")
			if order[0] == "win" {
				require.Equal(t, []string{"1 2000"}, receipts(h))
				return
			}
			require.Equal(t, []string{"1 2000 void dispute", "2 2000"}, receipts(h))
			require.Equal(t, "reinstated", h.Lines(`SELECT facts->'replaces'->>'reason' FROM receipt WHERE number = 2`)[0])
		})
	}
}

func TestRefundsFeesAreTheSameWhateverDisputesDo(t *testing.T) {
	back := func(g donation.Donation, id string, amount int64) settlement.Transaction {
		m := disputed(g, id, "refund", -amount)
		m.Type, m.SourceID = "refund", "re_"+id
		return m
	}
	var ends [][]string
	for _, withDispute := range []bool{false, true} {
		h := program.New(t, program.Options{})
		g := settledGift(t, h)
		if withDispute {
			require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_a", "dispute", -1000)))
		}
		require.NoError(t, list(h, t, g.EntityID, back(g, "txn_r", 1000)))
		require.Equal(t, 44, h.Count(`SELECT fee FROM payment_change_share WHERE object_id = 're_txn_r'`), "half of 88 for half of the gift")
		if withDispute {
			require.NoError(t, list(h, t, g.EntityID, disputed(g, "txn_b", "dispute_reversal", 1000)))
		}
		require.NoError(t, list(h, t, g.EntityID, back(g, "txn_s", 333), back(g, "txn_t", 667)))
		require.Equal(t, 88, h.Count(`SELECT sum(fee) FROM payment_change_share`))
		require.Equal(t, 140, h.Count(`SELECT sum(sponsor_fee) FROM payment_change_share`))
		ends = append(ends, balances(h))
	}
	require.Equal(t, ends[0], ends[1])
}

func TestPaymentInAnotherCurrencyIsNotDueAgain(t *testing.T) {
	h := program.New(t, program.Options{})
	e := h.Offer("csio").Entity
	now := time.Now().UTC().Truncate(time.Second)
	charge := donation.IncomingPayment{EntityID: e.ID, ChargeRef: "ch_euro", IntentRef: "pi_euro", Amount: money.New(2000, "EUR"), ReceivedAt: now, Cause: "evt_euro"}
	listed := settlement.Transaction{ID: "txn_euro", Type: "charge", Category: "charge", SourceID: "ch_euro", ChargeID: "ch_euro", Amount: 2150, Fee: 100, Net: 2050,
		Currency: "USD", CreatedAt: now, AvailableOn: now, Charge: &charge}
	require.NoError(t, list(h, t, e.ID, listed))
	_, err := h.Settle(charge) // its event comes after the import
	require.NoError(t, err)
	require.NoError(t, list(h, t, e.ID, listed)) // a fee that is due is listed again from the day of its charge
	require.Zero(t, h.Count(`SELECT count(*) FROM fee_due`))
	require.Equal(t, []string{"operations 1010 2050", "operations 1090 -2150", "operations 5100 100"}, balances(h))
}

func TestBankDebit(t *testing.T) {
	for name, refused := range map[string]bool{"that succeeds": false, "that the bank refuses": true} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			d := h.StartedGift(program.ValidForm())
			require.NoError(t, h.Fake.Debit(*h.Checkout(d).SessionID, refused))
			deliver(h)
			settle(t, h)
			require.Equal(t, []string{"operations 1010 1984", "operations 1090 -1984"}, balances(h), "on its way")
			h.Pay(h.StartedGift(program.ValidForm())) // later payments do not wait for it
			settle(t, h)
			require.Contains(t, balances(h), "general 1010 1772")

			h.Fake.Advance(5 * 24 * time.Hour)
			deliver(h)
			settle(t, h)
			require.NotContains(t, h.Lines(`SELECT account_code FROM posting GROUP BY account_code HAVING sum(amount) <> 0`), "1090")
			require.Zero(t, h.Count(`SELECT count(*) FROM fee_due`))
			require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
			method := map[bool][]string{false: {"bank_debit", "card"}, true: {"card"}}[refused]
			require.Equal(t, method, h.Lines(`SELECT method FROM payment ORDER BY method`))
			if refused {
				require.Equal(t, donation.Failed, h.Gift(d.ID).Status)
				require.Equal(t, []string{"1 2000"}, receipts(h))
				return
			}
			require.Equal(t, donation.Settled, h.Gift(d.ID).Status)
			require.Equal(t, []string{"1 2000", "2 2000"}, receipts(h))
			require.Subset(t, balances(h), []string{"general 1010 3616", "general 5100 104", "operations 1010 280"})

			h.Fake.Advance(72 * time.Hour)
			_, err := h.Fake.Payout("tsne")
			require.NoError(t, err)
			settle(t, h)
			require.Subset(t, balances(h), []string{"general 1015 3616", "operations 1015 280"}, "paid out by fund like any other payment")
		})
	}
}

// TestBankDebitReversedAfterItSucceeded: it is booked like a refund of the gift.
func TestBankDebitReversedAfterItSucceeded(t *testing.T) {
	h := program.New(t, program.Options{})
	g := settledGift(t, h)
	back := disputed(g, "txn_back", "charge_failure", -2000)
	back.Type, back.SourceID = "payment_reversal", *g.ChargeID
	require.NoError(t, list(h, t, g.EntityID, back))
	require.Equal(t, []string{"1 2000 void dispute"}, receipts(h))
	require.Contains(t, balances(h), "general 4805 2000")
}

func TestSweepFindsLostDisputesWithoutAnEvent(t *testing.T) {
	h := program.New(t, program.Options{})
	g := settledGift(t, h)
	dispute, err := h.Fake.Dispute(intent(g), false)
	require.NoError(t, err)
	settle(t, h)
	require.Contains(t, balances(h), "general 1020 2000")
	require.NoError(t, h.Fake.CloseDispute(dispute, "lost"))
	settle(t, h)
	require.NotContains(t, balances(h), "general 1020 2000")
	require.Equal(t, []string{"1 2000 void dispute"}, receipts(h))
}

// TestFeesThatARestrictedFundCannotPay: a fund may have given the gift away before its fee was known; operations pays.
func TestFeesThatARestrictedFundCannotPay(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	catalog := h.CurrentCatalog()
	general := catalog.Open(d.OrganisationID)[0]
	require.Equal(t, "general", general.Code)
	require.NoError(t, pg.InTx(t.Context(), h.DB.Server, func(tx *sqlx.Tx) error {
		_, err := ledger.PostTx(t.Context(), tx, []ledger.Entry{{EntityID: d.EntityID, Currency: "USD", Date: ledger.DateOf(time.Now(), time.UTC), Source: "award", SourceID: "a",
			Kind: "paid", Fact: ledger.Fact{"amount": "19.00"}, Postings: append(ledger.Move(ledger.ProcessingFees, ledger.StripeClearing, general.ID, 1900),
				ledger.Move(ledger.ReleasedWith, ledger.ReleasedWithout, general.ID, 1900)...)}}, program.NewID)
		return err
	}))
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, h.Count(`SELECT sum(p.amount) FROM posting p JOIN account a ON a.code = p.account_code WHERE a.class = 'with' AND p.fund_id = $1`, general.ID))
	require.Subset(t, balances(h), []string{"general 3900 12", "operations 3900 -12", "general 5100 1988"})
	require.Equal(t, []string{"fund_could_not_bear"}, h.Lines(`SELECT kind FROM finance_task`))
}

// TestAChargeThatCannotBeRead: a charge that Stripe lists without its currency delays no other, and settles once it is
// readable.
func TestAChargeThatCannotBeRead(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	now := time.Now().UTC().Truncate(time.Second)
	charge := program.ChargeOf(d, now)
	listed := settlement.Transaction{ID: "txn_1", Type: "charge", Category: "charge", SourceID: charge.ChargeRef, ChargeID: charge.ChargeRef, Amount: 2000, Fee: 88, Net: 1912,
		Currency: "USD", CreatedAt: now, AvailableOn: now, ReadError: errors.New("it lacks its currency")}
	require.NoError(t, list(h, t, d.EntityID, listed))
	require.Equal(t, []string{"operations 1010 1912", "operations 1090 -1912"}, balances(h))
	require.Equal(t, []string{"charge_not_readable"}, h.Lines(`SELECT kind FROM finance_task`))
	listed.Charge, listed.ReadError = &charge, nil
	require.NoError(t, list(h, t, d.EntityID, listed))
	require.Subset(t, balances(h), []string{"general 1010 1772", "operations 1010 140"})
	require.NotContains(t, balances(h), "operations 1090 -1912")
}
