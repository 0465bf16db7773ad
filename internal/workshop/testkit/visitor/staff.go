package visitor

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/authenticator"
	"konbit/internal/workshop/testkit/program"
)

// StaffPassword is the password of all members of the staff in tests.
const StaffPassword = "mild-otters-carry-lanterns"

// Member is a member of the staff with a browser and an authenticator app.
type Member struct {
	*Visitor
	ID    uuid.UUID
	Email string
	Key   string   // of the authenticator app
	Codes []string // recovery codes
}

// Operator returns the service of staff with the connection of the owner of the tables, as the commands have it.
func Operator(h *program.Program) staff.Service {
	s := h.Staff
	s.DB = h.DB.Owner
	return s
}

// ScopeOf returns the scope of an entity's slug and, if it is not empty, an organisation's.
func ScopeOf(t testing.TB, h *program.Program, entity, organisation string) staff.Scope {
	t.Helper()
	e, err := h.CurrentCatalog().Entity(entity)
	require.NoError(t, err)
	scope := staff.Scope{EntityID: e.ID}
	if organisation != "" {
		o, err := h.CurrentCatalog().Organisation(organisation)
		require.NoError(t, err)
		scope.OrganisationID = uuid.NullUUID{UUID: o.ID, Valid: true}
	}
	return scope
}

// Invited adds a member of the staff as the operator does, and opens the link of the invitation in a new browser.
func Invited(t testing.TB, h *program.Program, email string, role staff.RoleName, scope staff.Scope) *Member {
	t.Helper()
	name, _, _ := strings.Cut(email, "@")
	i := staff.Invitation{Email: email, Name: strings.ToUpper(name[:1]) + name[1:], Language: "en", Role: role, Scope: scope}
	token, err := Operator(h).Add(t.Context(), i, "a test")
	require.NoError(t, err)
	m, err := staff.ByEmail(t.Context(), h.DB.Owner, email)
	require.NoError(t, err)
	v := &Member{Visitor: New(t, h), ID: m.ID, Email: email}
	if token != "" {
		got := v.Ask("POST", "/office/invitation", url.Values{"link": {h.URL + "/office/invitation#" + token}})
		require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
		require.Equal(t, "/office/setup", got.Header.Get("Location"))
	}
	return v
}

var (
	appKey  = regexp.MustCompile(`id="key">([A-Z2-7 ]+)<`)
	oneCode = regexp.MustCompile(`<li>([0-9](?:-[a-z2-7]{4}){4})</li>`)
)

// NewMember is Invited, and sets up password, app and recovery codes on the pages.
func NewMember(t testing.TB, h *program.Program, email string, role staff.RoleName, scope staff.Scope) *Member {
	t.Helper()
	m := Invited(t, h, email, role, scope)
	token := m.TokenOn("/office/setup")
	got := m.askUntilAnswered("/office/setup", url.Values{"session": {token}, "do": {"password"}, "new_password": {StaffPassword}})
	found := appKey.FindStringSubmatch(got.Page)
	require.NotNil(t, found, got.Page)
	m.Key = found[1]
	got = m.askUntilAnswered("/office/setup", url.Values{"session": {token}, "do": {"code"}, "code": {m.Code()}})
	for _, code := range oneCode.FindAllStringSubmatch(got.Page, -1) {
		m.Codes = append(m.Codes, code[1])
	}
	require.Len(t, m.Codes, 10, got.Page)
	return m
}

// askUntilAnswered posts a form that makes slow hashes, again while a busy machine is answered by 503.
func (m *Member) askUntilAnswered(path string, form url.Values) (got Response) {
	m.t.Helper()
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		got = m.Ask("POST", path, form)
		if got.StatusCode != http.StatusServiceUnavailable || time.Since(began) > time.Minute {
			return got
		}
	}
}

// Code returns the code of the app now. The database forgets that one was used, so that tests need not wait.
func (m *Member) Code() string {
	m.t.Helper()
	m.h.Exec(`UPDATE staff_totp SET last_step = 0 WHERE staff_id = $1`, m.ID)
	return authenticator.Code(m.Key, time.Now())
}

// SignIn signs the member in by password and code.
func (m *Member) SignIn() *Member {
	m.t.Helper()
	got := m.Ask("POST", "/office/sign-in", url.Values{"email": {m.Email}, "password": {StaffPassword}, "code": {m.Code()}})
	require.Equal(m.t, http.StatusSeeOther, got.StatusCode, got.Page)
	return m
}

// PostOffice posts a form of the member's own pages, with the session's token.
func (m *Member) PostOffice(path string, form url.Values) Response {
	m.t.Helper()
	form.Set("session", m.TokenOn("/office/account"))
	return m.Ask("POST", path, form)
}

// Stale makes the member's last factor older than five minutes.
func (m *Member) Stale() *Member {
	m.t.Helper()
	m.h.Exec(`UPDATE staff_session SET factor_at = factor_at - interval '6 minutes' WHERE staff_id = $1`, m.ID)
	return m
}
