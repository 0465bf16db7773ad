package mail_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/giving/planlink"
	"konbit/internal/people/donoraccess"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

// TestRefusedUnstoredEmailsOpenATask: the person who asked for a link or a sign-in gets no email, so a task is opened:
// one about each recurring gift, and one about all sign-ins, which strangers can ask for. No task and no log has the
// address.
func TestRefusedUnstoredEmailsOpenATask(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{UnlimitedSignIn: true})
	d := visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	h.StartWorkers()
	h.Mail.SetFault(mailcatch.Fault{Kind: mailcatch.Reject})
	for range 2 {
		require.NoError(t, planlink.Links{DB: h.DB.Server, Queue: h.Queue, Keys: h.Server.Keys}.RequestFresh(t.Context(), d.ID))
		require.NoError(t, h.Access.RequestChallenge(t.Context(), donoraccess.EmailChallenge{
			Email: "ana@example.org", From: netip.MustParseAddr("203.0.113.7"), Browser: uuid.NewString(), Language: "en",
		}))
	}
	testkit.Eventually(t, 20*time.Second, func() error {
		if n := h.Count(`SELECT count(*) FROM river_job WHERE kind IN ('plan_link_letter', 'sign_in_letter') AND state = 'completed'`); n < 4 {
			return fmt.Errorf("%d emails were tried", n)
		}
		return nil
	})
	assert.ElementsMatch(t, []string{"plan_link_refused " + d.ID.String() + " {}", "unstored_email_refused sign_in {}"},
		h.Lines(`SELECT format('%s %s %s', kind, subject, detail) FROM finance_task WHERE closed_at IS NULL AND kind LIKE '%refused' AND kind <> 'letter_refused'`))
	assert.NotContains(t, h.Log.String(), "ana@example.org")
}

// TestExpiredSignInIsReported: a sign-in that expired before its email was sent is counted once. One that nobody waits for,
// because another one was used since, is not.
func TestExpiredSignInIsReported(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	h.SettledGift(program.ValidForm())
	expired := 0
	h.SignIns.Expired = func() { expired++ }
	request := func() (id uuid.UUID) {
		require.NoError(t, h.Access.RequestChallenge(t.Context(), donoraccess.EmailChallenge{
			Email: "ana@example.org", From: netip.MustParseAddr("203.0.113.7"), Browser: "x", Language: "en",
		}))
		require.NoError(t, h.DB.Owner.Get(&id, `SELECT id FROM sign_in ORDER BY n DESC LIMIT 1`))
		return id
	}
	first, second := request(), request()
	h.Exec(`UPDATE sign_in SET expires_at = now() - interval '1 second'`)
	before := len(h.Mail.Messages())
	require.NoError(t, h.SignIns.Mail(t.Context(), donoraccess.SignInEmailJob{SignInID: first}))
	assert.Equal(t, 1, expired)
	require.NoError(t, h.SignIns.Mail(t.Context(), donoraccess.SignInEmailJob{SignInID: second}))
	assert.Equal(t, 2, expired)
	assert.Contains(t, h.Log.String(), "a sign-in expired before its email was sent")
	assert.NotContains(t, h.Log.String(), "ana@example.org")
	assert.Len(t, h.Mail.Messages(), before)

	third, used := request(), request()
	proof, err := h.Access.IssueCredentials(t.Context(), used)
	require.NoError(t, err)
	_, _, err = h.Access.SignInByLink(t.Context(), donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"x"}})
	require.NoError(t, err)
	h.Exec(`UPDATE sign_in SET expires_at = now() - interval '1 second' WHERE id = $1`, third)
	require.NoError(t, h.SignIns.Mail(t.Context(), donoraccess.SignInEmailJob{SignInID: third}))
	assert.Equal(t, 2, expired, "another one was used since")
}
