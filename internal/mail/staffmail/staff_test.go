package staffmail_test

import (
	"net/url"
	"regexp"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/mail/staffmail"
	"konbit/internal/people/staff"
	"konbit/internal/web/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestEmailsToStaff sends each email to staff in the reader's language. Only those to an invited or reset person have a link,
// which opens the session of the invitation once; a repeated job sends another, and the first is then wrong.
func TestEmailsToStaff(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	mailer := staffmail.Staff{
		Mailer: h.SignIns.Mailer, Accounts: h.Staff, Catalog: h.Catalog, Link: office.InvitationLink(h.Server.BaseURL), Auditors: []string{"audit@firm.example"},
	}
	boss := visitor.NewMember(t, h, "boss@example.org", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	session, err := h.Staff.Open(t.Context(), boss.Cookies["konbit-staff"])
	require.NoError(t, err)
	m, err := h.Staff.Invite(t.Context(), session, staff.Invitation{Email: "ana@example.org", Name: "Ana", Language: "es", Role: staff.Finance, Scope: visitor.ScopeOf(t, h, "tsne", "")})
	require.NoError(t, err)
	invitation := uuid.MustParse(h.Lines(`SELECT id::text FROM staff_invitation WHERE staff_id = $1`, m.ID)[0])
	send := func(job staff.EmailJob) (to, text string) {
		before := len(h.Mail.Messages())
		require.NoError(t, mailer.Mail(t.Context(), job))
		all := h.Mail.Messages()
		require.Len(t, all, before+1, job.Email)
		email, err := all[0].Email()
		require.NoError(t, err)
		return all[0].To, all[0].Subject + "\n" + email.Text
	}
	link := regexp.MustCompile(`/office/invitation\?lang=(\w\w)#(\S+)`)
	var tokens []string
	for range 2 {
		to, text := send(staff.EmailJob{Email: staff.EmailInvite, About: m.ID, To: m.ID, InvitationID: invitation})
		assert.Equal(t, "ana@example.org", to)
		assert.Contains(t, text, "Prepare su modo de entrar")
		found := link.FindStringSubmatch(text)
		require.NotNil(t, found, text)
		assert.Equal(t, "es", found[1])
		tokens = append(tokens, found[2])
	}
	v := visitor.New(t, h)
	require.Equal(t, 422, v.Ask("POST", "/office/invitation", url.Values{"link": {tokens[0]}}).StatusCode)
	require.Equal(t, 303, v.Ask("POST", "/office/invitation", url.Values{"link": {tokens[1]}}).StatusCode)
	before := len(h.Mail.Messages())
	require.NoError(t, mailer.Mail(t.Context(), staff.EmailJob{Email: staff.EmailInvite, About: m.ID, To: m.ID, InvitationID: invitation}))
	require.Len(t, h.Mail.Messages(), before, "the link was used")
	for kind, words := range map[string]string{
		staff.EmailReset: "gets a new way", staff.EmailRecovery: "recovery code", staff.EmailFactor: "added, replaced or removed", staff.EmailGlass: "moves no money",
	} {
		to, text := send(staff.EmailJob{Email: kind, About: m.ID, To: boss.ID})
		assert.Equal(t, boss.Email, to)
		assert.Contains(t, text, words)
		assert.NotContains(t, text, "office.email")
		assert.NotRegexp(t, link, text)
	}
	to, _ := send(staff.EmailJob{Email: staff.EmailGlass, About: m.ID})
	assert.Equal(t, "audit@firm.example", to)
	require.NoError(t, visitor.Operator(h).Disable(t.Context(), m.ID, "left"))
	before = len(h.Mail.Messages())
	require.NoError(t, mailer.Mail(t.Context(), staff.EmailJob{Email: staff.EmailFactor, About: boss.ID, To: m.ID}))
	require.Len(t, h.Mail.Messages(), before, "not to who was disabled")
}
