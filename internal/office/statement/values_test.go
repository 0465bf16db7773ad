package statement

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestValuesKeepTheirSpelling: jobs hold this kind, and issued statements hold these keys.
func TestValuesKeepTheirSpelling(t *testing.T) {
	require.Equal(t, "statement_letter", EmailJob{}.Kind())
	facts, err := json.Marshal(Facts{Gifts: []Gift{{N: 1, Of: 2, Funds: []FundPart{{}}, Returned: []Return{{}}}}, Sponsored: []string{""}})
	require.NoError(t, err)
	const amount = `{"minor":0,"currency":""}`
	require.JSONEq(t, `{"entity_slug":"","legal_name":"","ein":"","address":null,"mail_from":"","timezone":"","sponsored":[""],
		"gifts":[{"charged_on":"","receipt":"","organisation":"","funds":[{"fund":"","amount":`+amount+`}],"amount":`+amount+`,"n":1,"of":2,
		"returned":[{"on":"","amount":`+amount+`,"reason":""}]}],"given":`+amount+`,"returned":`+amount+`,"total":`+amount+`}`, string(facts))
	person, err := json.Marshal(Person{Address: []string{""}, OrganisationName: "Co-op"})
	require.NoError(t, err)
	require.JSONEq(t, `{"first_name":"","last_name":"","organisation_name":"Co-op","email":"","address":[""]}`, string(person))
}
