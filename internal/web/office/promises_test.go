package office_test

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
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
	boss := visitor.NewMember(t, h, "boss@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	people := func(form url.Values) {
		form.Set("person", m.ID.String())
		require.Equal(t, 303, boss.PostOffice("/office/tsne/people", form).StatusCode)
	}
	for _, ends := range []struct {
		what string
		do   func()
	}{
		{"sign-out", func() { m.PostOffice("/office/sign-out", url.Values{}) }},
		{"another role", func() { visitor.Invited(t, h, m.Email, staff.Entry, visitor.ScopeOf(t, h, "aina", "aina")) }},
		{"ended by an admin", func() { people(url.Values{"do": {"end-sessions"}}) }},
		{"a role less", func() { people(url.Values{"do": {"end"}, "role": {"finance"}}) }},
		{"an hour without use", func() { h.Exec(`UPDATE staff_session SET seen_at = seen_at - interval '61 minutes'`) }},
		{"twelve hours", func() { h.Exec(`UPDATE staff_session SET ends_at = ends_at - interval '12 hours'`) }},
		{"disabled", func() { require.NoError(t, visitor.Operator(h).Disable(t.Context(), m.ID, "left")) }},
	} {
		m = &visitor.Member{Visitor: visitor.New(t, h), ID: m.ID, Email: m.Email, Key: m.Key}
		m.SignIn()
		cookie := m.Cookies["konbit-staff"]
		require.Equal(t, 200, opens(cookie), ends.what)
		ends.do()
		require.Equal(t, 401, opens(cookie), ends.what)
	}
}

