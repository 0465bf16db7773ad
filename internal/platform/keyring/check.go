package keyring

import (
	"bytes"
	"errors"
	"slices"
)

// minSize is the least length of a key in bytes (NIST SP 800-107, 5.3.4: as long as the hash).
const minSize = 32

// minDifferent is how many different bytes a key must have. 32 random bytes have fewer than once in 10^14 keys.
const minDifferent = 16

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
