package main

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/workshop/testkit/program"
)

func TestDonorSignOut(t *testing.T) {
	h := program.New(t, program.Options{})
	t.Chdir(t.TempDir())
	t.Setenv("DATABASE_URL", h.DB.ServerURL)
	h.SettledGift(program.ValidForm())
	require.NoError(t, h.Access.RequestChallenge(t.Context(), donoraccess.EmailChallenge{Email: "ana@example.org", Browser: "b", Language: "en"}))
	var id uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&id, `SELECT id FROM sign_in`))
	proof, err := h.Access.IssueCredentials(t.Context(), id)
	require.NoError(t, err)
	_, secret, err := h.Access.SignInByLink(t.Context(), proof.Token, "b")
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
}
