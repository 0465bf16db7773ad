package mail_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/program"
)

// TestAddressChangeEmails: every address of both persons gets an email when an address is linked and when it is
// unlinked, in the language of its donations. A repeat has the same Message-ID. No email names another address than the
// one that was linked.
func TestAddressChangeEmails(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	es := program.ValidForm()
	es.Contact.Email, es.Language = "bea@example.org", "es"
	h.SettledGift(es)
	h.Exec(`INSERT INTO mailbox SELECT m.email, m.person::uuid, now() FROM (VALUES ('ana@example.org', '00000000-0000-0000-0000-00000000000a'),
		('bea@example.org', '00000000-0000-0000-0000-00000000000a'), ('cleo@example.org', '00000000-0000-0000-0000-00000000000b')) AS m (email, person)`)
	h.Exec(`INSERT INTO mailbox_step (email, kind, before, after)
		SELECT 'bea@example.org', kind, '00000000-0000-0000-0000-00000000000b', '00000000-0000-0000-0000-00000000000a' FROM unnest(ARRAY['joined', 'parted']) WITH ORDINALITY AS k (kind, n) ORDER BY k.n`)
	for range 2 {
		for step := range int64(2) {
			require.NoError(t, h.SignIns.MailAddressChange(t.Context(), step+1))
		}
	}
	require.NoError(t, h.SignIns.MailAddressChange(t.Context(), 99), "the person was erased")
	emails, ids := map[string]int{}, map[string]bool{}
	for _, m := range h.Mail.Messages() {
		emails[m.To]++
		ids[m.MessageID] = true
		l, err := m.Email()
		require.NoError(t, err)
		subject, err := l.Header.Subject()
		require.NoError(t, err)
		require.Contains(t, subject, "bea@example.org")
		require.NotContains(t, l.Text+l.HTML, "cleo@example.org")
		if m.To == "bea@example.org" {
			require.Contains(t, l.Text, "Hola")
		} else {
			require.Contains(t, l.Text, "Hello")
		}
	}
	require.Equal(t, map[string]int{"ana@example.org": 4, "bea@example.org": 4, "cleo@example.org": 4}, emails)
	require.Len(t, ids, 6)
}
