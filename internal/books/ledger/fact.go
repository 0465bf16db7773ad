package ledger

import (
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Fact is what happened, as its source reported it: the object, the amount, the currency. It does not say how it is
// booked, so a changed policy books the next fact differently, and a replay of this one remains a replay. A pair with
// an empty value counts as absent, so a new name leaves the hashes of earlier facts as they are.
//
//	Fact{"payment_intent": "pi_3P…", "amount": "2000", "currency": "USD"}
type Fact map[string]string

// hash returns the SHA-256 of the fact's canonical form: names in byte order, each name and value as "length:bytes"
// (the netstrings of https://cr.yp.to/proto/netstrings.txt, without the comma).
func (f Fact) hash() [sha256.Size]byte {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if value := f[name]; value != "" {
			_, _ = io.WriteString(h, fmt.Sprintf("%d:%s%d:%s", len(name), name, len(value), value)) // a hash never fails
		}
	}
	return [sha256.Size]byte(h.Sum(nil))
}
