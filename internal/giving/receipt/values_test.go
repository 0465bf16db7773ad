package receipt_test

import (
	"encoding/json"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/receipt"
)

// TestValuesKeepTheirSpelling: jobs hold these kinds, and rows of receipt_void these reasons.
func TestValuesKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{receipt.EmailJob{}.Kind(), "receipt_letter"},
		{receipt.VoidEmailJob{}.Kind(), "receipt_void_letter"},
		{string(receipt.Corrected), "correction"},
		{string(receipt.Refund), "refund"},
		{string(receipt.Dispute), "dispute"},
		{string(receipt.Reinstated), "reinstated"},
	} {
		t.Run(test.want, func(t *testing.T) {
			require.Equal(t, test.want, test.got)
		})
	}
}

// TestKeysKeepTheirSpelling: issued receipts hold these keys, jobs the key receipt_id. The functions erase_people and
// personless of the schema name some of them too.
func TestKeysKeepTheirSpelling(t *testing.T) {
	t.Parallel()
	const amount, paid = `{"minor":0,"currency":""}`, `{"minor":1,"currency":""}`
	const id = `"00000000-0000-0000-0000-000000000000"`
	const required = `"entity_slug":"","legal_name":"","ein":"","address":null,"mail_from":"","organisation":"","organisation_slug":"","accent":"",
		"sponsored":false,"first_name":"","last_name":"","email":"","amount":` + amount + `,"charged_on":"","timezone":"","charge_id":""`

	requireJSON(t, `{`+required+`,"lines":null}`, receipt.Facts{})

	all := receipt.Facts{DonorAddress: []string{""}, Lines: []receipt.Line{{}}, Dedicated: &receipt.Dedication{}, Returned: &receipt.Returned{}, Replaces: &receipt.Replaced{},
		Instalment: &receipt.Instalment{Of: 1, LastOn: "x", NextOn: "x"}, DonorOrganisation: "x", PaymentID: &uuid.UUID{}, Method: "x", NumberPrefix: "x"}
	all.Covered.Minor, all.Instalment.Sum.Minor = 1, 1
	requireJSON(t, `{`+required+`,"donor_address":[""],"lines":[{"fund_id":`+id+`,"fund":"","purpose":"","amount":`+amount+`}],"covered":`+paid+`,
		"dedicated":{"kind":"","name":""},"returned":{"charged":`+amount+`,"amount":`+amount+`,"on":""},
		"replaces":{"number":"","issued_at":"0001-01-01T00:00:00Z","reason":"","on":""},
		"instalment":{"plan":`+id+`,"plan_ref":"","n":0,"of":1,"frequency":"","each":`+amount+`,"sum":`+paid+`,"last_on":"x","next_on":"x"},
		"donor_organisation":"x","payment_id":`+id+`,"method":"x","receipt_prefix":"x"}`, all)

	requireJSON(t, `{"receipt_id":`+id+`}`, receipt.EmailJob{})
	requireJSON(t, `{"receipt_id":`+id+`}`, receipt.VoidEmailJob{})
}

func requireJSON(t *testing.T, want string, value any) {
	t.Helper()
	got, err := json.Marshal(value)
	require.NoError(t, err)
	require.JSONEq(t, want, string(got))
}
