package office_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestFromInvitationToScope: the pages lead from the link of an invitation to the first page of the only scope; the codes are
// shown once; the link works once.
func TestFromInvitationToScope(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.Invited(t, h, "ana@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	for _, page := range []string{"/office", "/office/account", "/office/tsne"} {
		require.Equal(t, 401, m.Ask("GET", page, nil).StatusCode, "%s before a factor is set up", page)
	}
	got := m.Ask("GET", "/office/setup", nil)
	require.Equal(t, 200, got.StatusCode)
	require.NotContains(t, got.Page, "passkey-button", "passkeys do not work at a number")
	token := m.TokenOn("/office/setup")
	post := func(form url.Values) visitor.Response {
		form.Set("session", token)
		return m.Ask("POST", "/office/setup", form)
	}
	for password, says := range map[string]string{"short": "at least 8", "password1": "easy to guess", "ana@example.org": "easy to guess", strings.Repeat("a1-", 50): "at most 128"} {
		got = post(url.Values{"do": {"password"}, "new_password": {password}})
		require.Equal(t, 422, got.StatusCode, password)
		require.Contains(t, got.Page, says)
		require.NotContains(t, got.Page, `value="`+password)
	}
	got = post(url.Values{"do": {"password"}, "new_password": {visitor.StaffPassword}})
	require.Equal(t, 200, got.StatusCode, got.Page)
	require.Contains(t, got.Page, `<svg class="qr"`)
	m.Key = regexp.MustCompile(`id="key">([A-Z2-7 ]+)<`).FindStringSubmatch(got.Page)[1]
	require.Equal(t, 422, post(url.Values{"do": {"code"}, "code": {"000000"}}).StatusCode)
	got = post(url.Values{"do": {"code"}, "code": {m.Code()}})
	require.Equal(t, 200, got.StatusCode)
	require.Len(t, regexp.MustCompile(`<li>[0-9]-`).FindAllString(got.Page, -1), 10)

	got = m.Ask("GET", "/office", nil)
	require.Equal(t, 303, got.StatusCode)
	require.Equal(t, "/office/tsne", got.Header.Get("Location"))
	got = m.Ask("GET", "/office/tsne", nil)
	require.Equal(t, 200, got.StatusCode)
	require.Contains(t, got.Page, "Finance")
	require.Contains(t, got.Page, "TSNE MissionWorks")
	require.NotContains(t, got.Page, "/people", "not for finance")
	require.Contains(t, m.Ask("GET", "/office/tsne?lang=es", nil).Page, "Finanzas")
	require.Contains(t, got.Header.Get("Cache-Control"), "no-store")

	other := visitor.New(t, h)
	for _, wrong := range []string{"", "x", "#"} {
		require.Equal(t, 422, other.Ask("POST", "/office/invitation", url.Values{"link": {wrong}}).StatusCode)
	}
}

// TestSignInAndOut: password and code open a session; sign-out ends it and clears the browser; a page that needs a session
// asks for it and is shown afterwards.
func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.NewMember(t, h, "ana@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	got := m.PostOffice("/office/sign-out", url.Values{})
	require.Equal(t, 303, got.StatusCode)
	require.Contains(t, got.Header.Get("Clear-Site-Data"), "cache")
	require.Empty(t, m.Cookies["konbit-staff"])
	got = m.Ask("GET", "/office/tsne/people", nil)
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.Page, `name="next" value="/office/tsne/people"`)
	form := url.Values{"email": {m.Email}, "password": {visitor.StaffPassword}, "code": {"000000"}, "next": {"/office/tsne/people"}}
	got = m.Ask("POST", "/office/sign-in", form)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, `value="ana@example.org"`)
	require.NotContains(t, got.Page, visitor.StaffPassword)
	form.Set("code", m.Code())
	got = m.Ask("POST", "/office/sign-in", form)
	require.Equal(t, 303, got.StatusCode)
	require.Equal(t, "/office/tsne/people", got.Header.Get("Location"))
	cookie := got.Cookies()[slices.IndexFunc(got.Cookies(), func(c *http.Cookie) bool { return c.Name == "konbit-staff" })]
	require.Equal(t, http.SameSiteStrictMode, cookie.SameSite)
	require.Equal(t, 303, m.Ask("GET", "/office/sign-in", nil).StatusCode, "signed in already")
	for _, elsewhere := range []string{"https://evil.example/office", "//evil.example/office", "/portal", "/office/../portal", "/officer", "javascript:alert(1)"} {
		form.Set("next", elsewhere)
		form.Set("code", m.Code())
		require.Equal(t, "/office", m.Ask("POST", "/office/sign-in", form).Header.Get("Location"), elsewhere)
	}
	got = visitor.New(t, h).Ask("GET", "/office/tsne", nil, "Sec-Fetch-Site: cross-site")
	require.Equal(t, "0", got.Header.Get("Refresh"), "a link of an email: the page loads itself again, with the cookie")
}

