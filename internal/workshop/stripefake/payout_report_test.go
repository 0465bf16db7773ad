package stripefake_test

import (
	"encoding/csv"
	"io"
	"net/http"
	"strings"
	"testing"

	"konbit/internal/workshop/stripefake"
)

// TestMajorUnits: amounts of a report are in major units, and those of a currency without minor units are whole.
func TestMajorUnits(t *testing.T) {
	for want, of := range map[string]struct {
		minor    int64
		currency string
	}{
		"20.00": {2000, "usd"}, "0.05": {5, "usd"}, "-0.50": {-50, "usd"}, "0.00": {0, "usd"}, "-1234.56": {-123456, "usd"}, "500": {500, "jpy"}, "-7": {-7, "krw"}, "0": {0, "jpy"},
	} {
		if got := stripefake.MajorUnits(of.minor, of.currency); got != want {
			t.Errorf("%d %s: %s, want %s", of.minor, of.currency, got, want)
		}
	}
}

// TestPayoutReport: the report lists what a payout pays out, each transaction once and not the payout itself. Of a manual payout
// there is none, as at Stripe.
func TestPayoutReport(t *testing.T) {
	f := start(t, stripefake.Options{})
	f.paid("4242424242424242")
	f.paid("4242424242424242")
	f.panel("clock", `{"advance":"72h"}`)
	sent, err := f.Payout("tsne")
	if err != nil || len(sent) != 1 {
		t.Fatal(sent, err)
	}
	get := func(query string) (int, string) {
		res, err := http.Get(f.url + "/_sandbox/payout_report" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return res.StatusCode, string(body)
	}
	status, body := get("?payout=" + sent[0])
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if status != http.StatusOK || err != nil || len(rows) != 3 {
		t.Fatal(status, err, body)
	}
	for _, row := range rows[1:] {
		if row[0] != sent[0] || row[5] != "usd" || row[9] != "charge" || !strings.HasPrefix(row[10], "ch_") {
			t.Error(row)
		}
	}
	if _, all := get(""); all != body {
		t.Error("the report of all payouts is another:", all)
	}
	f.paid("4242424242424242")
	manual, err := f.ManualPayout("tsne", 100, false)
	if err != nil {
		t.Fatal(err)
	}
	if status, body := get("?payout=" + manual); status != http.StatusBadRequest {
		t.Error("of a manual payout:", status, body)
	}
	if status, _ := get("?payout=po_none"); status != http.StatusNotFound {
		t.Error("a payout that does not exist:", status)
	}
}
