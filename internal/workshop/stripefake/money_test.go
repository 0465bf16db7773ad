package stripefake_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stripe/stripe-go/v76"

	"konbit/internal/workshop/stripefake"
)

// moves returns the account's balance transactions, oldest first.
func (f *fake) moves(payout string) []*stripe.BalanceTransaction {
	f.t.Helper()
	p := &stripe.BalanceTransactionListParams{}
	if payout != "" {
		p.Payout = stripe.String(payout)
	}
	var list []*stripe.BalanceTransaction
	it := f.api.BalanceTransactions.List(p)
	for it.Next() {
		list = append(list, it.BalanceTransaction())
	}
	if it.Err() != nil {
		f.t.Fatal(it.Err())
	}
	slices.Reverse(list)
	return list
}

// checkBalance compares the balance with the sum of all balance transactions, and the net of each one with
// its amount and fees.
func (f *fake) checkBalance(want int64) {
	f.t.Helper()
	var sum int64
	for _, bt := range f.moves("") {
		sum += bt.Net
		var fees int64
		for _, fd := range bt.FeeDetails {
			fees += fd.Amount
		}
		if bt.Net != bt.Amount-bt.Fee || fees != bt.Fee {
			f.t.Errorf("%s %s: amount %d fee %d (%d in detail) net %d", bt.Type, bt.ID, bt.Amount, bt.Fee, fees, bt.Net)
		}
	}
	b, err := f.api.Balance.Get(nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if got := b.Available[0].Amount + b.Pending[0].Amount; got != want || sum != want {
		f.t.Errorf("balance %d, movements %d, want %d", got, sum, want)
	}
}

func TestRefunds(t *testing.T) {
	f := start(t, stripefake.Options{})
	pi := f.paid("4242424242424242").PaymentIntent
	part, err := f.api.Refunds.New(&stripe.RefundParams{PaymentIntent: stripe.String(pi.ID), Amount: stripe.Int64(500), Reason: stripe.String("requested_by_customer"),
		Metadata: map[string]string{"refund": "r1"}})
	if err != nil || part.Status != "succeeded" || part.Amount != 500 || part.Metadata["refund"] != "r1" {
		t.Fatalf("in part: %+v %v", part, err)
	}
	f.checkBalance(1998 - 500)
	rest, err := f.api.Refunds.New(&stripe.RefundParams{Charge: stripe.String(pi.LatestCharge.ID)})
	if err != nil || rest.Amount != 1589 {
		t.Fatalf("the rest: %+v %v", rest, err)
	}
	if _, err := f.api.Refunds.New(&stripe.RefundParams{Charge: stripe.String(pi.LatestCharge.ID)}); stripeError(err).Code != stripe.ErrorCodeChargeAlreadyRefunded {
		t.Errorf("once more: %v", err)
	}
	p := &stripe.ChargeParams{}
	p.AddExpand("refunds.data.balance_transaction")
	ch, err := f.api.Charges.Get(pi.LatestCharge.ID, p)
	if err != nil || !ch.Refunded || ch.AmountRefunded != 2089 || len(ch.Refunds.Data) != 2 || ch.Refunds.Data[0].BalanceTransaction.Net != -1589 {
		t.Errorf("charge: %+v %v", ch, err)
	}
	f.checkBalance(-91)
	f.drain()
	for _, kind := range []string{"charge.refunded", "charge.refund.updated", "refund.updated"} {
		if n := len(slices.DeleteFunc(f.hook.types(), func(k string) bool { return k != kind })); n != 2 {
			t.Errorf("%d %s", n, kind)
		}
	}
}

func TestDisputes(t *testing.T) {
	for outcome, c := range map[string]struct {
		balance int64
		status  stripe.DisputeStatus
		event   string
	}{
		"won":  {1998, "won", "charge.dispute.funds_reinstated"},
		"lost": {1998 - 2089 - 1500, "lost", "charge.dispute.closed"},
	} {
		t.Run(outcome, func(t *testing.T) {
			f := start(t, stripefake.Options{})
			f.paid("4000000000000259")
			it := f.api.Disputes.List(nil)
			if !it.Next() {
				t.Fatal("no dispute", it.Err())
			}
			dp := it.Dispute()
			if dp.Status != "needs_response" || dp.Amount != 2089 || len(dp.BalanceTransactions) != 1 || dp.BalanceTransactions[0].Fee != 1500 ||
				dp.BalanceTransactions[0].ReportingCategory != "dispute" || dp.Reason != "fraudulent" {
				t.Errorf("opened: %+v", dp)
			}
			f.checkBalance(1998 - 2089 - 1500)
			if _, err := f.api.Refunds.New(&stripe.RefundParams{Charge: stripe.String(dp.Charge.ID)}); stripeError(err).Code != stripe.ErrorCodeChargeDisputed {
				t.Errorf("refund of a disputed charge: %v", err)
			}
			f.panel("dispute", `{"dispute":"`+dp.ID+`","outcome":"`+outcome+`"}`)
			if dp, _ = f.api.Disputes.Get(dp.ID, nil); dp.Status != c.status {
				t.Errorf("%s: %s", outcome, dp.Status)
			}
			f.checkBalance(c.balance)
			f.drain()
			if !slices.Contains(f.hook.types(), c.event) || !slices.Contains(f.hook.types(), "charge.dispute.funds_withdrawn") {
				t.Errorf("%s: %v", outcome, f.hook.types())
			}
		})
	}
}

func TestInquiryWithdrawsNothingUntilEscalated(t *testing.T) {
	f := start(t, stripefake.Options{})
	pi := f.paid("4242424242424242").PaymentIntent.ID
	f.panel("dispute", `{"payment_intent":"`+pi+`","inquiry":true}`)
	f.checkBalance(1998)
	it := f.api.Disputes.List(&stripe.DisputeListParams{PaymentIntent: stripe.String(pi)})
	if !it.Next() || it.Dispute().Status != "warning_needs_response" || !it.Dispute().IsChargeRefundable {
		t.Fatalf("inquiry: %+v", it.Dispute())
	}
	f.panel("dispute", `{"dispute":"`+it.Dispute().ID+`","outcome":"escalated"}`)
	f.checkBalance(1998 - 2089 - 1500)
}

func TestPayouts(t *testing.T) {
	f := start(t, stripefake.Options{})
	for range 3 {
		f.paid("4242424242424242")
	}
	f.Advance(49 * time.Hour)
	pi := f.paid("4242424242424242").PaymentIntent.ID // not available yet
	f.panel("refund", `{"payment_intent":"`+pi+`","amount":1000}`)
	f.panel("payout", `{"account":"tsne"}`)
	it := f.api.Payouts.List(nil)
	if !it.Next() || it.Payout().Amount != 3*1998-1000 || it.Payout().Status != "paid" {
		t.Fatalf("payout: %+v", it.Payout())
	}
	po := it.Payout()
	var sum int64
	for _, bt := range f.moves(po.ID) {
		sum += bt.Net
	}
	if n := len(f.moves(po.ID)); n != 5 || sum != 0 {
		t.Errorf("%d movements of the payout come to %d", n, sum)
	}
	f.checkBalance(1998)
	f.panel("payout", `{"payout":"`+po.ID+`","fail":true}`)
	f.checkBalance(1998 + 3*1998 - 1000)
	f.drain()
	for _, kind := range []string{"payout.created", "payout.paid", "payout.failed"} {
		if !slices.Contains(f.hook.types(), kind) {
			t.Errorf("no %s", kind)
		}
	}
}

func TestRefundCanFail(t *testing.T) {
	f := start(t, stripefake.Options{})
	pi := f.paid("4242424242424242").PaymentIntent
	re, err := f.api.Refunds.New(&stripe.RefundParams{PaymentIntent: stripe.String(pi.ID)})
	if err != nil {
		t.Fatal(err)
	}
	f.panel("refund", `{"refund":"`+re.ID+`","fail":true}`)
	f.checkBalance(1998)
	if ch, _ := f.api.Charges.Get(pi.LatestCharge.ID, nil); ch.Refunded || ch.AmountRefunded != 0 {
		t.Errorf("charge: %+v", ch)
	}
}

// TestPendingRefunds: a refund that waits for money has no balance transaction; one to a bank account is pending for days;
// either may fail.
func TestPendingRefunds(t *testing.T) {
	f := start(t, stripefake.Options{})
	pi := f.paid("4242424242424242").PaymentIntent
	if err := f.RefundsWait("tsne", true); err != nil || f.RefundsWait("nobody", true) == nil {
		t.Fatal(err)
	}
	refund := func(amount int64) *stripe.Refund {
		t.Helper()
		re, err := f.api.Refunds.New(&stripe.RefundParams{PaymentIntent: stripe.String(pi.ID), Amount: stripe.Int64(amount)})
		if err != nil || re.Status != "pending" || re.BalanceTransaction != nil {
			t.Fatalf("refund %+v: %v", re, err)
		}
		return re
	}
	failed, made := refund(1000), refund(500)
	f.checkBalance(1998)
	if err := f.FailRefund(failed.ID); err != nil {
		t.Fatal(err)
	}
	f.checkBalance(1998)
	if ch, _ := f.api.Charges.Get(pi.LatestCharge.ID, nil); ch.AmountRefunded != 500 {
		t.Errorf("charge: %+v", ch)
	}
	if err := f.RefundsWait("tsne", false); err != nil {
		t.Fatal(err)
	}
	f.checkBalance(1498)
	if re, _ := f.api.Refunds.Get(made.ID, nil); re.Status != "succeeded" || re.BalanceTransaction == nil {
		t.Errorf("refund: %+v", re)
	}
	if re, _ := f.api.Refunds.Get(failed.ID, nil); re.Status != "failed" || re.FailureBalanceTransaction != nil {
		t.Errorf("refund: %+v", re)
	}
}

func TestActionsInGo(t *testing.T) {
	f := start(t, stripefake.Options{})
	pi := f.paid("4242424242424242").PaymentIntent.ID
	re, err := f.Refund(pi, 89)
	if err != nil {
		t.Fatal(err)
	}
	f.checkBalance(1998 - 89)
	if err := f.FailRefund(re); err != nil || f.FailRefund(re) == nil {
		t.Errorf("a refund failed twice: %v", err)
	}
	dp, err := f.Dispute(pi, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.CloseDispute(dp, "won"); err != nil || f.CloseDispute(dp, "lost") == nil {
		t.Errorf("a dispute was closed twice: %v", err)
	}
	if id, err := f.AdjustBalance("tsne", "carrier_pigeon", "usd", -98); err != nil || f.moves("")[len(f.moves(""))-1].ID != id {
		t.Errorf("adjustment: %v", err)
	}
	f.checkBalance(1900)
	if _, err := f.Payout("tsne"); err == nil {
		t.Error("paid out before anything was available")
	}
	f.Advance(49 * time.Hour)
	ids, err := f.Payout("")
	if err != nil || len(ids) != 1 || f.FailPayout(ids[0]) != nil || f.FailPayout(ids[0]) == nil {
		t.Errorf("payouts %v: %v", ids, err)
	}
	f.checkBalance(1900)
	if _, err := f.Refund("pi_none", 0); err == nil {
		t.Error("a payment without money was refunded")
	}
	for _, card := range []string{"4000000000000341", "4000002500003155"} {
		f.paid(card)
	}
	declined := stripefake.GoodCard
	declined.Number = "4000000000009995"
	if err := f.Pay(f.open(gift()).ID, declined); err == nil {
		t.Error("a declined card paid")
	}
}
