package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"konbit/internal/platform/email"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/keyring"
	"konbit/internal/processor/stripepay"
)

// reader reads settings and collects what is wrong with them.
type reader struct {
	env      map[string]string
	asked    func(name string) // called with the name of each setting that is read
	problems []string
}

func (r *reader) wrong(name, why string) { r.problems = append(r.problems, name+" "+why) }

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return errors.New("settings:\n  " + strings.Join(r.problems, "\n  "))
}

// text returns the setting, or the content of the file that NAME_FILE names, or standard if neither is set.
func (r *reader) text(name, standard string) string {
	r.asked(name)
	value, path := r.env[name], r.env[name+"_FILE"]
	switch {
	case value != "" && path != "":
		r.wrong(name, "is set and so is "+name+"_FILE: unset one of them")
	case path != "":
		content, err := os.ReadFile(path)
		if err != nil {
			r.wrong(name+"_FILE", "cannot be read: "+err.Error())
		}
		value = strings.TrimSpace(string(content))
	}
	if value == "" {
		return standard
	}
	return value
}

// address reads an http or https URL.
func (r *reader) address(name string) *url.URL {
	text := r.text(name, "")
	if text == "" {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		r.wrong(name, fmt.Sprintf("is %q: want an address such as https://give.example.org", text))
		return nil
	}
	return u
}

// database reads the address of a database and checks it. The errors do not repeat the address, as the driver's
// would: it contains a password.
func (r *reader) database(name string) string {
	text := r.text(name, "")
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.User.Username() == "") {
		r.wrong(name, "is not the address of a database with a role: "+fixes[need(name)])
	} else if text != "" && strings.Contains(u.Host, ",") && strings.Count(u.Host, ":") > 1 {
		r.wrong(name, "names several servers the wrong way: write postgres://ROLE:password@/konbit?host=a,b&port=5432,5432&target_session_attrs=read-write")
	}
	return text
}

// mailbox reads an email address, which may have a display name.
func (r *reader) mailbox(name string) string {
	text := r.text(name, "")
	if text != "" && !email.IsMailbox(text) {
		r.wrong(name, fmt.Sprintf("is %q: want an address such as Konbit <konbit@example.org>", text))
	}
	return text
}

// mailboxes reads plain email addresses, separated by commas.
func (r *reader) mailboxes(name string) (all []string) {
	for text := range strings.SplitSeq(r.text(name, ""), ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if err := email.CheckPlain(text); err != nil {
			r.wrong(name, fmt.Sprintf("contains %q: %s; separate several by commas", text, err))
		}
		all = append(all, text)
	}
	return all
}

// secret reads a key of 32 random bytes or more in hexadecimal.
func (r *reader) secret(name string) []byte {
	key, err := keyring.Parse(r.text(name, ""))
	if err != nil {
		r.wrong(name, err.Error()+": "+fixes[needSecret])
	}
	return key
}

// oldSecrets reads keys that were SECRET_KEY before.
func (r *reader) oldSecrets(name string) [][]byte {
	all, err := keyring.ParseOld(r.text(name, ""))
	if err != nil {
		r.wrong(name, err.Error())
	}
	return all
}

// local reads an address to listen on. Without a host it is the loopback address.
func (r *reader) local(name string) string {
	text := r.text(name, "")
	if text == "" {
		return ""
	}
	host, port, err := net.SplitHostPort(text)
	if err != nil || port == "" {
		r.wrong(name, fmt.Sprintf("is %q: want a port such as :9090, or an address such as 10.0.0.5:9090", text))
		return ""
	}
	return net.JoinHostPort(cmp.Or(host, "127.0.0.1"), port)
}

// duration returns a time limit from half a second to ten seconds.
func (r *reader) duration(name string, standard time.Duration) time.Duration {
	value := r.text(name, standard.String())
	d, err := time.ParseDuration(value)
	if err != nil || d < time.Second/2 || d > 10*time.Second {
		r.wrong(name, fmt.Sprintf("is %q: want a time from 500ms to 10s, such as 1500ms", value))
	}
	return d
}

