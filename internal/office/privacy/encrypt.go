package privacy

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"github.com/google/uuid"

	"konbit/internal/platform/email"
)

// key is one made of the installation's secret, for one use alone.
func (k Eraser) key(use string) ([]byte, error) {
	return hkdf.Key(sha256.New, k.Secret, nil, "konbit privacy "+use, 32)
}

// seal encrypts text (AES-256-GCM), bound to its use and to what it is about: it opens nowhere else.
func (k Eraser) seal(use string, text []byte, about uuid.UUID) ([]byte, error) {
	box, err := k.box(use)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // documented never to fail
	return box.Seal(nonce, nonce, text, about[:]), nil
}

// errSealed is the answer to what another secret sealed, or was changed since.
var errSealed = errors.New("privacy: it does not open with this SECRET_KEY")

func (k Eraser) open(use string, sealed []byte, about uuid.UUID) ([]byte, error) {
	box, err := k.box(use)
	if err != nil || len(sealed) < box.NonceSize() {
		return nil, errors.Join(err, errSealed)
	}
	text, err := box.Open(nil, sealed[:box.NonceSize()], sealed[box.NonceSize():], about[:])
	if err != nil {
		return nil, errSealed
	}
	return text, nil
}

func (k Eraser) box(use string) (cipher.AEAD, error) {
	key, err := k.key(use)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// mac is the keyed hash of an address: whoever has the list alone cannot tell by trying addresses.
func (k Eraser) mac(address string) []byte {
	key, err := k.key("list")
	if err != nil {
		panic(err) // only for a length no hash has
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(email.Normalize(address)))
	return h.Sum(nil)
}

// Hashes are the keyed hashes of addresses, as the list has them.
func (k Eraser) Hashes(addresses []string) [][]byte {
	all := make([][]byte, len(addresses))
	for i, address := range addresses {
		all[i] = k.mac(address)
	}
	return all
}
