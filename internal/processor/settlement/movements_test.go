package settlement_test

import (
	"encoding/json"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/donation"
	"konbit/internal/workshop/testkit/program"
)

// balances lists the account balances of tsne's funds that are not zero, as "fund account amount" in minor units.
func balances(h *program.Program) []string {
	return h.Lines(`SELECT format('%s %s %s', f.code, p.account_code, sum(p.amount)) FROM posting p
		JOIN fund f ON f.id = p.fund_id JOIN legal_entity e ON e.id = f.entity_id
		WHERE e.slug = 'tsne' GROUP BY f.code, p.account_code HAVING sum(p.amount) <> 0 ORDER BY 1`)
}

func receipts(h *program.Program) []string {
	return h.Lines(`SELECT format('%s %s%s', r.number, r.facts->'amount'->>'minor', CASE WHEN v.receipt_id IS NOT NULL THEN ' void ' || v.reason ELSE '' END)
		FROM receipt r LEFT JOIN receipt_void v ON v.receipt_id = r.id ORDER BY r.number`)
}

// settle applies every event, sweeps, and applies the events that waited for the sweep; then the books must be sound.
func settle(t *testing.T, h *program.Program) {
	t.Helper()
	h.DrainAll()
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	h.RetryParked()
	require.Zero(t, h.Count(`SELECT count(*) FROM stripe_event WHERE state <> 'done'`), "%v",
		h.Lines(`SELECT format('%s %s %s', type, state, reason) FROM stripe_event WHERE state <> 'done'`))
	sound(t, h)
}

func sound(t *testing.T, h *program.Program) {
	t.Helper()
	report, err := ledger.Verify(t.Context(), h.DB.Server)
	require.NoError(t, err)
	require.True(t, report.OK(), "%v", report.Findings)
	require.Equal(t, stripeBalance(h), h.Count(`SELECT coalesce(sum(p.amount), 0) FROM posting p JOIN legal_entity e ON e.id = p.entity_id
		WHERE e.slug = 'tsne' AND p.account_code = '1010'`), "clearing equals Stripe's balance")
	h.RequireNoFindings()
}

// stripeBalance returns the sum of the nets of tsne's balance transactions.
func stripeBalance(h *program.Program) (sum int) {
	for _, raw := range h.Fake.State().BalanceTransactions {
		var move struct {
			Account string
			Net     int
		}
		if json.Unmarshal(raw, &move) == nil && move.Account == "tsne" {
			sum += move.Net
		}
	}
	return sum
}

func intent(d donation.Donation) string { return *d.PaymentIntentID }

// deliver posts every event of tsne's account.
func deliver(h *program.Program) {
	for _, body := range h.Fake.Bodies("tsne") {
		h.Deliver(h.ParseEvent(body))
	}
}

func TestFeeAndSponsorsFee(t *testing.T) {
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	settle(t, h)
	require.Equal(t, []string{
		"general 1010 1772", "general 3900 140", "general 4100 -2000", "general 4900 228", "general 4910 -228", "general 5100 88",
		"operations 1010 140", "operations 3900 -140",
	}, balances(h))
}

func TestRefundInPartsLeavesNothing(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Fund, form.Split = "", map[string]string{"general": "6.67", "network": "6.67", "building": "6.66"}
	d := h.SettledGift(form)
	settle(t, h)
	for _, amount := range []int64{333, 1000, 0} {
		_, err := h.Fake.Refund(intent(h.Gift(d.ID)), amount)
		require.NoError(t, err)
		deliver(h)
		settle(t, h)
	}
	require.Equal(t, []string{
		"building 4100 -666", "building 4805 666", "general 4100 -667", "general 4805 667", "network 4000 -667", "network 4800 667",
		"operations 1010 -88", "operations 5100 88",
	}, balances(h), "the funds are the same as without the gift; operations pays what Stripe keeps")
	require.Equal(t, []string{"1 2000 void refund", "2 1667 void refund", "3 667 void refund"}, receipts(h))
}

func TestRefundsInAnyOrderOfEventsOrWithoutAny(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.StartedGift(program.ValidForm())
	h.Pay(d)
	charge := h.EventOf(d, "charge.succeeded")
	_, err := h.Fake.Refund(regexp.MustCompile(`pi_[0-9A-Za-z]{10,}`).FindString(string(charge.Body)), 500)
	require.NoError(t, err)
	_, err = h.Collector.Sweep(t.Context()) // no event arrived
	require.NoError(t, err)
	sound(t, h)
	require.Equal(t, donation.Settled, h.Gift(d.ID).Status)
	require.Equal(t, []string{"1 2000 void refund", "2 1500"}, receipts(h))
	before := balances(h)
	deliver(h)
	settle(t, h)
	require.Equal(t, before, balances(h))
}

