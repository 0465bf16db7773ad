package settlement_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/giving/donation"
	"konbit/internal/platform/money"
	"konbit/internal/processor/settlement"
	"konbit/internal/workshop/testkit/program"
)

// ends runs steps about a settled gift of 20.00 and returns the balances that differ from a gift without them, the
// receipts, the emails about void receipts, and the tasks. After each step every checker finds nothing.
func ends(t *testing.T, steps ...func(h *program.Program, intent string) error) (changed, receiptsOf, emailsAndTasks []string) {
	t.Helper()
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	settle(t, h)
	before := balances(h)
	for _, do := range steps {
		require.NoError(t, do(h, intent(h.Gift(d.ID))))
		deliver(h)
		settle(t, h)
	}
	for _, line := range balances(h) {
		if !slices.Contains(before, line) {
			changed = append(changed, line)
		}
	}
	return changed, receipts(h), h.Lines(`SELECT kind FROM river_job WHERE kind = 'receipt_void_letter' UNION ALL SELECT kind || ' ' || coalesce(detail->>'beyond', '')
		FROM finance_task WHERE kind NOT IN ('fund_could_not_bear', 'payment_disputed') ORDER BY 1`) // the dispute's own task is another package's
}

func disputes(amount int64, inquiry bool) func(*program.Program, string) error {
	return func(h *program.Program, intent string) error {
		_, err := h.Fake.DisputeAmount(intent, amount, inquiry)
		return err
	}
}

func refunds(amount int64, fails bool) func(*program.Program, string) error {
	return func(h *program.Program, intent string) error {
		refund, err := h.Fake.Refund(intent, amount)
		if err == nil && fails {
			err = h.Fake.FailRefund(refund)
		}
		return err
	}
}

// closes closes the newest dispute.
func closes(outcome string) func(*program.Program, string) error {
	return func(h *program.Program, _ string) error {
		all := h.Fake.Objects("tsne", "dispute", 0)
		var newest struct{ ID string }
		if err := json.Unmarshal(all[len(all)-1], &newest); err != nil {
			return err
		}
		return h.Fake.CloseDispute(newest.ID, outcome)
	}
}

// TestDisputeOfMoreThanTheGift, and the other ways in which more comes back than is left of a gift: the gift's funds pay
// what they have of it, operations pays the rest, a task says so, and the receipt follows.
func TestDisputeOfMoreThanTheGift(t *testing.T) {
	type step = func(*program.Program, string) error
	for name, c := range map[string]struct {
		steps    []step
		changed  []string
		receipts []string
		tasks    []string
	}{
		"lost": {[]step{disputes(2150, false), closes("lost")},
			[]string{"general 4815 1772", "operations 1010 -1738", "operations 4810 378", "operations 5110 1500"},
			[]string{"1 2000 void dispute"}, []string{"more_went_back_than_was_left 150", "receipt_void_letter"}},
		"won": {[]step{disputes(2150, false), closes("won")}, nil, []string{"1 2000"}, []string{"more_went_back_than_was_left 150"}},
		"open": {[]step{disputes(2150, false)},
			[]string{"general 1010 -228", "general 1020 2000", "operations 1010 -1510", "operations 1020 150", "operations 5110 1500"},
			[]string{"1 2000"}, []string{"more_went_back_than_was_left 150"}},
		"refunded before": {[]step{refunds(0, false), disputes(2000, false), closes("lost")},
			[]string{"general 4805 2000", "operations 1010 -3588", "operations 4810 2000", "operations 5100 88", "operations 5110 1500"},
			[]string{"1 2000 void refund"}, []string{"more_went_back_than_was_left 2000", "receipt_void_letter"}},
		"refunded while the bank inquired, then withdrawn": {[]step{disputes(2000, true), refunds(0, false), closes("escalated"), closes("lost")},
			[]string{"general 4805 2000", "operations 1010 -3588", "operations 4810 2000", "operations 5100 88", "operations 5110 1500"},
			[]string{"1 2000 void refund"}, []string{"more_went_back_than_was_left 2000", "receipt_void_letter"}},
		"refunded in part before, and won": {[]step{refunds(500, false), disputes(2000, false), closes("won")},
			[]string{"general 1010 1329", "general 3900 105", "general 4805 500", "general 4900 171", "general 4910 -171", "general 5100 66", "operations 1010 83",
				"operations 3900 -105", "operations 5100 22"},
			[]string{"1 2000 void refund", "2 1500"}, []string{"more_went_back_than_was_left 500"}},
		"a second dispute": {[]step{disputes(500, false), closes("lost"), disputes(2000, false), closes("lost")},
			[]string{"general 4815 1772", "operations 1010 -3588", "operations 4810 728", "operations 5110 3000"},
			[]string{"1 2000 void dispute", "2 1500 void dispute"}, []string{"more_went_back_than_was_left 500", "receipt_void_letter"}},
		"a second dispute after the whole gift was lost": {[]step{disputes(2000, false), closes("lost"), disputes(2000, false), closes("lost")},
			[]string{"general 4815 1772", "operations 1010 -5088", "operations 4810 2228", "operations 5110 3000"},
			[]string{"1 2000 void dispute"}, []string{"more_went_back_than_was_left 2000", "receipt_void_letter"}},
		"a refund that the bank could not deliver, and again": {[]step{refunds(0, true), refunds(0, false)},
			[]string{"general 4805 2000", "operations 1010 -88", "operations 5100 88"},
			[]string{"1 2000 void refund"}, []string{"receipt_void_letter", "refund_failed "}},
		"a refund that the bank could not deliver twice": {[]step{refunds(0, true), refunds(0, true)},
			[]string{"general 1010 2000", "general 2300 -2000", "general 4805 2000", "operations 1010 -88", "operations 5100 88"},
			[]string{"1 2000 void refund"}, []string{"receipt_void_letter", "refund_failed ", "refund_failed "}},
		"a refund that the bank could not deliver, then lost": {[]step{refunds(0, true), disputes(2000, false), closes("lost")},
			[]string{"general 4805 2000", "operations 1010 -1588", "operations 5100 88", "operations 5110 1500"},
			[]string{"1 2000 void refund"}, []string{"receipt_void_letter", "refund_failed "}},
		"a refund that the bank could not deliver, then won": {[]step{refunds(0, true), disputes(2150, false), closes("won")},
			[]string{"general 1010 2000", "general 2300 -2000", "general 4805 2000", "operations 1010 -88", "operations 5100 88"},
			[]string{"1 2000 void refund"}, []string{"more_went_back_than_was_left 150", "receipt_void_letter", "refund_failed "}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			changed, got, tasks := ends(t, c.steps...)
			require.Equal(t, c.changed, changed)
			require.Equal(t, c.receipts, got)
			require.Equal(t, c.tasks, tasks)
		})
	}
}