// TestT20NothingOfStaffInLogs: the program's log has no password, code, secret, recovery code, session, link, name or address of
// staff, whatever they set up, typed wrong or searched for, and nothing of the donor whom they looked at.
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
	visitor.Invited(t, h, m.Email, staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	gift := h.SettledGift(visitor.FormOf("canary-donor@example.org", "Canary"))
	m.SignIn()
	secrets = append(secrets, m.Cookies["konbit-staff"], gift.PublicRef)
	for _, page := range []string{"gifts?q=canary", "gifts?q=canary&format=csv", "donors?q=canary", "gifts/" + gift.PublicRef, "gifts/canary", "donors/" + gift.DonorID.String(), "donors/canary"} {
		m.Ask("GET", "/office/tsne/"+page, nil)
	}
	m.PostOffice("/office/tsne/notes", url.Values{"on": {"gift"}, "id": {gift.ID.String()}, "submission": {uuid.NewString()}, "text": {"canary note"}})
	m.PostOffice("/office/tsne/gifts/export?q=canary", url.Values{"reason": {"canary reason"}})
	m.PostOffice("/office/tsne/gifts/"+gift.PublicRef+"/refund", url.Values{"all": {"1"}, "reason": {"requested"}, "note": {"canary note"}, "submission": {uuid.NewString()}, "code": {m.Code()}})
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM staff_note`))
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

// TestT9OtherSitesChangeNothingOfStaff posts forms of other sites, and forms without the session's own token, to every route of
// staff, and reads every other route in several ways: the database stays the same, but for the log of what was looked at.
func TestT9OtherSitesChangeNothingOfStaff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m, other := everyRole(t, w.Program, "max@example.org"), visitor.NewMember(t, w.Program, "other@example.org", staff.Admin, visitor.ScopeOf(t, w.Program, "tsne", ""))
	elsewhere := [][]string{{"Sec-Fetch-Site: cross-site"}, {"Sec-Fetch-Site: same-site"}, {"Origin: null"}, {"Origin: https://evil.example"}}
	token, before, posted, read := m.TokenOn("/office/account"), visitor.TableHashes(t, w.Program), 0, 0
	wrong := []string{"", "AAAA", other.TokenOn("/office/account")}
	for _, r := range w.Server.Routes() {
		path := pathOf(w.Program, r.Pattern)
		switch {
		case !strings.HasPrefix(r.Permission, "staff"):
		case r.Method == http.MethodPost:
			posted++
			for _, headers := range elsewhere {
				assert.Equal(t, 403, m.Ask("POST", path, url.Values{"session": {token}, "do": {"approve"}}, headers...).StatusCode, "%s from %v", path, headers)
			}
			for _, token := range wrong {
				for _, headers := range [][]string{nil, {"Sec-Fetch-Site: same-origin"}} {
					assert.Equal(t, 403, m.Ask("POST", path, url.Values{"session": {token}, "do": {"approve"}}, headers...).StatusCode, path)
				}
			}
		default:
			got := m.Ask("GET", path, nil)
			if got.StatusCode == http.StatusOK {
				read++
			}
			m.Ask("HEAD", path, nil)
			m.Ask("GET", path, nil, "Sec-Purpose: prefetch;prerender")
			visitor.New(t, w.Program).Ask("GET", path, nil)
		}
	}
	require.Greater(t, posted, 12)
	require.Greater(t, read, 20)
	after := visitor.TableHashes(t, w.Program)
	for _, log := range []string{"audit_entry", "audit_unsealed", "staff_session", "staff_challenge"} { // a challenge is asked for by a page with a passkey
		delete(before, log)
		delete(after, log)
	}
	assert.Equal(t, before, after)
}

// everyRole returns a member with each role in tsne.
func everyRole(t *testing.T, h *program.Program, email string) *visitor.Member {
	m := visitor.NewMember(t, h, email, staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	for _, role := range []staff.RoleName{staff.Entry, staff.Finance, staff.Auditor} {
		visitor.Invited(t, h, m.Email, role, visitor.ScopeOf(t, h, "tsne", ""))
	}
	return m.SignIn() // the roles ended the session
}

// pathOf returns an address of a route of staff, with objects of csio or of tsne.
func pathOf(h *program.Program, pattern string) string {
	if !strings.HasPrefix(pattern, "/office/{entity}") {
		return pattern
	}
	return visitor.OfficePath(h, pattern, "tsne", "csio")
}

// TestT10ForeignAndMissingObjectsOfStaffTakeTheSameTime asks as finance of a project, in turns, for objects of another project
// of the same sponsor and for objects that do not exist: the medians differ by at most 20 ms.
func TestT10ForeignAndMissingObjectsOfStaffTakeTheSameTime(t *testing.T) { // not beside other tests
	m := &matrix{world: newWorld(t), t: t, shown: map[string]bool{}}
	asker, tried := m.askers(t)[1], 0
	require.Equal(t, "finance", asker.role)
	for _, r := range m.Server.Routes() {
		kinds := kindsIn(r.Pattern)
		if !strings.HasPrefix(r.Pattern, "/office/{entity}") || len(kinds) == 0 {
			continue
		}
		tried++
		median := func(of []time.Duration) float64 { return slices.Sorted(slices.Values(of))[len(of)/2].Seconds() }
		differ := func() float64 {
			took := map[bool][]time.Duration{}
			for n := range 42 {
				missing := (n+n/2)%2 == 0 // each of the two comes first as often
				names := make([]string, len(kinds))
				for i, kind := range kinds {
					if names[i] = m.objects[kind][place{"tsne", "selva"}]; missing || names[i] == "" {
						names[i] = nothing(kind)
					}
				}
				began := time.Now()
				got := m.use(asker, r.Method, r.Pattern, names, "tsne", "?org=csio")
				took[missing] = append(took[missing], time.Since(began))
				require.Equal(t, 404, got.StatusCode, r.Pattern)
			}
			return median(took[false]) - median(took[true])
		}
		// A busy machine makes medians differ once; a difference of the program's stays.
		differs := true
		for try := 0; differs && try < 4; try++ {
			differs = math.Abs(differ()) > 0.020
		}
		assert.False(t, differs, "%s %s", r.Method, r.Pattern)
	}
	require.Greater(t, tried, 15)
}

// TestT11AnExportHoldsOnlyItsOrganisation: the export of a project has its gifts and nothing of anybody else, also if somebody
// of the whole entity makes it; staff of another project or entity get none.
func TestT11AnExportHoldsOnlyItsOrganisation(t *testing.T) {
	t.Parallel()
	m := &matrix{world: newWorld(t), t: t}
	whole := 0
	for _, a := range m.askers(t) {
		for _, scope := range scopes {
			form := url.Values{"session": {a.token}, "reason": {"a test"}, "format": {"csv"}}
			got := a.Ask("POST", "/office/"+scope.entity+"/gifts/export"+scope.query, form)
			m.noLeak(a, "export", got)
			if !a.mayRead("money", scope.place) || scope.query == "?org=aina" {
				assert.Contains(t, []int{401, 404}, got.StatusCode, "%s in %v", a.name, scope)
				continue
			}
			require.Equal(t, 200, got.StatusCode, "%s in %v: %s", a.name, scope, got.Page)
			whole++
			for _, p := range places {
				if p.organisation != "" {
					assert.Equal(t, scope.covers(p), strings.Contains(got.Page, "Canary"+p.organisation), "%v in the export of %v", p, scope.place)
				}
			}
		}
	}
	require.Greater(t, whole, 8)
}

// TestT12PostedIdentitiesHaveNoEffect: fields that name who acts, in which role and where, change nothing, in any form (STAFF 27).
func TestT12PostedIdentitiesHaveNoEffect(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	boss := visitor.NewMember(t, w.Program, "boss@example.org", staff.Admin, visitor.ScopeOf(t, w.Program, "tsne", "csio"))
	visitor.Invited(t, w.Program, boss.Email, staff.Finance, visitor.ScopeOf(t, w.Program, "tsne", "csio"))
	boss.SignIn()
	other := visitor.NewMember(t, w.Program, "other@example.org", staff.Admin, visitor.ScopeOf(t, w.Program, "aina", ""))
	entity, id := visitor.ScopeOf(t, w.Program, "aina", "").EntityID.String(), other.ID.String()
	roles := func() []string { return w.Lines(`SELECT r::text FROM staff_role r ORDER BY id`) }
	// How often each table names the other person.
	named := func() map[string]int {
		all := map[string]int{}
		for table := range visitor.TableHashes(t, w.Program) {
			all[table] = w.Count(fmt.Sprintf(`SELECT count(*) FROM %q x WHERE x::text LIKE '%%' || $1 || '%%'`, table), id)
		}
		return all
	}
	before, namedBefore, posted := roles(), named(), 0
	for _, r := range w.Server.Routes() {
		if r.Method != http.MethodPost || !strings.HasPrefix(r.Pattern, "/office") || strings.HasSuffix(r.Pattern, "sign-out") {
			continue
		}
		posted++
		path := pathOf(w.Program, r.Pattern)
		for _, do := range []string{"", "end", "invite", "approve", "cancel", "pause", "resend", "correct", "details", "erasure"} {
			got := boss.PostOffice(path+"?org=csio", url.Values{
				"role": {"admin"}, "is_admin": {"1"}, "entity_id": {entity}, "entity": {"aina"}, "org": {"aina"}, "org_id": {entity}, "organisation_id": {""}, "organisation": {""},
				"staff_id": {id}, "approved_by": {id}, "granted_by": {id}, "requested_by": {id}, "ordered_by": {id}, "asked_by": {id}, "by": {id},
				"do": {do}, "person": {id}, "email": {"new@example.org"}, "name": {"New"}, "submission": {uuid.NewString()}, "reason": {"requested"}, "all": {"1"},
			})
			require.NotEqual(t, 500, got.StatusCode, "%s %s", path, do)
		}
	}
	require.Greater(t, posted, 12)
	require.Equal(t, before, roles())
	require.Equal(t, namedBefore, named())
	require.Equal(t, 303, boss.Ask("GET", "/office/tsne", nil).StatusCode, "the organisation's admin is nobody at the entity")
	require.Equal(t, 200, boss.Ask("GET", "/office/tsne?org=csio", nil).StatusCode)
}

// TestT22StaffAreGuessedByNobody: whoever guesses passwords in one network is stopped there, and the person signs in from
// another (STAFF 7). Who has the password too tries at most thirty codes in an hour, from whatever networks; afterwards the
// person gets in.
func TestT22StaffAreGuessedByNobody(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	m := visitor.NewMember(t, h, "ana@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	stranger, last := visitor.New(t, h), 0
	for range 30 {
		last = stranger.Ask("POST", "/office/sign-in", url.Values{"email": {m.Email}, "password": {"guess"}, "code": {"123456"}}).StatusCode
	}
	require.Equal(t, 429, last)
	signIn := func(code, address string) error {
		_, _, err := h.Staff.SignIn(t.Context(), staff.Attempt{Email: m.Email, Password: visitor.StaffPassword, Code: code, From: staff.Client{Address: netip.MustParseAddr(address)}})
		return err
	}
	require.NoError(t, signIn(m.Code(), "2001:db8::1"))
	looked, right := h.Count(`SELECT last_value FROM staff_code_tries`), m.Code()
	var limited staff.Limited
	refused := 0
	for n := range 100 {
		code := fmt.Sprintf("%06d", n)
		if code == right {
			continue
		}
		err := signIn(code, fmt.Sprintf("10.%d.0.1", n))
		require.Error(t, err)
		if errors.As(err, &limited) {
			refused++
		}
	}
	require.GreaterOrEqual(t, refused, 70)
	require.LessOrEqual(t, h.Count(`SELECT last_value FROM staff_code_tries`)-looked, 30)
	require.ErrorAs(t, signIn(m.Code(), "10.200.0.1"), &limited)
	h.Exec(`DELETE FROM guard_count`)
	require.NoError(t, signIn(m.Code(), "10.200.0.1"), "in the next hour")
}
