package webhook

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWithoutPerson: fields that name a person become null; every other byte stays.
func TestWithoutPerson(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ payload, want string }{
		"nothing personal": {`{ "id":"evt_1",  "amount": 1.50e3, "data":{"object":{"id":"ch_1"}} } `, ""},
		"fields":           {`{"email":"a@b.c","id":"cus_1", "name" : "Ana" ,"phone":null}`, `{"email":null,"id":"cus_1", "name" : null ,"phone":null}`},
		"objects":          {`{"billing_details":{"name":"Ana","x":[1,{"y":2}]},"id":1}`, `{"billing_details":null,"id":1}`},
		"in a list":        {`[{"last4":"4242"},{"metadata":{"donation":"d"}}]`, `[{"last4":null},{"metadata":{"donation":"d"}}]`},
		"endings":          {`{"receipt_email":"a@b.c","customer_name":"Ana","customer_address":{},"customer":"cus_1"}`, `{"receipt_email":null,"customer_name":null,"customer_address":null,"customer":"cus_1"}`},
		"escaped":          {`{"\u0065mail":"a@b.c"}`, `{"\u0065mail":null}`},
		"twice":            {`{"email":"a","email":"b"}`, `{"email":null,"email":null}`},
		"a number":         {`7`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := test.want
			if want == "" {
				want = test.payload
			}
			require.Equal(t, want, string(withoutPerson([]byte(test.payload))))
		})
	}
	for _, broken := range []string{``, `{`, `{"email":`, `{"email"}`, `[1,`, `x`} {
		require.Nil(t, withoutPerson([]byte(broken)), broken)
	}
}

// TestWithoutPersonOfStripesObjects reads the objects that Stripe's documentation shows, filled with a person's data.
func TestWithoutPersonOfStripesObjects(t *testing.T) {
	t.Parallel()
	payload, err := os.ReadFile("testdata/person.json")
	require.NoError(t, err)
	got := withoutPerson(payload)
	require.True(t, json.Valid(got))
	for _, word := range []string{"Canaria", "canary", "Vogelsang", "4242", "5550123", "Lane", "02111", "@"} {
		assert.Contains(t, string(payload), word, "the file has it")
		assert.NotContains(t, string(got), word)
	}
	for _, id := range []string{"ch_3Canary", "pi_3Canary", "cus_Canary", "in_1Canary", "d0e4", "us_bank_account", "2000"} {
		assert.Contains(t, string(got), id)
	}
	require.Less(t, strings.Count(string(got), "null"), 60)
}
