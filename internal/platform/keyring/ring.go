package keyring

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
)

// Ring is the keys of an installation. It is safe for concurrent use. The zero Ring has no key: it makes nothing that is
// valid, and nothing is valid for it.
type Ring struct {
	keys []key // the current one first
}

type key struct {
	secret      []byte
	fingerprint Fingerprint
}

// New returns a ring. Other keys that are empty or given twice are left out. Without a current key the ring is empty.
func New(current []byte, others ...[]byte) Ring {
	var r Ring
	if len(current) == 0 {
		return r
	}
	for _, secret := range append([][]byte{current}, others...) {
		k := key{secret: bytes.Clone(secret)}
		copy(k.fingerprint[:], k.mac("konbit key ring", "fingerprint"))
		if len(secret) > 0 && !r.Has(k.fingerprint) {
			r.keys = append(r.keys, k)
		}
	}
	return r
}

// Fingerprint names a key without revealing it.
type Fingerprint [8]byte

// String returns 16 hexadecimal digits.
func (f Fingerprint) String() string { return hex.EncodeToString(f[:]) }

// ID returns the id of the key in tags and seals, as 8 hexadecimal digits: the beginning of the fingerprint.
func (f Fingerprint) ID() string { return hex.EncodeToString(f.id()) }

func (f Fingerprint) id() []byte { return f[:idSize] }

// Fingerprints returns the fingerprints of all keys, that of the current key first.
func (r Ring) Fingerprints() []Fingerprint {
	all := make([]Fingerprint, len(r.keys))
	for i, k := range r.keys {
		all[i] = k.fingerprint
	}
	return all
}

// Format writes the fingerprints, with every verb: a log or an error never contains a key.
func (r Ring) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprint(f, r.Fingerprints()) // fmt.State has the error
}

// IsEmpty reports whether the ring has no key.
func (r Ring) IsEmpty() bool { return len(r.keys) == 0 }

// Has reports whether the ring has the key with that fingerprint.
func (r Ring) Has(f Fingerprint) bool {
	return slices.ContainsFunc(r.keys, func(k key) bool { return k.fingerprint == f })
}

const (
	idSize  = 4
	macSize = 16 // enough for a value that can only be tried against the server
	// TagSize is the length of a tag in bytes.
	TagSize = idSize + macSize
)

// Sign returns the tag of parts, made with the current key. Without a key it returns nil.
func (r Ring) Sign(purpose string, parts ...string) []byte {
	if r.IsEmpty() {
		return nil
	}
	k := r.keys[0]
	return append(bytes.Clone(k.fingerprint.id()), k.mac(purpose, parts...)[:macSize]...)
}

// Verify reports whether tag is the tag of parts by any key. It also accepts their Hash, whole or its first 16 bytes:
// the program of the previous release signed with it.
func (r Ring) Verify(tag []byte, purpose string, parts ...string) bool {
	valid := false
	for _, k := range r.keys { // all of them: the time does not reveal which key fits
		mac := k.mac(purpose, parts...)
		switch len(tag) {
		case TagSize:
			valid = hmac.Equal(tag, append(bytes.Clone(k.fingerprint.id()), mac[:macSize]...)) || valid
		case macSize, sha256.Size:
			valid = hmac.Equal(tag, mac[:len(tag)]) || valid
		}
	}
	return valid
}

// Hash returns the keyed hash (32 bytes) of parts by the current key. Without the key it cannot be computed, so what is
// hashed cannot be found by trying. Without a key it returns nil.
func (r Ring) Hash(purpose string, parts ...string) []byte {
	if r.IsEmpty() {
		return nil
	}
	return r.keys[0].mac(purpose, parts...)
}

// Hashes returns the keyed hash of parts by each key, that of the current key first. A stored hash may be any of them.
func (r Ring) Hashes(purpose string, parts ...string) [][]byte {
	all := make([][]byte, len(r.keys))
	for i, k := range r.keys {
		all[i] = k.mac(purpose, parts...)
	}
	return all
}

// Any reports whether valid returns true for the bytes of any key. It is for what an earlier release made in a form of its
// own; nothing new is made so.
func (r Ring) Any(valid func(secret []byte) bool) bool {
	found := false
	for _, k := range r.keys {
		found = valid(k.secret) || found
	}
	return found
}

// Derived returns a key of 32 bytes for one purpose (HKDF), derived from each key, that of the current key first.
func (r Ring) Derived(purpose string) [][]byte {
	all := make([][]byte, len(r.keys))
	for i, k := range r.keys {
		all[i] = k.derived(purpose)
	}
	return all
}

func (k key) derived(purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, k.secret, nil, purpose, sha256.Size)
	if err != nil {
		panic(err) // only for a length that no key has
	}
	return derived
}

// mac returns the HMAC-SHA-256 of purpose and parts, each with its length before it.
func (k key) mac(purpose string, parts ...string) []byte {
	h := hmac.New(sha256.New, k.secret)
	for _, part := range append([]string{purpose}, parts...) {
		h.Write([]byte(strconv.Itoa(len(part)) + ":" + part))
	}
	return h.Sum(nil)
}
