package doctor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/org"
	"konbit/internal/mail/transport"
	"konbit/internal/platform/email"
)

// resolver looks up TXT records, as net.DefaultResolver does.
type resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// reserved are top-level domains that no DNS has (RFC 2606). The demo uses them.
var reserved = []string{"example", "test", "invalid", "localhost"}

// mail checks the DNS records of each sender by which mail servers distinguish our emails from forged ones.
func (d *Doctor) mail(ctx context.Context, db *sqlx.DB, dns resolver) {
	entities, err := org.Entities(ctx, db)
	if err != nil {
		d.Report("senders", err)
		return
	}
	var looked []string
	for _, e := range entities {
		domain, err := email.DomainOf(e.MailFrom)
		if err != nil {
			d.Report("sender of "+e.Slug, err)
			continue
		}
		if !slices.Contains(looked, domain) {
			looked = append(looked, domain)
			d.sender(ctx, dns, e.MailFrom, domain)
		}
	}
}

// sender checks the records of one sender. SPF is about the envelope sender: the domain of MAIL_FROM if it is set,
// else of the sender.
func (d *Doctor) sender(ctx context.Context, dns resolver, from, domain string) {
	envelope := domain
	if d.Settings.MailFrom != "" {
		envelope, _ = email.DomainOf(d.Settings.MailFrom) // checked when the settings were read
	}
	if slices.Contains(reserved, domain[strings.LastIndex(domain, ".")+1:]) {
		d.Note("DNS of "+domain, "a reserved domain for examples, which no mail server trusts")
		return
	}
	d.Report("SPF of "+envelope, checkSPF(ctx, dns, envelope, d.Settings.SMTPURL))
	d.Report("DKIM of "+domain, checkDKIM(ctx, dns, d.Settings.DKIM, from, domain))
	d.Report("DMARC of "+domain, checkDMARC(ctx, dns, domain))
}

// records returns the TXT records at name that begin with a prefix. Having none is not an error.
func records(ctx context.Context, dns resolver, name, prefix string) ([]string, error) {
	all, err := dns.LookupTXT(ctx, name)
	var missing *net.DNSError
	if errors.As(err, &missing) && missing.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the TXT records at %s could not be looked up: %w", name, err)
	}
	return slices.DeleteFunc(all, func(r string) bool { return !strings.HasPrefix(strings.ToLower(r), strings.ToLower(prefix)) }), nil
}

// checkSPF requires exactly one record (RFC 7208, section 4.5).
func checkSPF(ctx context.Context, dns resolver, domain, smtpURL string) error {
	found, err := records(ctx, dns, domain, "v=spf1")
	if err != nil {
		return err
	}
	server := "mail.example.org"
	if u, err := url.Parse(smtpURL); err == nil && u.Hostname() != "" {
		server = u.Hostname()
	}
	switch len(found) {
	case 0:
		return fmt.Errorf("publish a TXT record at %s: v=spf1 a:%s ~all\n(or what the mail server's provider says)", domain, server)
	case 1:
		return nil
	default:
		return fmt.Errorf("there are %d records at %s, so none is valid: keep one", len(found), domain)
	}
}

// checkDKIM requires a key for the sender's domain and its public part in the DNS.
func checkDKIM(ctx context.Context, dns resolver, keys []transport.DKIM, from, domain string) error {
	key := transport.KeyFor(keys, from)
	if key == nil {
		return fmt.Errorf("emails from %s are not signed: set MAIL_DKIM_DOMAIN=%[1]s, MAIL_DKIM_SELECTOR and MAIL_DKIM_KEY (see .env.example)", domain)
	}
	found, err := records(ctx, dns, key.Name(), "")
	if err != nil {
		return err
	}
	for _, record := range found {
		if publicKey(record) == publicKey(key.Record()) {
			return nil
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("the record at %s is of another key; change it to: %s", key.Name(), key.Record())
	}
	return fmt.Errorf("publish a TXT record at %s: %s", key.Name(), key.Record())
}

// publicKey returns the tag p= of a DKIM record, without spaces.
func publicKey(record string) string {
	for tag := range strings.SplitSeq(record, ";") {
		if key, ok := strings.CutPrefix(strings.TrimSpace(tag), "p="); ok {
			return strings.Join(strings.Fields(key), "")
		}
	}
	return ""
}

// checkDMARC requires a policy other than none at the domain or at one of its parent domains (RFC 7489).
func checkDMARC(ctx context.Context, dns resolver, domain string) error {
	for at := domain; strings.Contains(at, "."); _, at, _ = strings.Cut(at, ".") {
		found, err := records(ctx, dns, "_dmarc."+at, "v=DMARC1")
		if err != nil {
			return err
		}
		if len(found) == 0 {
			continue
		}
		for tag := range strings.SplitSeq(found[0], ";") {
			name, policy, _ := strings.Cut(strings.TrimSpace(tag), "=")
			if strings.TrimSpace(name) == "p" && strings.TrimSpace(policy) == "none" {
				return fmt.Errorf("the policy at _dmarc.%s accepts forged emails (p=none): change it to p=reject after SPF and DKIM are correct", at)
			}
		}
		return nil
	}
	return fmt.Errorf("publish a TXT record at _dmarc.%s: v=DMARC1; p=reject; rua=mailto:postmaster@%[1]s", domain)
}
