package stripefake_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"konbit/internal/workshop/stripefake"
)

func TestPanelForScripts(t *testing.T) {
	f := start(t, stripefake.Options{})
	post := func(what, body string) (int, string) {
		res, err := http.Post(f.url+"/_sandbox/"+what, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(raw)
	}
	pi := f.paid("4242424242424242").PaymentIntent.ID
	other := f.paid("4242424242424242").PaymentIntent.ID
	f.paid("4242424242424242")
	event := f.api.Events.List(nil)
	event.Next()
	for _, c := range []struct {
		what, body string
		status     int
		says       string
	}{
		{"payout", `{}`, 409, "move the clock"},
		{"refund", `{"payment_intent":"` + pi + `","amount":500}`, 200, `"amount": 500`},
		{"refund", `{"payment_intent":"` + pi + `","amount":5000}`, 400, "greater than unrefunded"},
		{"refund", `{"payment_intent":"pi_none"}`, 404, "pi_none"},
		{"refund", `{"payment":"` + pi + `"}`, 400, "unknown field"},
		{"dispute", `{"payment_intent":"` + other + `"}`, 200, `"needs_response"`},
		{"dispute", `{"payment_intent":"` + other + `"}`, 400, "already"},
		{"clock", `{"advance":"720h"}`, 200, `"now"`},
		{"clock", `{"advance":"-1h"}`, 400, "does not go back"},
		{"payout", `{}`, 200, `"status": "paid"`},
		{"resend", `{"event":"` + event.Event().ID + `","times":10}`, 200, `"deliveries": 10`},
		{"resend", `{"event":"evt_none"}`, 404, "evt_none"},
		{"webhooks", `{"mode":"duplicate"}`, 200, "duplicate"},
		{"webhooks", `{"mode":"sideways"}`, 400, "sideways"},
		{"adjust", `{"account":"tsne","type":"stripe_fee","amount":-120}`, 200, `"stripe_fee"`},
		{"adjust", `{"account":"nobody","type":"stripe_fee","amount":-120}`, 400, "account"},
		{"faults", `{"rate":0.3,"kinds":["429","500","timeout","cut"]}`, 200, ""},
		{"faults", `{"rate":0}`, 200, ""},
		{"faults", `{"rate":1,"kinds":["flood"]}`, 400, "flood"},
	} {
		if status, body := post(c.what, c.body); status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s %s: %d %s", c.what, c.body, status, body)
		}
	}
	res, err := http.Get(f.url + "/_sandbox/state")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var state map[string]any
	if err := json.NewDecoder(res.Body).Decode(&state); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int{"charges": 3, "checkout_sessions": 3, "refunds": 1, "disputes": 1, "payouts": 1, "subscriptions": 0, "balance_transactions": 7} {
		list, ok := state[key].([]any)
		if !ok || len(list) != want {
			t.Fatalf("%d %s", len(list), key)
		}
		if want > 0 && list[0].(map[string]any)["account"] != "tsne" {
			t.Errorf("%s: the account is missing", key)
		}
	}
}

func TestPanelForPeople(t *testing.T) {
	f := start(t, stripefake.Options{})
	pi := f.paid("4242424242424242").PaymentIntent.ID
	page := func(method, address string, form url.Values, site string) (int, string) {
		req, _ := http.NewRequest(method, f.url+address, strings.NewReader(form.Encode()))
		req.Header.Set("Accept", "text/html")
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", site)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(raw)
	}
	refund := url.Values{"payment_intent": {pi}, "amount": {"500"}}
	if status, _ := page("POST", "/_sandbox/refund", refund, "cross-site"); status != http.StatusForbidden {
		t.Errorf("from another site: %d", status)
	}
	_, body := page("POST", "/_sandbox/refund", refund, "same-origin")
	contains(t, body, "refunded $5.00", pi, "charge.refunded")
	status, body := page("POST", "/_sandbox/refund", url.Values{"payment_intent": {pi}, "amount": {"99999"}}, "same-origin")
	if status != 400 {
		t.Errorf("a body that is too large: %d", status)
	}
	contains(t, body, `role="alert"`, "greater than unrefunded amount on charge ($15.89)")
	_, body = page("POST", "/_sandbox/faults", url.Values{"rate": {"0.3"}, "kinds": {"429", "cut"}}, "same-origin")
	contains(t, body, "<option selected>0.3</option>")
}

// TestPanelFindsAnOldEvent checks that an event can be found by its id and resent, however many newer events
// there are.
func TestPanelFindsAnOldEvent(t *testing.T) {
	f := start(t, stripefake.Options{})
	f.paid("4242424242424242")
	var first struct{ ID string }
	if err := json.Unmarshal(f.Events()[0], &first); err != nil {
		t.Fatal(err)
	}
	for range 12 {
		f.paid("4242424242424242")
	}
	page := func(query string) string {
		res, err := http.Get(f.url + "/_sandbox/" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, _ := io.ReadAll(res.Body)
		return string(raw)
	}
	again := `name="event" value="` + first.ID + `"><button`
	if strings.Contains(page(""), again) {
		t.Fatal("the event is among the newest, so the test proves nothing")
	}
	contains(t, page("?event="+first.ID), again)
	contains(t, page("?event=evt_nobody"), "No event is called evt_nobody.")
}