// TestNeitherCookieOpensTheOthersPages: a donor's session opens no page of staff, and a staff session none of donors (STAFF 1).
func TestNeitherCookieOpensTheOthersPages(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	donor := visitor.New(t, h).SignIn("ana@example.org")
	m := visitor.NewMember(t, h, "ana@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	visitor.Invited(t, h, m.Email, staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	m.SignIn() // the role ended the session
	swapped := func(from *visitor.Visitor, name, as string) *visitor.Visitor {
		v := visitor.New(t, h)
		v.Cookies[as] = from.Cookies[name]
		require.NotEmpty(t, v.Cookies[as])
		return v
	}
	opened := 0
	for _, r := range h.Server.Routes() {
		path := strings.NewReplacer("{entity}", "tsne").Replace(r.Pattern)
		if r.Method != http.MethodGet || strings.ContainsAny(path, "{*") {
			continue
		}
		switch {
		case strings.HasPrefix(r.Permission, "staff"):
			opened++
			assert.Contains(t, []int{200, 303}, m.Ask("GET", path, nil).StatusCode, path)
			for _, v := range []*visitor.Visitor{donor, swapped(donor, "konbit-session", "konbit-staff")} {
				assert.Equal(t, 401, v.Ask("GET", path, nil).StatusCode, path)
			}
		case r.Permission == "donor's session":
			opened++
			for _, v := range []*visitor.Visitor{m.Visitor, swapped(m.Visitor, "konbit-staff", "konbit-session")} {
				assert.Equal(t, 401, v.Ask("GET", path, nil).StatusCode, path)
			}
		}
	}
	require.Greater(t, opened, 8)
}

// TestPeople: an admin sees who holds which role since when and by whom, and invites, ends and resets after a fresh factor,
// which the page asks for in place.
func TestPeople(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	boss := visitor.NewMember(t, h, "boss@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	page := boss.Ask("GET", "/office/tsne/people", nil)
	require.Equal(t, 200, page.StatusCode)
	require.Contains(t, page.Page, "granted by the operator")
	invite := func() url.Values {
		return url.Values{"do": {"invite"}, "email": {"Ana@example.org"}, "name": {"Ana Pérez"}, "language": {"es"}, "role": {"finance"}, "organisation": {"csio"}}
	}
	boss.Stale()
	got := boss.PostOffice("/office/tsne/people", invite())
	require.Equal(t, 200, got.StatusCode, "it asks for a code, and nothing is wrong yet")
	require.Contains(t, got.Page, `id="confirm"`)
	require.NotContains(t, got.Page, `class="error"`)
	require.NotContains(t, got.Page, "aria-invalid")
	form := invite()
	form.Set("code", "")
	require.Contains(t, boss.PostOffice("/office/tsne/people", form).Page, "Type a code")
	form.Set("email", "bad")
	form.Del("code")
	bad := boss.PostOffice("/office/tsne/people", form)
	require.Equal(t, 422, bad.StatusCode)
	require.Contains(t, bad.Page, `id="email-error"`)
	require.NotContains(t, bad.Page, `id="confirm"`, "first what is wrong")
	require.Contains(t, got.Page, `value="Ana@example.org"`)
	require.Zero(t, h.Count(`SELECT count(*) FROM staff WHERE email = 'ana@example.org'`))
	form = invite()
	form.Set("code", "000000")
	require.Equal(t, 422, boss.PostOffice("/office/tsne/people", form).StatusCode)
	form.Set("code", boss.Code())
	got = boss.PostOffice("/office/tsne/people", form)
	require.Equal(t, 303, got.StatusCode, got.Page)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM staff_role r JOIN staff m ON m.id = r.staff_id JOIN organisation o ON o.id = r.organisation_id
		WHERE m.email = 'ana@example.org' AND r.role = 'finance' AND o.slug = 'csio' AND r.granted_by = $1`, boss.ID))
	page = boss.Ask("GET", got.Header.Get("Location"), nil)
	require.Contains(t, page.Page, "Ana Pérez")
	require.Contains(t, page.Page, "granted by Boss")
	require.Contains(t, page.Page, "not set up yet")
	require.Equal(t, 422, boss.PostOffice("/office/tsne/people", invite()).StatusCode, "the role is held already")

	ana := h.Lines(`SELECT id::text FROM staff WHERE email = 'ana@example.org'`)[0]
	require.Equal(t, 303, boss.PostOffice("/office/tsne/people", url.Values{"do": {"invite-again"}, "person": {ana}}).StatusCode)
	require.Equal(t, 303, boss.PostOffice("/office/tsne/people", url.Values{"do": {"end"}, "person": {ana}, "role": {"finance"}, "organisation": {"csio"}}).StatusCode)
	require.Zero(t, h.Count(`SELECT count(*) FROM staff_role WHERE staff_id = $1 AND ended_at IS NULL`, ana))
	got = boss.PostOffice("/office/tsne/people", url.Values{"do": {"end"}, "person": {ana}, "role": {"finance"}, "organisation": {"csio"}})
	require.Equal(t, 303, got.StatusCode, "the same form again: %s", got.Page)
	require.Contains(t, got.Header.Get("Location"), "said=ended")
	held := visitor.NewMember(t, h, "held@example.org", staff.Entry, visitor.ScopeOf(t, h, "tsne", ""))
	visitor.NewMember(t, h, "boss2@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	got = boss.PostOffice("/office/tsne/people", url.Values{"do": {"end"}, "person": {held.ID.String()}, "role": {"admin"}})
	require.Equal(t, 422, got.StatusCode, "a role that the person never had")
	require.Contains(t, got.Page, "does not have this role here")
	require.Zero(t, h.Count(`SELECT count(*) FROM approval_request`))
	stranger := visitor.NewMember(t, h, "stranger@example.org", staff.Entry, visitor.ScopeOf(t, h, "aina", ""))
	require.Equal(t, 404, boss.PostOffice("/office/tsne/people", url.Values{"do": {"end"}, "person": {stranger.ID.String()}, "role": {"entry"}}).StatusCode)
	require.Equal(t, 404, boss.PostOffice("/office/tsne/people", url.Values{"do": {"end-sessions"}, "person": {ana}}).StatusCode, "she holds no role here any more")
	got = boss.PostOffice("/office/tsne/people", url.Values{"do": {"end"}, "person": {boss.ID.String()}, "role": {"admin"}})
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "Nobody changes a role of their own")
	for _, role := range []staff.RoleName{staff.Entry, staff.Finance} {
		other := visitor.NewMember(t, h, string(role)+"@example.org", role, visitor.ScopeOf(t, h, "tsne", ""))
		require.Equal(t, 404, other.Ask("GET", "/office/tsne/people", nil).StatusCode)
	}
	auditor := visitor.NewMember(t, h, "auditor@example.org", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	page = auditor.Ask("GET", "/office/tsne/people", nil)
	require.Equal(t, 200, page.StatusCode)
	require.NotContains(t, page.Page, "<select")
	require.Equal(t, 404, auditor.PostOffice("/office/tsne/people", invite()).StatusCode)
}

// TestAccount: a person sees their ways to sign in and their sessions, ends a session, and changes a way after a fresh factor.
func TestAccount(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.NewMember(t, h, "ana@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	first := &visitor.Member{Visitor: visitor.New(t, h), ID: m.ID, Email: m.Email, Key: m.Key}
	first.Cookies["konbit-staff"] = m.Cookies["konbit-staff"]
	delete(m.Cookies, "konbit-staff") // another browser
	m.SignIn()
	page := m.Ask("GET", "/office/account", nil).Page
	require.Contains(t, page, "10 recovery codes left")
	device := regexp.MustCompile(`name="device" value="([^"]+)"`).FindStringSubmatch(page)
	require.NotNil(t, device, "the other session")
	require.Equal(t, 303, m.PostOffice("/office/account", url.Values{"do": {"end-session"}, "device": {device[1]}}).StatusCode)
	require.Equal(t, 401, first.Ask("GET", "/office/account", nil).StatusCode)
	got := m.PostOffice("/office/account", url.Values{"do": {"remove-code"}})
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "only way in which you can sign in")
	m.Stale()
	got = m.PostOffice("/office/setup", url.Values{"do": {"codes"}})
	require.Equal(t, "/office/account", got.Header.Get("Location"), "it asks for a factor there")
	require.Equal(t, 422, m.PostOffice("/office/account", url.Values{"do": {"confirm"}}).StatusCode)
	require.Equal(t, 303, m.PostOffice("/office/account", url.Values{"do": {"confirm"}, "code": {m.Code()}}).StatusCode)
	got = m.PostOffice("/office/setup", url.Values{"do": {"codes"}})
	require.Equal(t, 200, got.StatusCode)
	require.NotContains(t, got.Page, m.Codes[0])

	// A recovery code in place of the code.
	fresh := regexp.MustCompile(`<li>([0-9](?:-[a-z2-7]{4}){4})</li>`).FindStringSubmatch(got.Page)[1]
	delete(m.Cookies, "konbit-staff")
	got = m.Ask("POST", "/office/sign-in", url.Values{"email": {m.Email}, "password": {visitor.StaffPassword}, "code": {strings.ToUpper(fresh)}})
	require.Equal(t, 303, got.StatusCode, got.Page)
	require.Equal(t, "/office/account", m.Ask("GET", "/office", nil).Header.Get("Location"))
	require.Contains(t, m.Ask("GET", "/office/account", nil).Page, "You signed in with a recovery code")
}