// TestStripesFeeForARefundIsNoPartOfTheGift: what Stripe takes or gives back beside a refund is a fee of operations; the
// receipt says the amount that the donor got.
func TestStripesFeeForARefundIsNoPartOfTheGift(t *testing.T) {
	for name, fee := range map[string]int64{"a fee": 30, "a fee that comes back": -88} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			g := settledGift(t, h)
			m := disputed(g, "txn_r", "refund", -1500)
			m.Type, m.SourceID, m.Fee, m.Net = "refund", "re_1", fee, -1500-fee
			require.NoError(t, list(h, t, g.EntityID, m))
			require.Equal(t, []string{"1 2000 void refund", "2 500"}, receipts(h))
			require.Contains(t, balances(h), "general 4805 1500")
			require.Empty(t, h.Lines(`SELECT kind FROM finance_task`))
		})
	}
}

// TestDisputeOfAPaymentInSuspense: the money is taken out of suspense, and the dispute's fee is an expense.
func TestDisputeOfAPaymentInSuspense(t *testing.T) {
	h := program.New(t, program.Options{})
	e := h.Offer("csio").Entity
	now := time.Now().UTC().Truncate(time.Second)
	charge := donation.IncomingPayment{EntityID: e.ID, ChargeRef: "ch_shop", IntentRef: "pi_shop", Amount: money.New(2000, "USD"), ReceivedAt: now, Cause: "evt_shop"}
	require.NoError(t, list(h, t, e.ID, settlement.Transaction{ID: "txn_1", Type: "charge", Category: "charge", SourceID: "ch_shop", ChargeID: "ch_shop",
		Amount: 2000, Fee: 88, Net: 1912, Currency: "USD", CreatedAt: now, AvailableOn: now, Charge: &charge}))
	require.Equal(t, []string{"operations 1010 1912", "operations 1090 -2000", "operations 5100 88"}, balances(h))
	require.NoError(t, list(h, t, e.ID, settlement.Transaction{ID: "txn_2", Type: "adjustment", Category: "dispute", SourceID: "dp_1", ChargeID: "ch_shop",
		Amount: -2150, Fee: 1500, Net: -3650, Currency: "USD", CreatedAt: now, AvailableOn: now}))
	require.Equal(t, []string{"operations 1010 -1738", "operations 1090 150", "operations 5100 88", "operations 5110 1500"}, balances(h))
}
