package session

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
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

// FormToken returns the token that each form of a session must send back. Only pages shown to this session contain
// it, so another site cannot send the form (CSRF). It is a hash without the id of its key: servers of the previous
// release, which may run beside this one during an upgrade, accept it as well. The next release may use a tag.
func (s Service) FormToken(of Session) string {
	return base64.RawURLEncoding.EncodeToString(s.Keys.Hash(s.Kind.purpose, "form", of.ID.String()))
}

// IsFormToken reports whether token is the session's form token.
func (s Service) IsFormToken(of Session, token string) bool {
	tag, err := base64.RawURLEncoding.Strict().DecodeString(token)
	return err == nil && s.Keys.Verify(tag, s.Kind.purpose, "form", of.ID.String())
}