// TestForeignScopes: every page of a scope is 404 for staff of another, the same as for one that does not exist (STAFF 17).
func TestForeignScopes(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	var members []*visitor.Member
	for i, role := range staff.RoleNames {
		scope := visitor.ScopeOf(t, h, "aina", []string{"", "aina"}[i%2])
		members = append(members, visitor.NewMember(t, h, string(role)+"@example.org", role, scope))
	}
	asked := 0
	for _, r := range h.Server.Routes() {
		if !strings.HasPrefix(r.Pattern, "/office/{entity}") {
			continue
		}
		for _, m := range members {
			ask := func(entity, query string) visitor.Response {
				path := strings.Replace(r.Pattern, "{entity}", entity, 1) + query
				if r.Method == http.MethodPost {
					return m.PostOffice(path, url.Values{})
				}
				return m.Ask(r.Method, path, nil)
			}
			want := ask("nothing", "")
			require.Equal(t, 404, want.StatusCode)
			for _, got := range []visitor.Response{ask("tsne", ""), ask("tsne", "?org=csio"), ask("tsne", "?org=aina"), ask("aina", "?org=csio"), ask("aina", "?org=x")} {
				asked++
				assert.Equal(t, 404, got.StatusCode, r.Pattern)
				assert.Equal(t, want.Page, got.Page, r.Pattern)
			}
		}
	}
	require.Greater(t, asked, 50)
}

