package mail_test

import (
	"net/netip"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/donoraccess"
	"konbit/internal/workshop/testkit/program"
)

// TestExpiredSignInIsReported: a sign-in that expired before its email was sent is counted once. One that was replaced
// by a newer sign-in is not.
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
	require.NoError(t, h.SignIns.Mail(t.Context(), first))
	assert.Zero(t, expired, "a newer sign-in replaced it")
	require.NoError(t, h.SignIns.Mail(t.Context(), second))
	assert.Equal(t, 1, expired)
	assert.Contains(t, h.Log.String(), "a sign-in expired before its email was sent")
	assert.NotContains(t, h.Log.String(), "ana@example.org")
	assert.Len(t, h.Mail.Messages(), before)
}
