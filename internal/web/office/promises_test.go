package office_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestT8StaffSessions: a session that was planted in the browser is not used after sign-in, and one that ended, by sign-out, a
// role's change, the account's end, an hour without use or twelve hours, opens no page.
func TestT8StaffSessions(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.NewMember(t, h, "ana@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	opens := func(cookie string) int {
		v := visitor.New(t, h)
		v.Cookies["konbit-staff"] = cookie
		return v.Ask("GET", "/office/account", nil).StatusCode
	}
	planted := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	m.Cookies["konbit-staff"] = planted
	m.SignIn()
	require.NotEqual(t, planted, m.Cookies["konbit-staff"])
	require.Equal(t, 401, opens(planted))
	another := &visitor.Member{Visitor: visitor.New(t, h), ID: m.ID, Email: m.Email, Key: m.Key}
	another.Cookies["konbit-staff"] = m.Cookies["konbit-staff"]
	for what, end := range map[string]func(){
		"sign-out":            func() { m.PostOffice("/office/sign-out", url.Values{}) },
		"another role":        func() { visitor.Invited(t, h, m.Email, staff.Entry, visitor.ScopeOf(t, h, "aina", "aina")) },
		"an hour without use": func() { h.Exec(`UPDATE staff_session SET seen_at = seen_at - interval '61 minutes'`) },
		"twelve hours":        func() { h.Exec(`UPDATE staff_session SET ends_at = ends_at - interval '12 hours'`) },
	} {
		m = &visitor.Member{Visitor: visitor.New(t, h), ID: m.ID, Email: m.Email, Key: m.Key}
		m.SignIn()
		cookie := m.Cookies["konbit-staff"]
		require.Equal(t, 200, opens(cookie), what)
		end()
		require.Equal(t, 401, opens(cookie), what)
	}
	m.SignIn()
	require.NoError(t, visitor.Operator(h).Disable(t.Context(), m.ID, "left"))
	require.Equal(t, 401, opens(m.Cookies["konbit-staff"]), "disabled")
}

// TestT20NothingOfStaffInLogs: the program's log has no password, code, secret, recovery code, session, link, name or address of
// staff, whatever they set up, typed wrong or searched for.
func TestT20NothingOfStaffInLogs(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.NewMember(t, h, "canary-address@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	code := m.Code()
	secrets := []string{"canary", "Canary", visitor.StaffPassword, strings.ReplaceAll(m.Key, " ", ""), m.Codes[0], m.Cookies["konbit-staff"], "wrong-canary"}
	m.Ask("POST", "/office/sign-in", url.Values{"email": {m.Email}, "password": {"wrong-canary"}, "code": {code}})
	m.SignIn()
	secrets = append(secrets, m.Cookies["konbit-staff"])
	m.PostOffice("/office/tsne/people", url.Values{"do": {"invite"}, "email": {"canary-new@example.org"}, "name": {"Canary\nlevel=ERROR msg=forged"}, "role": {"entry"}, "language": {"en"}})
	m.Ask("GET", "/office/tsne/audit?object=canary&person=canary&from=canary", nil)
	m.Ask("POST", "/office/invitation", url.Values{"link": {"canary-link"}})
	log := h.Log.String()
	require.Contains(t, log, "/office/sign-in", "the log is read")
	for _, secret := range secrets {
		assert.NotContains(t, log, secret)
	}
	assert.NotContains(t, log, "msg=forged")
}

// TestT23NoStaffRouteWithoutASecondFactor: no route of staff opens with the password alone, with a session of an invitation
// before its first factor, or without a session; the pages of the set-up open with the invitation only.
func TestT23NoStaffRouteWithoutASecondFactor(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	password := visitor.New(t, h)
	p := office.Add(t, h.DB.Owner, "ana", office.Role{Role: "admin", Entity: "tsne"}, office.Role{Role: "finance", Entity: "tsne"})
	p.SignInWithPassword(t)
	password.Cookies["konbit-staff"] = p.Cookie
	invited := visitor.Invited(t, h, "bea@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	asked := 0
	for _, r := range h.Server.Routes() {
		if !strings.HasPrefix(r.Permission, "staff") {
			continue
		}
		path := strings.NewReplacer("{entity}", "tsne").Replace(r.Pattern)
		path = visitor.OfficeParameter.ReplaceAllString(path, "/$1/AAAAAAAAAAAAAAAAAAAAAA")
		var form url.Values
		if r.Method == http.MethodPost {
			form = url.Values{"do": {"x"}}
		}
		for who, v := range map[string]*visitor.Visitor{"password": password, "nobody": visitor.New(t, h), "invited": invited.Visitor} {
			if who == "invited" && r.Permission == "staff: setup" {
				continue
			}
			asked++
			got := v.Ask(r.Method, path, form)
			assert.Equal(t, 401, got.StatusCode, "%s %s as %s", r.Method, r.Pattern, who)
			assert.NotContains(t, got.Page, "office-nav", "%s %s as %s", r.Method, r.Pattern, who)
		}
	}
	require.Greater(t, asked, 20)
}
