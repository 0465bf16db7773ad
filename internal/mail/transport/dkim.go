package transport

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	gomail "github.com/wneessen/go-mail"

	"konbit/internal/platform/email"
)

// DKIM is a key that signs emails of one domain (RFC 6376).
type DKIM struct {
	Domain   string
	Selector string
	key      crypto.Signer
}

// ReadDKIM reads a private key from PEM. It reports an error unless the key is RSA of at least 2048 bits (RFC 8301) or
// Ed25519 (RFC 8463), and the domain and the selector are valid host names.
func ReadDKIM(domain, selector, pem string) (DKIM, error) {
	key, err := gomail.PrivKeyFromPEM([]byte(pem))
	if err != nil {
		return DKIM{}, errors.New("want a private key, RSA or Ed25519, as PEM: openssl genrsa 2048")
	}
	if weak, ok := key.(*rsa.PrivateKey); ok && weak.N.BitLen() < 2048 {
		return DKIM{}, fmt.Errorf("is an RSA key of %d bits; mail servers want 2048: openssl genrsa 2048", weak.N.BitLen())
	}
	if !isHost(domain) || !isHost(selector) {
		return DKIM{}, errors.New("goes with a domain such as example.org and a selector such as konbit1")
	}
	return DKIM{strings.ToLower(domain), selector, key}, nil
}

func isHost(name string) bool {
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_.") == ""
}

// Name returns the DNS name where the public key is published.
func (k DKIM) Name() string { return k.Selector + "._domainkey." + k.Domain }

// Record returns the DNS TXT record with the public key.
func (k DKIM) Record() string {
	if public, ok := k.key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(k.key.Public())
	if err != nil {
		return "" // does not happen: ReadDKIM accepts no such key
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// covers reports whether the key may sign for a domain: its own, or a subdomain of it (relaxed alignment of RFC 7489).
func (k DKIM) covers(domain string) bool {
	return domain == k.Domain || strings.HasSuffix(domain, "."+k.Domain)
}

// KeyFor returns the key with the longest domain that covers the sender's; nil if there is none, and the email is not
// signed.
func KeyFor(keys []DKIM, from string) (best *DKIM) {
	domain, err := email.DomainOf(from)
	if err != nil {
		return nil
	}
	for i, k := range keys {
		if k.covers(domain) && (best == nil || len(k.Domain) > len(best.Domain)) {
			best = &keys[i]
		}
	}
	return best
}

// sign returns the message with a signature before it. The signature covers the fields that readers see, and those that
// stop this kind of email, as RFC 8058 requires.
func (k *DKIM) sign(message []byte) ([]byte, error) {
	covered := []string{"From", "To", "Subject", "Date"}
	for _, name := range []string{"List-Unsubscribe", "List-Unsubscribe-Post"} {
		if from, end := field(message, name); from < end {
			covered = append(covered, name)
		}
	}
	var signed bytes.Buffer
	signed.Grow(len(message) + 1<<10)
	err := dkim.Sign(&signed, bytes.NewReader(message), &dkim.SignOptions{
		Domain: k.Domain, Selector: k.Selector, Signer: k.key, HeaderKeys: covered,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
	})
	return signed.Bytes(), err
}
