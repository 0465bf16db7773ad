package planlink

import (
	"encoding/hex"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// TestSecretsNeverChange: emails already sent hold them, and stored rows their hashes.
func TestSecretsNeverChange(t *testing.T) {
	l := Links{Secret: []byte("canary-secret-of-32-bytes-length")}
	s := l.secrets(uuid.MustParse("01930000-0000-7000-8000-000000000001"))
	require.Equal(t, Secrets{Token: "GRSYcpRz6It6_mK1tCTK1qlBm6Q", Code: "2NH8Q-91SNG"}, s)
	require.Equal(t, "955fa7120c152d10", hex.EncodeToString(tokenHash(s.Token)[:8]))
	require.Equal(t, "a1a137da4c20d249", hex.EncodeToString(l.codeMAC(normalizeCode(s.Code))[:8]))
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
