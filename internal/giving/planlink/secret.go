package planlink

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"github.com/google/uuid"
)

// Purposes of the hashes. Links in emails already sent and stored rows depend on them, so they never change.
const (
	tokenPurpose = "plan link token: "
	codePurpose  = "plan link code: "
	macPurpose   = "plan link code typed: "
)

// Secrets are what the email contains of a link.
type Secrets struct {
	Token string // 160 bits, base64url
	Code  string // 50 bits, as printed: two groups of five characters
}

// alphabet has no letters that look like digits (I, L, O) and no U (Crockford's base 32).
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// codeLength is the length of a code without its hyphen. With a hundred thousand valid links, a million guesses find
// one of them with a probability of about one in ten thousand, so that limits for each network suffice and strangers
// cannot use up what a donor needs.
const codeLength = 10

// secrets returns the secrets of a link by each key, those of the current key first. They have no id of their key: the
// database knows the link.
func (l Links) secrets(id uuid.UUID) []Secrets {
	tokens := l.Keys.Hashes(tokenPurpose, string(id[:]))
	all := make([]Secrets, len(tokens))
	for i, codeBits := range l.Keys.Hashes(codePurpose, string(id[:])) {
		code := make([]byte, codeLength)
		for j, b := range codeBits[:codeLength] {
			code[j] = alphabet[b%32]
		}
		all[i] = Secrets{
			Token: base64.RawURLEncoding.EncodeToString(tokens[i][:20]),
			Code:  string(code[:codeLength/2]) + "-" + string(code[codeLength/2:]),
		}
	}
	return all
}

// normalizeCode returns a typed code without what people add, and with what they meant.
func normalizeCode(typed string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		if strings.ContainsRune(alphabet, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// tokenHash returns the stored hash of a token. It needs no key, because a token is too long to be found by trying.
func tokenHash(token string) []byte {
	sum := sha256.Sum256([]byte(tokenPurpose + token))
	return sum[:]
}

// codeMACs returns the hash of a code by each key, that of the current key first; one of them may be stored. It is keyed,
// because a code is short enough to be found by trying all.
func (l Links) codeMACs(code string) [][]byte { return l.Keys.Hashes(macPurpose, code) }