// TestT21KnownAndUnknownAddressesTakeTheSameTime: the medians of signing in with a wrong password differ by at most 20 ms, and the
// pages are the same.
func TestT21KnownAndUnknownAddressesTakeTheSameTime(t *testing.T) { // not beside other tests
	h := program.New(t, program.Options{})
	visitor.NewMember(t, h, "ana@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	v, took, pages, headers := visitor.New(t, h), map[string][]time.Duration{}, map[string]string{}, map[string]http.Header{}
	for n := range 60 {
		if n%5 == 0 {
			h.Exec(`DELETE FROM guard_count`)
		}
		order := []string{"ana@example.org", "bea@example.org"}
		if n%2 == 1 {
			slices.Reverse(order)
		}
		for _, email := range order {
			began := time.Now()
			got := v.Ask("POST", "/office/sign-in", url.Values{"email": {email}, "password": {"wrong-wrong"}, "code": {"123456"}})
			took[email] = append(took[email], time.Since(began))
			require.Equal(t, 422, got.StatusCode)
			pages[email] = strings.ReplaceAll(got.Page, email, "")
			headers[email] = headersOf(got)
		}
	}
	require.Equal(t, pages["ana@example.org"], pages["bea@example.org"])
	require.Equal(t, headers["ana@example.org"], headers["bea@example.org"])
	median := func(of []time.Duration) float64 { return slices.Sorted(slices.Values(of))[len(of)/2].Seconds() }
	known, unknown := median(took["ana@example.org"]), median(took["bea@example.org"])
	t.Logf("known %.4f s, unknown %.4f s", known, unknown)
	assert.InDelta(t, known, unknown, 0.020)
}

// TestWhatWasWrittenIsGivenBack: a form of a session that ended, or that another one replaced, changes nothing, and what was written in it
// stands on the page that says so, in the language of the person.
func TestWhatWasWrittenIsGivenBack(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.NewMember(t, h, "max@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	h.Exec(`UPDATE staff SET language = 'es' WHERE id = $1`, m.ID)
	note := url.Values{"session": {"of another session"}, "on": {"gift"}, "text": {"Llamó el <lunes>."}}
	got := m.Ask("POST", "/office/tsne/notes", note)
	require.Equal(t, 403, got.StatusCode)
	require.Contains(t, got.Page, "Llamó el &lt;lunes&gt;.</textarea>")
	require.Contains(t, got.Page, "no se guardó nada")
	require.Contains(t, got.Page, `href="/office"`)
	h.Exec(`UPDATE staff_session SET ended_at = now(), ended_because = 'role' WHERE staff_id = $1`, m.ID)
	got = m.Ask("POST", "/office/tsne/notes?lang=es", note, "Referer: "+h.URL+"/office/tsne/gifts/x")
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.Page, "Llamó el &lt;lunes&gt;.</textarea>")
	require.Contains(t, got.Page, "Su sesión había terminado")
	require.Contains(t, got.Page, `name="next" value="/office/tsne/gifts/x"`)
	require.NotContains(t, m.Ask("POST", "/office/tsne/notes", note, "Referer: https://evil.example/office/x").Page, "/office/x")
}
