package payoutlist_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/payoutlist"
)

const heading = "automatic_payout_id,balance_transaction_id,reporting_category,gross,fee,net,currency\n"

// TestReadReport: columns in any order with others between them, a byte order mark, quotes, CRLF, and currencies without minor units.
func TestReadReport(t *testing.T) {
	t.Parallel()
	want := []payoutlist.ReportRow{
		{Line: 2, PayoutRef: "po_1", TransactionID: "txn_1", Category: "charge", Gross: 123456, Fee: 88, Net: 123368, Currency: "USD"},
		{Line: 3, PayoutRef: "po_1", TransactionID: "txn_2", Category: "refund", Gross: -5, Net: -5, Currency: "USD"},
		{Line: 5, TransactionID: "txn_3", Category: "charge", Gross: 500, Fee: 18, Net: 482, Currency: "JPY"},
		{Line: 6, PayoutRef: "po_2", TransactionID: "txn_4", Category: "charge", Gross: 1250, Net: 1250, Currency: "ISK"},
	}
	for name, file := range map[string]string{
		"as Stripe writes it": heading + "po_1,txn_1,charge,1234.56,0.88,1233.68,usd\npo_1,txn_2,refund,-0.05,0.00,-0.05,usd\n\n,txn_3,charge,500,18,482,jpy\npo_2,txn_4,charge,12.5,0,12.50,isk\n",
		"another order, quoted": "\ufeff\"net\",\"Currency\",description,\"fee\",gross,reporting_category,balance_transaction_id,automatic_payout_id,customer_name\r\n" +
			"1233.68,\"usd\",\"a, b\",0.88,1234.56,charge,txn_1,po_1,Ana\r\n\"-0.05\",USD,,0,-0.05,Refund,txn_2,po_1,\"=1+1\"\r\n\r\n482.00,jpy,x,18.000,500,charge,txn_3,,\r\n12.50,ISK,x,0.00,12.500,charge,txn_4,po_2,\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := payoutlist.ReadReport(strings.NewReader(file))
			require.NoError(t, err)
			require.Equal(t, want, rows)
		})
	}
}

// TestReadReportRefuses: what cannot be read names the line and the cause, and nothing is returned.
func TestReadReportRefuses(t *testing.T) {
	t.Parallel()
	const row = "po_1,txn_1,charge,1.00,0.00,1.00,usd\n"
	for name, c := range map[string]struct {
		file string
		want payoutlist.ReportError
	}{
		"nothing":                       {"", payoutlist.ReportError{Why: "empty"}},
		"no heading":                    {row, payoutlist.ReportError{Line: 1, Why: "columns", Detail: "automatic_payout_id, balance_transaction_id, reporting_category, gross, fee, net, currency"}},
		"one column less":               {strings.Replace(heading, "fee,", "", 1), payoutlist.ReportError{Line: 1, Why: "columns", Detail: "fee"}},
		"semicolons":                    {strings.ReplaceAll(heading, ",", ";"), payoutlist.ReportError{Line: 1, Why: "columns", Detail: "automatic_payout_id, balance_transaction_id, reporting_category, gross, fee, net, currency"}},
		"a decimal comma":               {heading + row + `po_1,txn_2,charge,"1,00",0,1,usd`, payoutlist.ReportError{Line: 3, Why: "amount", Detail: `gross "1,00"`}},
		"a fraction of a cent":          {heading + "po_1,txn_2,charge,1.005,0,1,usd", payoutlist.ReportError{Line: 2, Why: "amount", Detail: `gross "1.005"`}},
		"a fraction of a yen":           {heading + "po_1,txn_2,charge,1,0,1.50,jpy", payoutlist.ReportError{Line: 2, Why: "amount", Detail: `net "1.50"`}},
		"a spreadsheet's number":        {heading + "po_1,txn_2,charge,1.2E+05,0,1,usd", payoutlist.ReportError{Line: 2, Why: "amount", Detail: `gross "1.2E+05"`}},
		"two signs":                     {heading + "po_1,txn_2,charge,--1,0,1,usd", payoutlist.ReportError{Line: 2, Why: "amount", Detail: `gross "--1"`}},
		"a number beyond all":           {heading + "po_1,txn_2,charge,92233720368547758080,0,1,usd", payoutlist.ReportError{Line: 2, Why: "amount", Detail: `gross "92233720368547758080"`}},
		"no amount":                     {heading + "po_1,txn_2,charge,1,,1,usd", payoutlist.ReportError{Line: 2, Why: "amount", Detail: `fee ""`}},
		"a row cut short":               {heading + row + "po_1,txn_2,charge,1", payoutlist.ReportError{Line: 3, Why: "currency", Detail: `""`}},
		"no transaction":                {heading + "po_1,,charge,1,0,1,usd", payoutlist.ReportError{Line: 2, Why: "transaction"}},
		"a quote that has no other one": {heading + row + `po_1,"txn_2,charge,1,0,1,usd`, payoutlist.ReportError{Line: 3, Why: "csv", Detail: `extraneous or missing " in quoted-field`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := payoutlist.ReadReport(strings.NewReader(c.file))
			var got *payoutlist.ReportError
			require.ErrorAs(t, err, &got)
			require.Equal(t, c.want, *got)
			require.Nil(t, rows)
			require.NotEmpty(t, got.Error())
		})
	}
}

// FuzzReadReport: no input makes it panic, and what it reads has a transaction and a currency.
func FuzzReadReport(f *testing.F) {
	f.Add([]byte(heading + "po_1,txn_1,charge,1234.56,0.88,1233.68,usd\n"))
	f.Add([]byte("\ufeff" + heading + "po_1,txn_1,charge,1,0,1,jpy\r\n\"\",\"\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		rows, err := payoutlist.ReadReport(strings.NewReader(string(file)))
		if err != nil && rows != nil {
			t.Error("rows beside an error")
		}
		for _, r := range rows {
			if r.TransactionID == "" || !r.Currency.Valid() || r.Line < 2 {
				t.Errorf("%+v", r)
			}
		}
	})
}