// limits reads limits, and returns the old names that it found in them.
func (r *reader) limits(name string) (guard.Limits, map[string]string) {
	text := r.text(name, "")
	l, err := guard.ParseLimits(text)
	if err != nil {
		r.wrong(name, "cannot be read: "+err.Error())
	}
	return l, guard.OldLimitNames(text)
}

// networks reads IP addresses and networks, separated by commas: 127.0.0.1, 10.0.0.0/8.
func (r *reader) networks(name string) (all []netip.Prefix) {
	for _, text := range strings.FieldsFunc(r.text(name, ""), func(c rune) bool { return c == ',' || c == ' ' }) {
		prefix, err := netip.ParsePrefix(text)
		if address, addressErr := netip.ParseAddr(text); addressErr == nil {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			r.wrong(name, fmt.Sprintf("contains %q: want addresses or networks such as 127.0.0.1 or 10.0.0.0/8, separated by commas", text))
		}
		all = append(all, prefix)
	}
	return all
}

// oneOf reads a setting with a few allowed values. The first is the standard.
func (r *reader) oneOf(name string, allowed ...string) string {
	text := r.text(name, allowed[0])
	if !slices.Contains(allowed, text) {
		r.wrong(name, fmt.Sprintf("is %q: want one of %s", text, strings.Join(allowed, ", ")))
	}
	return text
}

const (
	stripeKey    = "STRIPE_SECRET_KEY_"
	stripeSecret = "STRIPE_WEBHOOK_SECRET_"
)

// stripe reads the Stripe keys of each entity. A setting's name ends in the entity's slug in capitals, with _ for -.
// The slug can be computed from that, because slugs have neither capitals nor underscores.
func (r *reader) stripe(needSecrets bool) map[string]stripepay.Keys {
	keys := map[string]stripepay.Keys{}
	for _, name := range sortedNames(r.env) {
		base := strings.TrimSuffix(name, "_FILE")
		suffix, ok := strings.CutPrefix(base, stripeKey)
		if !ok || suffix == "" {
			continue
		}
		slug := strings.ReplaceAll(strings.ToLower(suffix), "_", "-")
		key := r.text(base, "")
		if !strings.HasPrefix(key, "sk_") && !strings.HasPrefix(key, "rk_") {
			r.wrong(base, "is not a secret key: those begin with sk_test_, sk_live_ or rk_")
		}
		secrets := strings.FieldsFunc(r.text(stripeSecret+suffix, ""), func(c rune) bool { return c == ',' || c == ' ' })
		if len(secrets) == 0 && needSecrets {
			r.wrong(stripeSecret+suffix, "is not set: konbit stripe endpoint --entity "+slug+" gives it, or copy its signing secret (whsec_…) from Stripe")
		}
		keys[slug] = stripepay.Keys{Secret: key, WebhookSecrets: secrets}
	}
	return keys
}

func sortedNames[T any](env map[string]T) []string { return slices.Sorted(maps.Keys(env)) }

// own refuses the passwords and keys of .env.example, because they are public. secret refuses its SECRET_KEY.
func (r *reader) own(c Config) {
	unchanged := func(secret string) bool { return strings.Contains(strings.ReplaceAll(secret, "-", "_"), "change_me") }
	if unchanged(c.DatabaseURL) {
		r.wrong("DATABASE_URL", "has the password of .env.example: give the role another, e.g. the output of: openssl rand -hex 32")
	}
	for _, slug := range sortedNames(c.Stripe) {
		suffix := strings.ToUpper(strings.ReplaceAll(slug, "-", "_"))
		if unchanged(c.Stripe[slug].Secret) {
			r.wrong(stripeKey+suffix, "is the public one of .env.example: copy the account's secret key from Stripe (Developers › API keys)")
		}
		if slices.ContainsFunc(c.Stripe[slug].WebhookSecrets, unchanged) {
			r.wrong(stripeSecret+suffix, "is the public one of .env.example: konbit stripe endpoint --entity "+slug+" prints yours")
		}
	}
}
