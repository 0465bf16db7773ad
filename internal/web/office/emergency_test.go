package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/visitor"
)

// TestEmergencyAccessReadsAndRepairsRoles asks for every page of the table of routes in an emergency access: each says that it is one,
// none can be had as a file, and the one form that does something gives the role admin alone (STAFF 14).
func TestEmergencyAccessReadsAndRepairsRoles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	token, _, err := visitor.Operator(w.Program).BreakGlass(t.Context(), "the admins are ill", time.Now())
	require.NoError(t, err)
	v := visitor.New(t, w.Program)
	got := v.Ask("POST", "/office/invitation", url.Values{"link": {w.URL + "/office/invitation#" + token}})
	require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
	session := v.TokenOn("/office/account")
	pages := 0
	for _, r := range w.Server.Routes() {
		if !strings.HasPrefix(r.Pattern, "/office") || r.Method != http.MethodGet || r.Pattern == "/office/setup" {
			continue
		}
		path := visitor.OfficePath(w.Program, r.Pattern, "tsne", "csio")
		if !strings.HasPrefix(r.Pattern, "/office/{entity}") {
			path = r.Pattern
		}
		require.NotEmpty(t, path, r.Pattern)
		w.Exec(`DELETE FROM guard_count`)
		for _, ask := range [][2]string{{path, "text/html"}, {path + "?format=csv", "text/html"}, {path + "?format=xlsx", "text/html"}, {path, "text/csv"}} {
			got := v.Ask("GET", ask[0], nil, "Accept: "+ask[1])
			require.NotEqual(t, http.StatusInternalServerError, got.StatusCode, ask)
			require.Empty(t, got.Header.Get("Content-Disposition"), ask)
			if got.StatusCode != http.StatusOK {
				continue
			}
			require.Contains(t, got.Header.Get("Content-Type"), "text/html", ask)
			if r.Pattern != "/office/sign-in" && r.Pattern != "/office/invitation" {
				require.Contains(t, got.Page, "Emergency access", ask)
				pages++
			}
		}
	}
	require.Greater(t, pages, 15)

	post := func(path string, form url.Values) visitor.Response {
		form.Set("session", session)
		form.Set("submission", uuid.NewString())
		return v.Ask("POST", path, form)
	}
	exports := w.Count(`SELECT count(*) FROM audit_entry WHERE act LIKE '%export%' OR act = 'dispute.evidence_read'`)
	require.Equal(t, http.StatusForbidden, post("/office/tsne/gifts/export", url.Values{"reason": {"x"}, "format": {"csv"}}).StatusCode)
	require.Equal(t, http.StatusForbidden, v.Ask("GET", visitor.OfficePath(w.Program, "/office/{entity}/disputes/{dispute}/evidence", "tsne", "csio"), nil).StatusCode)
	require.Equal(t, exports, w.Count(`SELECT count(*) FROM audit_entry WHERE act LIKE '%export%' OR act = 'dispute.evidence_read'`))

	before := visitor.TableHashes(t, w.Program)
	for _, r := range w.Server.Routes() {
		if path := visitor.OfficePath(w.Program, r.Pattern, "tsne", "csio"); r.Method == http.MethodPost && strings.HasPrefix(r.Pattern, "/office/{entity}") && !strings.HasSuffix(path, "/people") {
			require.NotContains(t, []int{200, 303}, post(path, url.Values{"do": {"approve"}, "reason": {"x"}}).StatusCode, path)
		}
	}
	invite := func(role string) visitor.Response {
		return post("/office/tsne/people", url.Values{"do": {"invite"}, "email": {"new@example.org"}, "name": {"New"}, "language": {"en"}, "role": {role}})
	}
	for _, role := range []string{"entry", "finance", "auditor"} {
		got := invite(role)
		require.Equal(t, http.StatusUnprocessableEntity, got.StatusCode, role)
		require.Contains(t, got.Page, "gives the role Admin only")
		require.Contains(t, got.Page, "Emergency access")
	}
	after := visitor.TableHashes(t, w.Program)
	for _, table := range []string{"staff_session", "guard_count"} {
		delete(before, table)
		delete(after, table)
	}
	require.Equal(t, before, after)
	require.Equal(t, http.StatusSeeOther, invite("admin").StatusCode)
	require.Equal(t, []string{"admin"}, w.Lines(`SELECT role FROM staff_role r JOIN staff m ON m.id = r.staff_id WHERE m.email = 'new@example.org'`))
	require.Equal(t, 2, w.Count(`SELECT count(*) FROM finance_task WHERE kind = 'staff_break_glass' AND detail ->> 'why' = 'the admins are ill' AND closed_at IS NULL`))
}
