package mailcatch

import (
	"encoding/base32"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// staff are two invented logins. The secret of the first is that of RFC 6238, appendix B.
var staff = []Login{
	{Email: "fe@staff.example", Role: "finance", Entity: "tsne", Password: "correct horse 7 battery",
		Secret: base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))},
	{Email: "rui@staff.example", Role: "entry", Entity: "tsne", Org: "csio", Password: "mangrove 4 tide <b>", Secret: "JBSWY3DPEHPK3PXP"},
}

func TestAuthenticatorShowsTheCodesOfRFC6238(t *testing.T) {
	now := time.Unix(59, 0)
	s := catcher(t, Options{Now: func() time.Time { return now }})
	require.JSONEq(t, `[]`, get(t, s, "/authenticator.json").Body.String())
	require.Contains(t, get(t, s, "/authenticator").Body.String(), "no staff")
	require.NoError(t, s.SetLogins(staff))

	for at, want := range map[int64]struct {
		code string
		left int
	}{59: {"287082", 1}, 60: {"359152", 30}, 1111111109: {"081804", 1}, 1234567890: {"005924", 30}, 20000000000: {"353130", 10}} {
		now = time.Unix(at, 0)
		var list []map[string]any
		require.NoError(t, json.Unmarshal(get(t, s, "/authenticator.json").Body.Bytes(), &list))
		require.Len(t, list, 2)
		require.Equal(t, map[string]any{
			"email": "fe@staff.example", "role": "finance", "entity": "tsne", "org": "", "password": "correct horse 7 battery",
			"code": want.code, "seconds_left": float64(want.left),
		}, list[0])
		page := get(t, s, "/authenticator").Body.String()
		require.Contains(t, page, want.code)
		require.Contains(t, page, "entry · csio")
		require.Contains(t, page, "mangrove 4 tide &lt;b&gt;")
	}
	require.ErrorContains(t, s.SetLogins([]Login{{Email: "x@staff.example", Secret: "not base32!"}}), "x@staff.example")
}
