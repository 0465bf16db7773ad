package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
)

// NewSecret returns 256 random bits as text: the value of a cookie or of a link.
func NewSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// HashSecret returns the hash that is stored in place of a secret of 256 bits. purpose separates secrets of different
// uses: the hash of one is never that of another.
func HashSecret(purpose, secret string) []byte {
	sum := sha256.Sum256([]byte(purpose + " " + secret))
	return sum[:]
}

func (s Service) hash(secret string) []byte { return HashSecret(s.Kind.purpose+" session", secret) }

// Sign returns a keyed hash (HMAC-SHA-256) of parts, of which the first says what it is for. Nobody can compute it
// without the key.
func Sign(key []byte, parts ...string) []byte {
	m := hmac.New(sha256.New, key)
	for _, part := range parts {
		m.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return m.Sum(nil)
}

// FormToken returns the token that each form of a session must send back. Only pages shown to this session contain
// it, so another site cannot send the form (CSRF).
func (s Service) FormToken(of Session) string {
	return base64.RawURLEncoding.EncodeToString(Sign(s.Secret, s.Kind.purpose, "form", of.ID.String()))
}

// IsFormToken reports whether token is the session's form token.
func (s Service) IsFormToken(of Session, token string) bool {
	return hmac.Equal([]byte(token), []byte(s.FormToken(of)))
}
