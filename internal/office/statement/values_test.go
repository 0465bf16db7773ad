package statement_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/office/statement"
)

// TestValuesKeepTheirSpelling: jobs hold this kind, and issued statements hold these keys.
func TestValuesKeepTheirSpelling(t *testing.T) {
	require.Equal(t, "statement_letter", statement.EmailJob{}.Kind())
	facts, err := json.Marshal(statement.Facts{Gifts: []statement.Gift{{N: 1, Of: 2, Funds: []statement.FundPart{{}}, Returned: []statement.Return{{}}}}, Sponsored: []string{""}})
	require.NoError(t, err)
	const amount = `{"minor":0,"currency":""}`
	require.JSONEq(t, `{"entity_slug":"","legal_name":"","ein":"","address":null,"mail_from":"","timezone":"","sponsored":[""],
		"gifts":[{"charged_on":"","receipt":"","organisation":"","funds":[{"fund":"","amount":`+amount+`}],"amount":`+amount+`,"n":1,"of":2,
		"returned":[{"on":"","amount":`+amount+`,"reason":""}]}],"given":`+amount+`,"returned":`+amount+`,"total":`+amount+`}`, string(facts))
	person, err := json.Marshal(statement.Person{Address: []string{""}, OrganisationName: "Co-op"})
	require.NoError(t, err)
	require.JSONEq(t, `{"first_name":"","last_name":"","organisation_name":"Co-op","email":"","address":[""]}`, string(person))
}
