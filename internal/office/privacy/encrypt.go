package privacy

import (
	"crypto/hmac"
	"crypto/sha256"

	"github.com/google/uuid"

	"konbit/internal/platform/email"
	"konbit/internal/platform/keyring"
)

// What the seals of this package are for. Sealed rows depend on these texts, so they never change.
const (
	sealedPad       = "konbit privacy pad"
	sealedReceipt   = "konbit privacy receipt"
	sealedRecipient = "konbit privacy tell"
	listPurpose     = "konbit privacy list"
	tracePurpose    = "konbit privacy traces"
)

// errSealed is returned if another secret sealed the text, or if it was changed since.
var errSealed = keyring.ErrSealed

// seal encrypts text. The result can be opened only with the same purpose and the same id.
func (k Eraser) seal(purpose string, text []byte, about uuid.UUID) ([]byte, error) {
	return k.Keys.Seal(purpose, text, about[:])
}

func (k Eraser) open(purpose string, sealed []byte, about uuid.UUID) ([]byte, error) {
	return k.Keys.Open(purpose, sealed, about[:])
}

// macs returns the keyed hash of an address by each key, that of the current key first. Without a key, an address
// cannot be found in the list by trying.
func (k Eraser) macs(address string) (all [][]byte) {
	return k.macsOf(listPurpose, email.Normalize(address))
}

// traceMACs returns the mark of a day on which addresses were compared, by each key.
func (k Eraser) traceMACs(day string) [][]byte { return k.macsOf(tracePurpose, day) }

func (k Eraser) macsOf(purpose, text string) (all [][]byte) {
	for _, key := range k.Keys.Derived(purpose) {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(text))
		all = append(all, h.Sum(nil))
	}
	return all
}

// Hashes returns the keyed hashes of addresses, as the list contains them.
func (k Eraser) Hashes(addresses []string) [][]byte {
	all := make([][]byte, len(addresses))
	for i, address := range addresses {
		all[i] = k.macs(address)[0]
	}
	return all
}
