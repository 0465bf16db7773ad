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

// key returns a key derived from the installation's secret, for one use only.
func (k Eraser) key(use string) ([]byte, error) {
	return hkdf.Key(sha256.New, k.Secret, nil, "konbit privacy "+use, 32)
}

// seal encrypts text (AES-256-GCM). The result can be opened only with the same use and the same id.
func (k Eraser) seal(use string, text []byte, about uuid.UUID) ([]byte, error) {
	box, err := k.box(use)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, box.NonceSize())
	_, _ = rand.Read(nonce) // documented never to fail
	return box.Seal(nonce, nonce, text, about[:]), nil
}

// errSealed is returned if another secret sealed the text, or if it was changed since.
var errSealed = errors.New("privacy: cannot be opened with this SECRET_KEY")

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

// mac returns the keyed hash of an address. Without the key, an address cannot be found in the list by trying.
func (k Eraser) mac(address string) []byte {
	key, err := k.key("list")
	if err != nil {
		panic(err) // only for a length that no hash has
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(email.Normalize(address)))
	return h.Sum(nil)
}

// Hashes returns the keyed hashes of addresses, as the list contains them.
func (k Eraser) Hashes(addresses []string) [][]byte {
	all := make([][]byte, len(addresses))
	for i, address := range addresses {
		all[i] = k.mac(address)
	}
	return all
}
