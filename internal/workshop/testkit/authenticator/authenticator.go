// Package authenticator stands in for what a person of the staff holds in the hand: a passkey and an authenticator app. It
// answers the prompts of package staff without a browser.
package authenticator

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
)

// Code returns the code of an authenticator app at a time (RFC 6238). The secret is in base32, with or without spaces.
func Code(secret string, at time.Time) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		panic("authenticator: the secret is not base32: " + err.Error())
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	at4 := sum[sum[len(sum)-1]&15:]
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(at4)&0x7fffffff)%1_000_000)
}

// Flags of an answer.
const (
	userPresent  = 1
	userVerified = 4
	attested     = 64
)

// Passkey is one passkey, for one site. Its fields may be changed to answer wrongly.
type Passkey struct {
	Origin     string // that the browser reports
	ID         []byte
	Counter    uint32 // of signatures; 0: it does not count
	Unverified bool   // the person was not verified (no PIN, no fingerprint)
	Type       string // of the client data; empty: the right one

	key  *ecdsa.PrivateKey
	user []byte
}

// New returns a passkey that is not registered yet.
func New(origin string) *Passkey {
	id := make([]byte, 16)
	_, _ = rand.Read(id)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("authenticator: " + err.Error())
	}
	return &Passkey{Origin: origin, ID: id, key: key}
}

// prompt is what of a prompt's options the passkey reads.
type prompt struct {
	Challenge string              `json:"challenge"`
	RPID      string              `json:"rpId"`
	RP        struct{ ID string } `json:"rp"`
	User      struct{ ID string } `json:"user"`
}

func read(options string) (p prompt) {
	if err := json.Unmarshal([]byte(options), &p); err != nil {
		panic("authenticator: the options are not JSON: " + err.Error())
	}
	return p
}

func (k *Passkey) clientData(kind, challenge string) []byte {
	if k.Type != "" {
		kind = k.Type
	}
	text, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": k.Origin, "crossOrigin": false})
	return text
}

func (k *Passkey) authData(rp string, more byte, rest []byte) []byte {
	flags := userPresent | userVerified | more
	if k.Unverified {
		flags &^= userVerified
	}
	hash := sha256.Sum256([]byte(rp))
	return append(binary.BigEndian.AppendUint32(append(hash[:], flags), k.Counter), rest...)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// answer returns the form's field: JSON in base64url.
func answer(nonce string, id []byte, response map[string]any) string {
	text, _ := json.Marshal(map[string]any{"nonce": nonce, "credential": map[string]any{
		"id": encode(id), "rawId": encode(id), "type": "public-key", "clientExtensionResults": map[string]any{}, "response": response,
	}})
	return encode(text)
}

// Register answers a prompt for a new passkey.
func (k *Passkey) Register(options, nonce string) string {
	p := read(options)
	k.user, _ = base64.RawURLEncoding.DecodeString(p.User.ID)
	cose, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: k.key.X.FillBytes(make([]byte, 32)), -3: k.key.Y.FillBytes(make([]byte, 32))})
	if err != nil {
		panic("authenticator: " + err.Error())
	}
	credential := binary.BigEndian.AppendUint16(make([]byte, 16), uint16(len(k.ID)))
	credential = append(append(credential, k.ID...), cose...)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": k.authData(p.RP.ID, attested, credential)})
	if err != nil {
		panic("authenticator: " + err.Error())
	}
	return answer(nonce, k.ID, map[string]any{
		"clientDataJSON": encode(k.clientData("webauthn.create", p.Challenge)), "attestationObject": encode(object), "transports": []string{"internal"},
	})
}

// Sign answers a prompt for a registered passkey.
func (k *Passkey) Sign(options, nonce string) string {
	p := read(options)
	if k.Counter > 0 {
		k.Counter++
	}
	data, client := k.authData(p.RPID, 0, nil), k.clientData("webauthn.get", p.Challenge)
	clientHash := sha256.Sum256(client)
	signed := sha256.Sum256(append(append([]byte{}, data...), clientHash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, k.key, signed[:])
	if err != nil {
		panic("authenticator: " + err.Error())
	}
	return answer(nonce, k.ID, map[string]any{
		"clientDataJSON": encode(client), "authenticatorData": encode(data), "signature": encode(signature), "userHandle": encode(k.user),
	})
}
