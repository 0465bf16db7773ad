package keyring

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
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
	sealed := append([]byte(sealMark), r.keys[0].fingerprint.id()...)
	return box.Seal(append(sealed, nonce...), nonce, text, about), nil
}

// Open returns the text of a seal by any key; ErrSealed if there is none. It also opens seals of the previous release,
// which begin with the nonce.
func (r Ring) Open(purpose string, sealed, about []byte) ([]byte, error) {
	body := sealed
	if r.keyOf(sealed) != nil {
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

// IsCurrent reports whether a seal names the current key as its maker.
func (r Ring) IsCurrent(sealed []byte) bool {
	k := r.keyOf(sealed)
	return k != nil && *k == r.keys[0].fingerprint
}

// keyOf returns the key of the ring that a seal names; nil if it names none.
func (r Ring) keyOf(sealed []byte) *Fingerprint {
	rest, marked := bytes.CutPrefix(sealed, []byte(sealMark))
	if !marked {
		return nil
	}
	for _, k := range r.keys {
		if bytes.HasPrefix(rest, k.fingerprint.id()) {
			return &k.fingerprint
		}
	}
	return nil
}

// box returns the cipher of one purpose.
func (k key) box(purpose string) (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.derived(purpose))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
