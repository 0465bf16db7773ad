package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

func TestDonorSignOut(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	visitor.StartPlan(t, h, visitor.FormOf("ana@example.org", "Ana"))
	visitor.PlanLink(t, h, h.Lines(`SELECT public_ref FROM plan`)[0])
	require.NoError(t, h.Access.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: "ana@example.org", Browser: "b", Language: "en"}))
	var id uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&id, `SELECT id FROM sign_in`))
	proof, err := h.Access.IssueCredentials(t.Context(), id)
	require.NoError(t, err)
	_, secret, err := h.Access.SignInByLink(t.Context(), donoraccess.LinkAttempt{Token: proof.Token, Browsers: []string{"b"}})
	require.NoError(t, err)

	_, err = runCommand(t, "donor", "sign-out", "nobody@example.org")
	require.ErrorContains(t, err, `no donor has the address "nobody@example.org"`)
	_, err = h.Access.Sessions().Find(t.Context(), secret)
	require.NoError(t, err)
	for _, ended := range []string{"1", "0"} {
		out, err := runCommand(t, "donor", "sign-out", "Ana@example.org")
		require.NoError(t, err)
		require.Equal(t, "sessions ended: "+ended+"\n", out)
	}
	_, err = h.Access.Sessions().Find(t.Context(), secret)
	require.Error(t, err)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM plan_link WHERE ended_at IS NOT NULL`))
}

// TestDonorMove: a donor who lost a mailbox gets a link at the new address, at once.
func TestDonorMove(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	for name, value := range map[string]string{"DATABASE_URL": h.DB.ServerURL, "SMTP_URL": h.Mail.SMTPURL(), "BASE_URL": h.URL, "SECRET_KEY": ownKey} {
		t.Setenv(name, value)
	}
	h.SettledGift(visitor.FormOf("ana@example.org", "Ana"))
	_, err := runCommand(t, "donor", "move", "nobody@example.org", "new@example.net")
	require.ErrorContains(t, err, "no donor has this address")
	_, err = runCommand(t, "donor", "move", "ana@example.org", "Ana@Example.org")
	require.ErrorContains(t, err, "nothing to move")
	_, err = runCommand(t, "donor", "move", "ana@example.org", "not an address")
	require.Error(t, err)
	require.Empty(t, h.Mail.Messages())
	out, err := runCommand(t, "donor", "move", "ana@example.org", "new@example.net")
	require.NoError(t, err)
	require.Contains(t, out, "was sent to new@example.net")
	require.Equal(t, "new@example.net", h.Mail.Messages()[0].To)
	require.Zero(t, h.Count(`SELECT count(*) FROM mailbox`), "nothing changes until the link is used")
}
