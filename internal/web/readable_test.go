package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestWhatIsNoTextIsRefused: a NUL or bytes that are not UTF-8 in a path or a form never fail: 404 for a path, 422 with words
// for a form of the office. Every route is asked.
func TestWhatIsNoTextIsRefused(t *testing.T) {
	t.Parallel()
	e := visitor.NewTwoDonors(t)
	members := []*visitor.Member{
		visitor.NewMember(t, e.Program, "fay@example.org", staff.Finance, visitor.ScopeOf(t, e.Program, "tsne", "")),
		visitor.NewMember(t, e.Program, "ada@example.org", staff.Admin, visitor.ScopeOf(t, e.Program, "tsne", "")),
	}
	names := []string{"text", "note", "reason", "why", "q", "email", "first_name", "last_name", "do", "id", "on", "submission", "hash", "code", "month", "part[general]",
		"link", "name", "role", "address_line1", "city", "months", "amount", "fund", "account", "format", "after", "version", "org", "password"}
	asked, token := 0, e.Ana.Token()
	for _, r := range routes(t, e.Program) {
		if r.Method == "*" || strings.HasSuffix(r.Pattern, "/sign-out") {
			continue
		}
		for _, bad := range []string{"\x00", "\xff", "a\x00b", "\xed\xa0\x80"} {
			ask := func(path string, form url.Values) (all []visitor.Response) {
				if !r.isStaffs() {
					return []visitor.Response{e.Ana.Ask(r.Method, path, form)}
				}
				for _, m := range members {
					all = append(all, m.Ask(r.Method, path, form))
				}
				return all
			}
			posted := func() url.Values {
				if !r.writes() {
					return nil
				}
				return url.Values{"session": {token}}
			}
			if strings.Contains(r.Pattern, "{") {
				path := parameter.ReplaceAllLiteralString(strings.Replace(r.Pattern, "*", "x", 1), url.PathEscape(bad))
				for _, got := range ask(path, posted()) {
					require.Equal(t, http.StatusNotFound, got.StatusCode, "%s %q", r.name(), bad)
					asked++
				}
			}
			values := url.Values{}
			for _, name := range names {
				values.Set(name, bad)
			}
			path := r.path(missing)
			if r.writes() {
				values.Set("session", token)
			} else {
				path += "?" + values.Encode()
				values = nil
			}
			for _, got := range ask(path, values) {
				require.Less(t, got.StatusCode, 500, "%s %q", r.name(), bad)
				if strings.HasPrefix(r.Pattern, "/office") {
					assert.Contains(t, []int{http.StatusNotFound, http.StatusUnprocessableEntity}, got.StatusCode, "%s %q", r.name(), bad)
				}
				asked++
			}
		}
	}
	require.Greater(t, asked, 500)
	fay := members[0]
	gift := e.Lines(`SELECT public_ref FROM donation ORDER BY created_at LIMIT 1`)[0]
	for _, path := range []string{"/notes", "/gifts/" + gift + "/refund"} {
		for _, bad := range []string{"\x00", "\xff"} {
			got := fay.PostOffice("/office/tsne"+path, url.Values{
				"text": {"Ana phoned" + bad}, "note": {"Ana phoned" + bad}, "submission": {program.NewID().String()}, "on": {"gift"},
				"id": {e.Lines(`SELECT id::text FROM donation ORDER BY created_at LIMIT 1`)[0]}, "part[general]": {"1.00"}, "reason": {"mistake"},
			})
			require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, path)
			assert.Contains(t, got.Page, "control character", path)
			assert.Contains(t, got.Page, "Ana phoned", fmt.Sprintf("%s: what was typed stays", path))
			assert.NotContains(t, got.Page, "at most 500", path)
		}
	}
}
