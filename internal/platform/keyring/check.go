package keyring

import (
	"bytes"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
)

// minSize is the least length of a key in bytes (NIST SP 800-107, 5.3.4: as long as the hash).
const minSize = 32

// minDifferent is how many different bytes a key must have. 32 random bytes have fewer than once in 10^14 keys.
const minDifferent = 16

// Parse reads a key in hexadecimal and checks it; nil if there is none. Its errors do not repeat what was read.
func Parse(text string) ([]byte, error) {
	if text == "" {
		return nil, nil
	}
	secret, err := hex.DecodeString(text)
	if err != nil {
		return nil, errors.New("is not in hexadecimal")
	}
	return secret, Check(secret)
}

// ParseOld reads keys in hexadecimal, separated by commas. A weak one is accepted, so that it can be replaced, but not
// the public one. Its errors do not repeat what was read.
func ParseOld(text string) (all [][]byte, err error) {
	for _, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == ' ' }) {
		secret, err := hex.DecodeString(part)
		switch {
		case err != nil || len(secret) < minSize:
			return nil, errors.New("contains what is not 32 bytes in hexadecimal: give the key that SECRET_KEY was before; several are separated by commas")
		case IsPublic(secret):
			return nil, errors.New("contains the public key of .env.example, with which anybody can sign: leave it out")
		}
		all = append(all, secret)
	}
	return all, nil
}

// Check reports an error if a key cannot be random: it is too short, a placeholder, text, or follows a pattern.
func Check(secret []byte) error {
	switch {
	case len(secret) < minSize:
		return errors.New("is shorter than 32 bytes")
	case IsPublic(secret):
		return errors.New("is the public one of .env.example")
	case !bytes.ContainsFunc(secret, func(c rune) bool { return c < ' ' || c > '~' }):
		return errors.New("is text, not random bytes")
	case different(secret) < minDifferent || isSequence(secret):
		return errors.New("follows a pattern and is not random")
	}
	return nil
}

// IsPublic reports whether a key is the one of .env.example, which everybody knows.
func IsPublic(secret []byte) bool {
	return len(secret) > 0 && bytes.Count(secret, []byte{0}) == len(secret)
}

func different(secret []byte) int {
	sorted := slices.Sorted(slices.Values(secret))
	return len(slices.Compact(sorted))
}

// isSequence reports whether each byte differs from the one before by the same amount, as in 00 01 02 03 ….
func isSequence(secret []byte) bool {
	for i := 2; i < len(secret); i++ {
		if secret[i]-secret[i-1] != secret[1]-secret[0] {
			return false
		}
	}
	return true
}
