package installation

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"konbit/internal/platform/keyring"
)

// Recorded is what the database knows. The zero value knows nothing.
type Recorded struct {
	Key       string // fingerprint of SECRET_KEY
	KeySince  time.Time
	Address   string // BASE_URL, as address returns it
	AddressAt time.Time
}

// Errors of a process whose settings are not those of the installation.
var (
	ErrKey     = errors.New("this SECRET_KEY is not the one of the installation")
	ErrAddress = errors.New("this BASE_URL is not the one of the installation")
	ErrNoKey   = errors.New("SECRET_KEY is not set")
)

// CheckKey returns ErrKey if no key of the ring is the recorded one. While a key replaces another, the recorded one may
// be an old key of the ring.
func (r Recorded) CheckKey(keys keyring.Ring) error {
	if r.Key == "" {
		return nil
	}
	var given []string
	for _, f := range keys.Fingerprints() {
		if f.String() == r.Key {
			return nil
		}
		given = append(given, f.String())
	}
	return fmt.Errorf("%w: its fingerprint is %s, and the database has recorded %s since %s. "+
		"Set the key of the other servers; to replace a key, set SECRET_KEY_OLD to the recorded one and follow running/keys.md",
		ErrKey, strings.Join(given, ", "), r.Key, r.KeySince.UTC().Format("2006-01-02 UTC"))
}

// CheckOwner reports an error if settings that are about to change the installation may be those of another one: ErrKey by
// CheckKey; ErrNoKey if there is no key to compare although one is recorded, and the settings have another address, or
// standIn is true: they name a stand-in for Stripe, with which the business clock may be moved. base may be nil.
func (r Recorded) CheckOwner(keys keyring.Ring, base *url.URL, standIn bool) error {
	if !keys.IsEmpty() {
		return r.CheckKey(keys)
	}
	other := r.CheckAddress(base) != nil
	if r.Key == "" || !other && !standIn {
		return nil
	}
	what := "STRIPE_API_URL names a stand-in for Stripe"
	if other {
		what = fmt.Sprintf("BASE_URL is %s", address(base))
	}
	return fmt.Errorf("%w: so nothing says that these settings are those of the installation, which has recorded a key since %s and the address %s. %s: "+
		"set SECRET_KEY, or leave this setting out", ErrNoKey, r.KeySince.UTC().Format(time.DateOnly), r.Address, what)
}

// CheckAddress returns ErrAddress if the address of the pages is not the recorded one.
func (r Recorded) CheckAddress(base *url.URL) error {
	if r.Address == "" || base == nil || address(base) == r.Address {
		return nil
	}
	return fmt.Errorf("%w: it is %s, and the database has recorded %s since %s. Links under it may be wrong, so no emails are sent. "+
		"Set the recorded address; if the address has changed, run konbit migrate with the new one",
		ErrAddress, address(base), r.Address, r.AddressAt.UTC().Format("2006-01-02 UTC"))
}

// address returns a URL in the form that is recorded and compared: host in lower case, no slash at the end.
func address(base *url.URL) string {
	u := *base
	u.Host = strings.ToLower(u.Host)
	return strings.TrimRight(u.String(), "/")
}
