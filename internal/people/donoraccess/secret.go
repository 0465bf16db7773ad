package donoraccess

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"
)

// codeDigits is how long a code is: with a few guesses an hour, one in millions gets in.
const codeDigits = 8

var codes = new(big.Int).Exp(big.NewInt(10), big.NewInt(codeDigits), nil)

// NewSecret is 256 random bits as text: a link's, a session's, or what a browser that asks is known by.
func NewSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// newCode is a code as it is typed: digits only.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

// digitsOf is a code as somebody typed it, in groups or with dashes, without what is no digit.
func normalizeCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, typed)
}

// hashOf is what is kept of a secret of 256 bits, each kind apart.
func hashOf(kind, secret string) []byte {
	sum := sha256.Sum256([]byte("konbit access " + kind + " " + secret))
	return sum[:]
}

// mac is what is kept of a short secret, and what signs; no copy of the database makes it.
func (k Service) mac(kind string, parts ...string) []byte {
	m := hmac.New(sha256.New, k.Secret)
	for _, part := range append([]string{"konbit access", kind}, parts...) {
		m.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return m.Sum(nil)
}

func (k Service) codeMAC(signIn uuid.UUID, code string) []byte {
	return k.mac("code", signIn.String(), code)
}

// FormToken is what a form that a session's cookie gives rights to must bring with it: only our own pages know it.
func (k Service) FormToken(s Session) string {
	return base64.RawURLEncoding.EncodeToString(k.mac("form", s.ID.String()))
}

// OwnForm tells whether a form brings its session's token.
func (k Service) OwnForm(s Session, token string) bool {
	return hmac.Equal([]byte(token), []byte(k.FormToken(s)))
}

// holdable tells whether PostgreSQL can hold a text, and so whether it is worth asking for.
func isStorable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }
