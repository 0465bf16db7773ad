package main

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
	"konbit/internal/mail"
	"konbit/internal/platform/email"
)

// resolver looks up TXT records; net.DefaultResolver is one.
type resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
}

// reserved are the domains that no DNS knows (RFC 2606), as in the demo.
var reserved = []string{"example", "test", "invalid", "localhost"}

// mail looks up, for each sender, the DNS records by which mail servers tell our letters from forged ones.
func (d *doctor) mail(ctx context.Context, db *sqlx.DB, dns resolver) {
	entities, err := org.Entities(ctx, db)
	if err != nil {
		d.report("senders", err)
		return
	}
	var looked []string
	for _, e := range entities {
		domain, err := email.DomainOf(e.MailFrom)
		if err != nil {
			d.report("sender of "+e.Slug, err)
			continue
		}
		if !slices.Contains(looked, domain) {
			looked = append(looked, domain)
			d.sender(ctx, dns, e.MailFrom, domain)
		}
	}
}

// sender looks at the records of one sender. Bounces go to MAIL_FROM where it is set, and SPF speaks of that domain.
func (d *doctor) sender(ctx context.Context, dns resolver, from, domain string) {
	envelope := domain
	if d.config.MailFrom != "" {
		envelope, _ = email.DomainOf(d.config.MailFrom) // read before, with the settings
	}
	if slices.Contains(reserved, domain[strings.LastIndex(domain, ".")+1:]) {
		d.findings = append(d.findings, finding{Check: "DNS of " + domain, OK: true, Note: "a domain for examples, which no mail server trusts"})
		return
	}
	d.report("SPF of "+envelope, checkSPF(ctx, dns, envelope, d.config.SMTPURL))
	d.report("DKIM of "+domain, checkDKIM(ctx, dns, d.config.DKIM, from, domain))
	d.report("DMARC of "+domain, checkDMARC(ctx, dns, domain))
}

// records lists the TXT records at name that begin with a mark; none is no error.
func records(ctx context.Context, dns resolver, name, mark string) ([]string, error) {
	all, err := dns.LookupTXT(ctx, name)
	var missing *net.DNSError
	if errors.As(err, &missing) && missing.IsNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the TXT records at %s could not be looked up: %w", name, err)
	}
	return slices.DeleteFunc(all, func(r string) bool { return !strings.HasPrefix(strings.ToLower(r), strings.ToLower(mark)) }), nil
}

// checkSPF wants exactly one record (RFC 7208, 4.5).
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
		return fmt.Errorf("there are %d at %s, and so none counts: leave one", len(found), domain)
	}
}

// checkDKIM wants a key that fits the sender and its public half in the DNS.
func checkDKIM(ctx context.Context, dns resolver, keys []mail.DKIM, from, domain string) error {
	key := mail.KeyFor(keys, from)
	if key == nil {
		return fmt.Errorf("letters from %s go unsigned: set MAIL_DKIM_DOMAIN=%[1]s, MAIL_DKIM_SELECTOR and MAIL_DKIM_KEY (see .env.example)", domain)
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
		return fmt.Errorf("the record at %s is of another key; make it: %s", key.Name(), key.Record())
	}
	return fmt.Errorf("publish a TXT record at %s: %s", key.Name(), key.Record())
}

// publicKey is the p= of a DKIM record.
func publicKey(record string) string {
	for tag := range strings.SplitSeq(record, ";") {
		if key, ok := strings.CutPrefix(strings.TrimSpace(tag), "p="); ok {
			return strings.Join(strings.Fields(key), "")
		}
	}
	return ""
}

// checkDMARC wants a policy at the domain or one above it, and one that says to do something.
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
				return fmt.Errorf("the policy at _dmarc.%s lets forged letters through (p=none): once SPF and DKIM are in order make it p=reject", at)
			}
		}
		return nil
	}
	return fmt.Errorf("publish a TXT record at _dmarc.%s: v=DMARC1; p=reject; rua=mailto:postmaster@%[1]s", domain)
}
