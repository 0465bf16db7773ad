package guard

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
)

// purpose is part of each hash and signature.
const purpose = "konbit guard"

// counterKey returns the key of a counter. It contains the window, so counts made under another setting do not mix.
// While servers are restarted with a new SECRET_KEY, each key has its own counts.
func (g *Guard) counterKey(kind, of string, l Limit) []byte {
	return g.keys.Hash(purpose, "counter", kind, l.Window.String(), of)[:16]
}

// AddressKey returns what counts as one address: an IPv4 address, or the /64 that one IPv6 subscriber has (RFC 6177).
// All requests without an address count as one.
func AddressKey(a netip.Addr) string { return masked(a, 32, 64) }

// NetworkKey returns what counts as one network: a /24, or the /48 of one IPv6 site.
func NetworkKey(a netip.Addr) string { return masked(a, 24, 48) }

func masked(a netip.Addr, bits4, bits6 int) string {
	a = a.Unmap().WithZone("")
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	prefix, err := a.Prefix(bits)
	if err != nil || !a.IsValid() {
		return "unknown"
	}
	return prefix.String()
}

// FormToken returns a token that proves when a form was shown: the one-time id of the form with a time and a signature.
func (g *Guard) FormToken(form uuid.UUID, at time.Time) string {
	stamp := strconv.FormatInt(at.UnixMilli(), 36)
	return form.String() + "." + stamp + "." + base64.RawURLEncoding.EncodeToString(g.keys.Sign(purpose, "form", form.String(), stamp))
}

// ParseFormToken returns the one-time id of a form and when it was shown. shown is zero if the token has no valid
// signature.
func (g *Guard) ParseFormToken(token string) (form uuid.UUID, shown time.Time, err error) {
	id, rest, signed := strings.Cut(token, ".")
	if form, err = uuid.Parse(id); err != nil || !signed {
		return form, time.Time{}, err
	}
	stamp, signature, _ := strings.Cut(rest, ".")
	ms, err := strconv.ParseInt(stamp, 36, 64)
	tag, tagErr := base64.RawURLEncoding.Strict().DecodeString(signature)
	if err != nil || tagErr != nil || !g.keys.Verify(tag, purpose, "form", form.String(), stamp) {
		return form, time.Time{}, nil //nolint:nilerr // shown is zero: the signature is not valid
	}
	return form, time.UnixMilli(ms), nil
}
