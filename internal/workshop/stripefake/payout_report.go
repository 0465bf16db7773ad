package stripefake

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"net/http"
	"strings"
	"time"
)

// reportColumns are the columns of Stripe's itemised payout reconciliation report
// (https://docs.stripe.com/reports/report-types/payout-reconciliation), in its order.
var reportColumns = []string{"automatic_payout_id", "automatic_payout_effective_at", "balance_transaction_id", "created", "available_on", "currency", "gross",
	"fee", "net", "reporting_category", "source_id", "description"}

// zeroDecimal are the currencies without minor units at Stripe (https://docs.stripe.com/currencies#zero-decimal).
const zeroDecimal = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"

// payoutReport answers with the payout reconciliation report: of one automatic payout, or of all of one account, or of all. As
// Stripe does, it lists what a payout pays out and not the payout itself.
func (s *Server) payoutReport(w http.ResponseWriter, r *http.Request) {
	report, err := s.PayoutReport(r.URL.Query().Get("payout"), r.URL.Query().Get("account"))
	if err != nil {
		reply(w, statusOf(err), object{"error": err.Error()})
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(report) // an error means that the reader has closed the connection
}

// PayoutReport returns the payout reconciliation report of an automatic payout; for an empty id of all payouts of an account, and for
// an empty account of all accounts.
func (s *Server) PayoutReport(id, account string) ([]byte, error) {
	s.mu.Lock()
	defer s.unlock()
	var b bytes.Buffer
	rows := csv.NewWriter(&b)
	_ = rows.Write(reportColumns) // a buffer takes every byte
	found := false
	for _, a := range s.accounts {
		for _, po := range a.collection("payout").items {
			if id != "" && po.str("id") != id || account != "" && account != a.Name {
				continue
			}
			found = true
			if po["automatic"] == false {
				if id != "" {
					return nil, &apiError{status: http.StatusBadRequest,
						message: "Stripe does not name what a manual or an instant payout pays out: there is no report of it"}
				}
				continue
			}
			a.reportPayout(rows, po)
		}
	}
	if id != "" && !found {
		return nil, &apiError{status: http.StatusNotFound, message: "no payout is called " + id}
	}
	rows.Flush()
	return b.Bytes(), nil
}

// reportPayout writes the rows of one automatic payout.
func (a *account) reportPayout(rows *csv.Writer, po object) {
	members, _ := a.get("payout.private", "private_"+po.str("id"))["members"].([]any)
	for _, member := range members {
		bt := a.get("balance_transaction", member.(string)) // ids are strings
		if bt == nil || bt.str("id") == po.str("balance_transaction") {
			continue
		}
		currency := bt.str("currency")
		_ = rows.Write([]string{
			po.str("id"), reportTime(po.num("arrival_date")), bt.str("id"), reportTime(bt.num("created")), reportTime(bt.num("available_on")), currency,
			majorUnits(bt.num("amount"), currency), majorUnits(bt.num("fee"), currency), majorUnits(bt.num("net"), currency), bt.str("reporting_category"),
			bt.str("source"), bt.str("description"),
		})
	}
}

func reportTime(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.DateTime) }

// majorUnits writes an amount of minor units as Stripe's reports do: "-0.50", and "500" in a currency without minor units.
func majorUnits(minor int64, currency string) string {
	sign, digits := "", ""
	if minor < 0 {
		sign, minor = "-", -minor
	}
	for ; minor > 0; minor /= 10 {
		digits = string(rune('0'+minor%10)) + digits
	}
	if strings.Contains(zeroDecimal, currency) {
		return sign + cmp.Or(digits, "0")
	}
	digits = strings.Repeat("0", max(0, 3-len(digits))) + digits
	return sign + digits[:len(digits)-2] + "." + digits[len(digits)-2:]
}
