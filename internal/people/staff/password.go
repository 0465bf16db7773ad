package staff

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/trustelem/zxcvbn"
	"golang.org/x/crypto/argon2"
)

// Parameters of argon2id (OWASP Password Storage Cheat Sheet). A stored hash has its own.
const (
	argonMemory = 19 << 10 // KiB
	argonTime   = 2
	argonLanes  = 1
	argonKey    = 32
)

// Lengths of a password, in characters. The program compares at most longestPassword.
const (
	shortestPassword = 8
	longestPassword  = 128
)

// hashing bounds how many hashes are computed at the same time, because each takes memory.
var hashing = make(chan struct{}, 4)

// hashPassword returns the hash that is stored, in PHC's format.
func hashPassword(password string) string {
	var salt [16]byte
	_, _ = rand.Read(salt[:]) // documented never to fail
	key := derive(password, salt[:], argonTime, argonMemory, argonLanes, argonKey)
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		base64.RawStdEncoding.EncodeToString(salt[:]), base64.RawStdEncoding.EncodeToString(key))
}

func derive(password string, salt []byte, times, memory uint32, lanes uint8, size int) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, times, memory, lanes, uint32(size))
}

// nobodysPassword is a hash that is compared if there is no account, so that an unknown address takes the same time.
var nobodysPassword = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
	base64.RawStdEncoding.EncodeToString(make([]byte, 16)), base64.RawStdEncoding.EncodeToString(make([]byte, argonKey)))

// isPassword reports whether a stored hash is of this password. hash may be empty: it then does the same work.
func isPassword(hash, password string) bool {
	known := hash != ""
	if !known {
		hash = nobodysPassword
	}
	parts := strings.Split(hash, "$") // "", argon2id, v=19, m=…, salt, key
	if len(parts) != 6 || utf8.RuneCountInString(password) > longestPassword {
		return false
	}
	var memory, times uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &times, &lanes); err != nil {
		return false
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(parts[4])
	want, errKey := base64.RawStdEncoding.DecodeString(parts[5])
	if errSalt != nil || errKey != nil || len(want) == 0 {
		return false
	}
	return subtle.ConstantTimeCompare(derive(password, salt, times, memory, lanes, len(want)), want) == 1 && known
}

// PasswordProblem returns the key of the phrase that says what is wrong with a new password of a person; empty if nothing
// is. A password must be hard to guess (zxcvbn, score 3 of 4) for somebody who knows the person's name and address.
func PasswordProblem(password string, of Session) string {
	switch n := utf8.RuneCountInString(password); {
	case n < shortestPassword:
		return "office.password.short"
	case n > longestPassword:
		return "office.password.long"
	}
	known := append(strings.FieldsFunc(of.Email+" "+of.Name, func(r rune) bool { return strings.ContainsRune(" @.-_", r) }), of.Email, of.Name, "konbit")
	if zxcvbn.PasswordStrength(password, known).Score < 3 {
		return "office.password.weak"
	}
	return ""
}
