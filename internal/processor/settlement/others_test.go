package settlement_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/source"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit/program"
)

// sell makes a payment of 30.00 as a shop on the same Stripe account does, and returns its payment intent. Keys are those of
// its metadata.
func sell(t *testing.T, h *program.Program, keys ...string) (intent string) {
	t.Helper()
	form := url.Values{
		"mode": {"payment"}, "success_url": {"https://shop.example/"}, "line_items[0][quantity]": {"1"}, "payment_method_types[0]": {"card"},
		"line_items[0][price_data][currency]": {"usd"}, "line_items[0][price_data][unit_amount]": {"3000"},
		"line_items[0][price_data][product_data][name]": {"A book"},
	}
	for _, k := range keys {
		form.Set("payment_intent_data[metadata]["+k+"]", "ana@example.org")
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, h.FakeURL+"/v1/checkout/sessions", strings.NewReader(form.Encode()))
	require.NoError(t, err)
	request.SetBasicAuth(program.StripeKeys["tsne"], "")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := program.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var made struct{ ID string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&made))
	require.NoError(t, h.Fake.Pay(made.ID, stripefake.GoodCard))
	intents := h.Fake.Objects("tsne", "payment_intent", 0)
	var newest struct{ ID string }
	require.NoError(t, json.Unmarshal(intents[len(intents)-1], &newest))
	return newest.ID
}

// TestShopOnTheSameStripeAccount: its payments are one task for each source, counted. When finance ignores the source, its
// later payments, with fees, refunds, disputes and payouts, are booked without a task, and the books equal Stripe's balance.
func TestShopOnTheSameStripeAccount(t *testing.T) {
	h := program.New(t, program.Options{})
	tasks := func() []string {
		return h.Lines(`SELECT concat_ws(' ', kind, subject, detail->>'payments', detail->>'amount') FROM finance_task ORDER BY 1`)
	}
	for range 3 {
		sell(t, h, "order_id", "site_url")
	}
	first := sell(t, h)
	deliver(h)
	settle(t, h)
	want := []string{"payment_without_gift metadata order_id, metadata site_url 3 90.00", "payment_without_gift no mark 1 30.00"}
	require.Equal(t, want, tasks())
	require.Zero(t, h.Count(`SELECT count(*) FROM payment_source WHERE source LIKE '%ana@%'`), "values of metadata are not kept")

	entity := h.Offer("csio").Entity
	mark, err := source.Mark("order_id", "")
	require.NoError(t, err)
	require.NoError(t, source.Choose(t.Context(), h.DB.Server, entity.ID, mark, true, "test", time.Now()))
	sold, returned, lost := sell(t, h, "order_id", "site_url"), sell(t, h, "order_id"), sell(t, h, "order_id")
	d := h.SettledGift(program.ValidForm())
	deliver(h)
	settle(t, h)
	_, err = h.Fake.Refund(returned, 0)
	require.NoError(t, err)
	dispute, err := h.Fake.DisputeAmount(lost, 3100, false)
	require.NoError(t, err)
	require.NoError(t, h.Fake.CloseDispute(dispute, "lost"))
	deliver(h)
	settle(t, h)
	require.Equal(t, want, tasks(), "nobody is asked about what is ignored")
	require.Equal(t, []string{"1 2000"}, receipts(h), "gifts are as ever")
	require.NotEmpty(t, h.Gift(d.ID).SettledAt)
	require.Contains(t, balances(h), "operations 1090 -12000", "suspense does not grow")
	fees := 3 * 117 // 2.9 % and 30 cents of 30.00
	require.Contains(t, balances(h), "operations 1095 "+strconv.Itoa(-(9000-fees)+3000+3100+1500))

	h.Fake.Advance(72 * time.Hour)
	_, err = h.Fake.Payout("tsne")
	require.NoError(t, err)
	deliver(h)
	settle(t, h)

	lines, err := source.List(t.Context(), h.DB.Server, nil, entity.ID)
	require.NoError(t, err)
	var counted []string
	for _, l := range lines {
		counted = append(counted, strings.Join([]string{l.Source, strconv.Itoa(l.Payments), l.Amount.String(), map[bool]string{true: "ignored"}[l.Ignored]}, "|"))
	}
	require.Equal(t, []string{"metadata order_id|2|60.00 USD|ignored", "metadata order_id, metadata site_url|3|90.00 USD|", "metadata order_id, metadata site_url|1|30.00 USD|ignored",
		"no mark|1|30.00 USD|"}, counted)

	// Not ignored any more: it is a task again. What came before stays where it is.
	require.NoError(t, source.Choose(t.Context(), h.DB.Server, entity.ID, mark, false, "test", time.Now()))
	sell(t, h, "order_id")
	_, err = h.Fake.Refund(sold, 0)
	require.NoError(t, err)
	_, err = h.Fake.Refund(first, 0)
	require.NoError(t, err)
	deliver(h)
	settle(t, h)
	require.Contains(t, tasks(), "payment_without_gift metadata order_id 1 30.00")
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM finance_task WHERE kind = 'movement_does_not_fit'`), "the refund of the payment in suspense")
}
