package app

import (
	"cmp"
	"errors"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"konbit/internal/mail/transport"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/processor/stripepay"
)

// Settings are all values that the services need from outside. cmd/konbit reads them from the environment.
type Settings struct {
	DatabaseURL    string   // with the server's role, which owns no table
	BaseURL        *url.URL // the address of the pages as donors see it
	OfficeURL      *url.URL // the address of the office, if it has a host of its own; else nil
	Stripe         map[string]stripepay.Keys
	StripeAPIURL   string // empty: Stripe's own address; else the address of a stand-in, whose clock is followed
	SMTPURL        string
	MailFrom       string // envelope sender of all emails
	DKIM           []transport.DKIM
	AuditMail      []string // plain addresses that get the daily digest of the books; may be empty
	Security       string   // email address in security.txt; empty: the addresses of the legal entities
	SecretKey      []byte   // 32 bytes or more; signs links and seals erased facts
	OldSecretKeys  [][]byte // others that are accepted while one replaces another
	ErasuresFile   string   // path of the list of erasures; empty: the list is not written
	GiveLimits     guard.Limits
	SignInLimits   donoraccess.Limits
	TrustedProxies []netip.Prefix
	StyleGuide     bool          // show /_styleguide
	RequestTimeout time.Duration // how long a page waits for the database; zero: pg.DefaultRequestTimeout
	CatalogAge     time.Duration // how old the catalog in memory may be; zero: CatalogAge
}

const (
	// CatalogAge is after how long a change made by `konbit apply` is visible at the latest.
	CatalogAge = 2 * time.Second

	workerConnections = 16 // database connections of the background work
	pageConnections   = 22 // database connections of donors' pages and webhooks; the background work uses none of them
	officeConnections = 6  // database connections of pages of staff, so that neither they nor donors wait for the other
	jobSlots          = 25 // jobs at once, shared by the queues (jobs.QueueName); half of them are emails
)

// OfficeSite returns the address under which staff open the office.
func (s Settings) OfficeSite() *url.URL { return cmp.Or(s.OfficeURL, s.BaseURL) }

// CheckOfficeURL reports an error if OFFICE_URL is not another host than BASE_URL, opened the same way.
func (s Settings) CheckOfficeURL() error {
	switch {
	case s.OfficeURL == nil || s.BaseURL == nil:
	case strings.EqualFold(s.OfficeURL.Host, s.BaseURL.Host):
		return errors.New("has the host of BASE_URL: give the office a host of its own, or leave it empty")
	case s.OfficeURL.Scheme != s.BaseURL.Scheme:
		return errors.New("has another scheme than BASE_URL: give both https")
	case strings.Trim(s.OfficeURL.Path, "/") != "":
		return errors.New("has a path: want an address such as https://office.example.org")
	}
	return nil
}

// Keys returns the keys that sign and seal.
func (s Settings) Keys() keyring.Ring { return keyring.New(s.SecretKey, s.OldSecretKeys...) }

// CheckProxies reports an error if BASE_URL is https and no proxy is trusted. The program does not terminate TLS, so
// a proxy does; without TRUSTED_PROXIES all donors would have the proxy's address.
func (s Settings) CheckProxies() error {
	if s.BaseURL != nil && s.BaseURL.Scheme == "https" && len(s.TrustedProxies) == 0 {
		return errors.New("TRUSTED_PROXIES is not set, so GIVE_LIMITS counts all donors behind the proxy that terminates TLS as one: " +
			"set it to the address of that proxy, e.g. 127.0.0.1")
	}
	return nil
}

// HookAddress returns the address under BASE_URL that Stripe sends an entity's webhooks to.
func (s Settings) HookAddress(entitySlug string) string {
	return strings.TrimSuffix(s.BaseURL.String(), "/") + "/hooks/stripe/" + entitySlug
}
