package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"slices"
)

// sealMark begins each seal. A view of the database reads it and the id after it (sealed_by_key).
const sealMark = "key1"

// ErrSealed means that no key of the ring made the seal, or that it was changed.
var ErrSealed = errors.New("keyring: cannot be opened with SECRET_KEY or SECRET_KEY_OLD")

// Seal encrypts text with the current key. The result can be opened only with the same purpose and the same about.
// Without a key it returns ErrSealed.
func (r Ring) Seal(purpose string, text, about []byte) ([]byte, error) {
	if r.IsEmpty() {
		return nil, ErrSealed
	}
	box, err := r.keys[0].box(purpose)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // documented never to fail
	return box.Seal(append(r.SealPrefix(), nonce...), nonce, text, about), nil
}

// SealPrefix returns the first 8 bytes of each seal of the current key; nil without a key.
func (r Ring) SealPrefix() []byte {
	if r.IsEmpty() {
		return nil
	}
	return append([]byte(sealMark), r.keys[0].fingerprint.id()...)
}

// Open returns the text of a seal by any key; ErrSealed if there is none. It also opens seals of the previous release,
// which begin with the nonce.
func (r Ring) Open(purpose string, sealed, about []byte) ([]byte, error) {
	body := sealed
	if r.names(sealed) {
		body = sealed[len(sealMark)+idSize:]
	}
	for _, candidate := range [][]byte{body, sealed} { // a nonce of the previous release may look like a mark and an id
		for _, k := range r.keys {
			box, err := k.box(purpose)
			if err != nil {
				return nil, err
			}
			n := box.NonceSize()
			if len(candidate) < n {
				continue
			}
			if text, err := box.Open(nil, candidate[:n], candidate[n:], about); err == nil {
				return text, nil
			}
		}
	}
	return nil, ErrSealed
}

// names reports whether a seal names a key of the ring.
func (r Ring) names(sealed []byte) bool {
	rest, marked := bytes.CutPrefix(sealed, []byte(sealMark))
	return marked && slices.ContainsFunc(r.keys, func(k key) bool { return bytes.HasPrefix(rest, k.fingerprint.id()) })
}

// box returns the cipher of one purpose.
func (k key) box(purpose string) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.derived(purpose))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
