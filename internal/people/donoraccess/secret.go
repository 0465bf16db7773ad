package donoraccess

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"konbit/internal/people/session"
	"konbit/internal/platform/clean"
)

// purpose is part of each hash. Stored hashes contain it, so it never changes.
const purpose = "konbit access"

// codeDigits is the length of a code. With the allowed guesses an hour, about one attack in millions succeeds.
const codeDigits = 8

var codes = new(big.Int).Exp(big.NewInt(10), big.NewInt(codeDigits), nil)

// newCode returns a random code: digits only.
func newCode() (string, error) {
	n, err := rand.Int(rand.Reader, codes)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

// normalizeCode returns the digits of a typed code. People type groups, spaces and dashes, and some
// keyboards type digits of another script.
func normalizeCode(typed string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, clean.Code(typed))
}

// hashOf returns the stored hash of a secret of 256 bits. use separates links and browsers.
func hashOf(use, secret string) []byte { return session.HashSecret(purpose+" "+use, secret) }

// maxBrowsers is how many requests a browser's cookie remembers. Their links and codes are valid for ten minutes.
const maxBrowsers = 5

// AddBrowser returns the new value of the cookie of a browser that made a request with a secret. asked is its value before:
// the secrets of earlier requests stay, so that their emails, which may come late, still open a session.
func AddBrowser(asked, secret string) string {
	return strings.Join(append([]string{secret}, splitBrowsers(asked, maxBrowsers-1)...), ".")
}

// splitBrowsers returns at most n secrets of a cookie. It ignores the others.
func splitBrowsers(asked string, n int) (secrets []string) {
	for _, secret := range strings.SplitN(asked, ".", n+1) {
		if secret != "" && len(secrets) < n {
			secrets = append(secrets, secret)
		}
	}
	return secrets
}

// browserHashes returns the stored hashes of the secrets in the cookies of a browser.
func browserHashes(cookies ...string) (hashes [][]byte) {
	for _, cookie := range cookies {
		for _, secret := range splitBrowsers(cookie, maxBrowsers) {
			hashes = append(hashes, hashOf("browser", secret))
		}
	}
	return hashes
}

// codeMAC returns the stored hash of a code. It is keyed, because a code is short enough to be found by trying all. It
// lives for ten minutes and has no room for the id of its key: isCode tries all keys.
func (s Service) codeMAC(signIn uuid.UUID, code string) []byte {
	return s.Keys.Hash(purpose, "code", signIn.String(), code)
}

// isCode reports whether mac is the stored hash of a code.
func (s Service) isCode(mac []byte, signIn uuid.UUID, code string) bool {
	return s.Keys.Verify(mac, purpose, "code", signIn.String(), code)
}

// isStorable reports whether PostgreSQL can store a text: valid UTF-8 without NUL. Other texts are in no row.
func isStorable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }
