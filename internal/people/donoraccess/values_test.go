package donoraccess

import (
	"encoding/hex"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/people/session"
	"konbit/internal/platform/keyring"
)

// TestValuesKeepTheirSpelling: rows, jobs and open sessions hold these values, and hashes made from these texts.
func TestValuesKeepTheirSpelling(t *testing.T) {
	for want, got := range map[string]string{
		"sign_in_letter": SignInEmailJob{}.Kind(), "address_letter": AddressEmailJob{}.Kind(),
		"proved": changeProved, "vouched": changeVouched, "moved": changeMoved, "chosen": changeChosen, "unchosen": changeUnchosen, "joined": changeJoined, "parted": changeParted, "konbit access": purpose,
		"7fd8f3aa712bfef6": hex.EncodeToString(hashOf("link", "s"))[:16],
		"a37574a3908874af": hex.EncodeToString(session.HashSecret("konbit access session", "s"))[:16],
		"c965df38e5f83631": hex.EncodeToString(Service{Keys: keyring.New([]byte("key"))}.codeMAC(uuid.Nil, "12345678"))[:16],
		"g0gdFmu6P-X6j5aK": Service{Keys: keyring.New([]byte("key"))}.Sessions().FormToken(session.Session{})[:16],
	} {
		t.Run(want, func(t *testing.T) {
			require.Equal(t, want, got)
		})
	}
}
