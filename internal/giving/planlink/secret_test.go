package planlink

import (
	"encoding/hex"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/platform/keyring"
)

// TestSecretsNeverChange: emails already sent hold them, and stored rows their hashes.
func TestSecretsNeverChange(t *testing.T) {
	l := Links{Keys: keyring.New([]byte("canary-secret-of-32-bytes-length"))}
	s := l.secrets(uuid.MustParse("01930000-0000-7000-8000-000000000001"))[0]
	require.Equal(t, Secrets{Token: "f7ecHTa8G_hS8drMtkZxJkmbkAk", Code: "9TF7K-XP221"}, s)
	require.Equal(t, "ba25d84761195c9f", hex.EncodeToString(tokenHash(s.Token)[:8]))
	require.Equal(t, "e664ddb4210ac306", hex.EncodeToString(l.codeMACs(normalizeCode(s.Code))[0][:8]))
	require.Equal(t, "plan_link_letter", FreshEmailJob{}.Kind())
}

// TestTypedCodes: what people type instead of what is printed.
func TestTypedCodes(t *testing.T) {
	for typed, want := range map[string]string{
		"7KQ4M-PX2TR": "7KQ4MPX2TR", " 7kq4m px2tr\n": "7KQ4MPX2TR", "OIL0-1": "01101", "": "", "\x00\xff-": "", "ñ7": "7", "U": "",
	} {
		require.Equal(t, want, normalizeCode(typed), "%q", typed)
	}
}
