package webhook

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
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
		"numbers":          {`{"phone": 7 ,"email":true}`, `{"phone": null ,"email":null}`},
		"a text":           {`{"id":"email", "x":["name:",":"], "y":"\"email\":1"}`, ""},
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
	for _, broken := range []string{``, `{`, `{"email":`, `{"email"}`, `[1,`, `x`, `{}{}`} {
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

// TestWithoutPersonOfAnyJSON compares with fields removed from the decoded value.
func TestWithoutPersonOfAnyJSON(t *testing.T) {
	t.Parallel()
	names := []string{"id", "email", "customer_name", "amount", "last4", "na\"me", "name", "x:", "é_email"}
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 5))
		var value func(depth int) any
		value = func(depth int) any {
			switch n := r.IntN(7); {
			case n < 2 && depth < 5:
				object := map[string]any{}
				for range r.IntN(4) {
					object[names[r.IntN(len(names))]] = value(depth + 1)
				}
				return object
			case n == 2 && depth < 5:
				list := []any{}
				for range r.IntN(4) {
					list = append(list, value(depth+1))
				}
				return list
			case n < 5:
				return []any{"a\\\"b", "email", "}", "", "[1,2", "Ana: {"}[r.IntN(6)]
			}
			return []any{1.5e9, -3.0, true, nil}[r.IntN(4)]
		}
		whole := value(0)
		payload, err := json.Marshal(whole)
		require.NoError(t, err)
		if seed%2 == 0 {
			payload, err = json.MarshalIndent(whole, " ", "\t")
			require.NoError(t, err)
		}
		var got any
		require.NoError(t, json.Unmarshal(withoutPerson(payload), &got), "%s", payload)
		require.Equal(t, cleared(whole), got, "%s", payload)
	}
}

// cleared returns a decoded value with nil for each personal field.
func cleared(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name := range v {
			if slices.Contains(personal, name) || slices.ContainsFunc(personalEndings, func(e string) bool { return strings.HasSuffix(name, e) }) {
				v[name] = nil
			} else {
				v[name] = cleared(v[name])
			}
		}
	case []any:
		for i := range v {
			v[i] = cleared(v[i])
		}
	}
	return value
}