func TestDispute(t *testing.T) {
	for name, outcome := range map[string]struct {
		end      string
		balances []string
		receipts []string
	}{
		"won": {"won", []string{
			"general 1010 1772", "general 3900 140", "general 4100 -2000", "general 4900 228", "general 4910 -228", "general 5100 88",
			"operations 1010 140", "operations 3900 -140",
		}, []string{"1 2000"}},
		"lost": {"lost", []string{
			"general 3900 140", "general 4100 -2000", "general 4815 1772", "general 4900 228", "general 4910 -228", "general 5100 88",
			"operations 1010 -1588", "operations 3900 -140", "operations 4810 228", "operations 5110 1500",
		}, []string{"1 2000 void dispute"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := program.New(t, program.Options{})
			d := h.SettledGift(program.ValidForm())
			settle(t, h)
			dispute, err := h.Fake.Dispute(intent(h.Gift(d.ID)), false)
			require.NoError(t, err)
			deliver(h)
			settle(t, h)
			require.Contains(t, balances(h), "general 1020 2000")
			require.Equal(t, []string{"1 2000"}, receipts(h), "an open dispute voids nothing")
			require.NoError(t, h.Fake.CloseDispute(dispute, outcome.end))
			deliver(h)
			settle(t, h)
			require.Equal(t, outcome.balances, balances(h))
			require.Equal(t, outcome.receipts, receipts(h))
		})
	}
}

func TestInquiryBooksNothing(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	settle(t, h)
	before := balances(h)
	dispute, err := h.Fake.Dispute(intent(h.Gift(d.ID)), true)
	require.NoError(t, err)
	deliver(h)
	settle(t, h)
	require.NoError(t, h.Fake.CloseDispute(dispute, "closed"))
	deliver(h)
	settle(t, h)
	require.Equal(t, before, balances(h))
}

func TestPayoutPerFund(t *testing.T) {
	h := program.New(t, program.Options{})
	form := program.ValidForm()
	form.Fund, form.Split = "", map[string]string{"general": "15", "network": "5"}
	h.SettledGift(form)
	settle(t, h)
	h.Fake.Advance(72 * time.Hour)
	payouts, err := h.Fake.Payout("tsne")
	require.NoError(t, err)
	require.Len(t, payouts, 1)
	deliver(h)
	settle(t, h)
	require.Subset(t, balances(h), []string{"general 1015 1329", "network 1015 443", "operations 1015 140"})
	for _, line := range balances(h) {
		require.NotContains(t, line, " 1010 ", "all of clearing was paid out")
	}

	require.NoError(t, h.Fake.FailPayout(payouts[0]))
	deliver(h)
	settle(t, h)
	require.Subset(t, balances(h), []string{"general 1010 1329", "network 1010 443", "operations 1010 140"})
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'payout_failed'`))
}

func TestUnknownMovementsGoToSuspense(t *testing.T) {
	h := program.New(t, program.Options{})
	_, err := h.Collector.Sweep(t.Context())
	require.NoError(t, err)
	for _, kind := range []string{"stripe_fee", "network_cost_of_the_future"} {
		_, err := h.Fake.AdjustBalance("tsne", kind, "usd", -250)
		require.NoError(t, err)
	}
	settle(t, h)
	require.Equal(t, []string{"operations 1010 -500", "operations 1090 250", "operations 5100 250"}, balances(h))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'unknown_balance_transaction'`))
}

func TestRefundThatTheBankReturned(t *testing.T) {
	h := program.New(t, program.Options{})
	d := h.SettledGift(program.ValidForm())
	settle(t, h)
	refund, err := h.Fake.Refund(intent(h.Gift(d.ID)), 0)
	require.NoError(t, err)
	require.NoError(t, h.Fake.FailRefund(refund))
	deliver(h)
	settle(t, h)
	require.Equal(t, []string{"general 1010 2000", "general 2300 -2000", "general 4100 -2000", "general 4805 2000", "operations 1010 -88", "operations 5100 88"}, balances(h))
}
