package office_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestPeopleSaysWhomItConcerns: the page that asks for a code names person, role, place and what will happen.
func TestPeopleSaysWhomItConcerns(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	boss := visitor.NewMember(t, h, "boss@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	ana := visitor.NewMember(t, h, "ana@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", "csio"))
	called := h.Lines(`SELECT name FROM staff WHERE id = $1`, ana.ID)[0]
	boss.Stale()
	for name, c := range map[string]struct {
		form url.Values
		says []string
	}{
		"end":          {url.Values{"person": {ana.ID.String()}, "role": {"finance"}, "organisation": {"csio"}}, []string{"Finance", "Center to Support Immigrant Organizing", "is signed out everywhere"}},
		"reset":        {url.Values{"person": {ana.ID.String()}}, []string{"replaces all their ways to sign in"}},
		"end-sessions": {url.Values{"person": {ana.ID.String()}}, []string{"is signed out on every device"}},
		"join":         {url.Values{"person": {ana.ID.String()}, "same": {boss.ID.String()}}, []string{"boss@example.org", "neither approves what the other requested"}},
		"invite":       {url.Values{"email": {"Ana@example.org"}, "name": {""}, "role": {"auditor"}, "language": {"en"}}, []string{"Auditor", "TSNE MissionWorks", "gets no email"}},
	} {
		c.form.Set("do", name)
		page := boss.PostOffice("/office/tsne/people", c.form).Page
		require.Contains(t, page, `id="confirm"`, name)
		_, check, _ := strings.Cut(page, `id="confirm"`)
		check, _, _ = strings.Cut(check, `id="confirm-button"`)
		require.Contains(t, strings.ToLower(check), "<dd>"+strings.ToLower(called)+", ana@example.org</dd>", name)
		for _, says := range c.says {
			require.Contains(t, check, says, name)
		}
	}
	got := boss.PostOffice("/office/tsne/people", url.Values{"do": {"invite"}, "email": {"new@example.org"}, "role": {"finance"}, "language": {"en"}})
	require.Contains(t, got.Page, "Type a name", "nobody here has the address")
}

// TestJoinedAccounts: two accounts are joined after a page has shown both, and the page says afterwards who is one person, since when and
// by whom. Nothing is joined without a choice. The operator undoes it, and the audit log names both.
func TestJoinedAccounts(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	boss := visitor.NewMember(t, h, "boss@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	ana := visitor.NewMember(t, h, "ana@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	ben := visitor.NewMember(t, h, "ben@example.org", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	auditor := visitor.NewMember(t, h, "noor@example.org", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	boss.SignIn()
	post := func(same, step string) visitor.Response {
		return boss.PostOffice("/office/tsne/people", url.Values{"do": {"join"}, "person": {ana.ID.String()}, "same": {same}, "step": {step}})
	}
	require.Contains(t, boss.Ask("GET", "/office/tsne/people", nil).Page, `<option value="">Choose an account</option>`)
	got := post("", "checked")
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "Choose the other account")
	require.Contains(t, post(ben.ID.String(), "").Page, `id="confirm"`)
	require.Zero(t, h.Count(`SELECT count(*) FROM staff_person`), "a fresh code alone joins nothing")
	require.Equal(t, 303, post(ben.ID.String(), "checked").StatusCode)
	page := boss.Ask("GET", "/office/tsne/people", nil).Page
	require.Regexp(t, `One person with [^<]+ \(ben@example.org\) · since [^<]+ joined by`, page)
	require.Regexp(t, `One person with [^<]+ \(ana@example.org\) · since`, page)
	names := h.Lines(`SELECT name FROM staff WHERE id IN ($1, $2) ORDER BY email`, ana.ID, ben.ID)
	log := auditor.Ask("GET", "/office/tsne/audit", nil).Page
	require.Regexp(t, `Two accounts joined to one person[\s\S]*?`+names[0]+`[\s\S]*?>`+names[1]+`<`, log)

	operator := visitor.Operator(h)
	for _, account := range []uuid.UUID{ben.ID, ana.ID} { // each of them splits: ben is the person of both
		if h.Count(`SELECT count(*) FROM staff_person`) == 0 {
			require.Equal(t, 303, post(ben.ID.String(), "checked").StatusCode)
		}
		_, err := operator.Split(t.Context(), account, "they are two")
		require.NoError(t, err)
		require.Zero(t, h.Count(`SELECT count(*) FROM staff_person`))
	}
	_, err := operator.Split(t.Context(), ana.ID, "again")
	require.Error(t, err)
	require.Equal(t, 2, h.Count(`SELECT count(*) FROM audit_entry WHERE act = 'staff.split' AND operator AND object_id = $1 AND after::text LIKE '%' || $2 || '%'`, ana.ID, ben.ID))
	require.NotContains(t, boss.Ask("GET", "/office/tsne/people", nil).Page, "One person with")
}

// TestTypedComesBackAfterTheSession: the page that answers a form whose session ended has what was typed, without what is secret; no other page has it.
func TestTypedComesBackAfterTheSession(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	boss := visitor.NewMember(t, h, "boss@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	boss.PostOffice("/office/sign-out", url.Values{})
	got := boss.Ask("POST", "/office/tsne/people", url.Values{"session": {"SECRET"}, "code": {"SECRET"}, "do": {"invite"}, "email": {"new@example.org"}, "name": {"Nia <b>"},
		"role": {"finance"}})
	require.Equal(t, 401, got.StatusCode)
	require.Contains(t, got.Page, "Name: Nia &lt;b&gt;\nEmail: new@example.org</textarea>")
	require.NotContains(t, got.Page, "SECRET")
	require.Contains(t, got.Header.Get("Cache-Control"), "no-store")
	require.NotContains(t, boss.Ask("GET", "/office/tsne/people", nil).Page, "Nia")
}
