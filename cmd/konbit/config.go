package main

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"konbit/internal/app"
	"konbit/internal/mail"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/email"
	"konbit/internal/platform/guard"
	"konbit/internal/processor/stripepay"
)

// Config is every setting of the program, read once. Each NAME can also be given as NAME_FILE, the path of
// a file that holds it.
type Config struct {
	app.Settings
	DatabaseOwnerURL string // the role that owns the tables; for migrate
	ListenAddr       string
	MetricsAddr      string // empty: no metrics are served
	LogFormat        string
	Unread           []string          // names in .env that are no settings: misspelled, or of another program
	OldLimits        map[string]string // old names in GIVE_LIMITS with the names that replaced them
}

// A need is a setting a command cannot do without.
type need string

const (
	needDatabase need = "DATABASE_URL"
	needOwner    need = "DATABASE_OWNER_URL"
	needBase     need = "BASE_URL"
	needSecret   need = "SECRET_KEY"
	needSMTP     need = "SMTP_URL"
	needHooks    need = stripeSecret // of each entity that has a key; `konbit stripe endpoint` is what gives one
	needOwn      need = "change me"  // that no secret is the one of .env.example, which everybody knows
)

// mends say how to mend a missing setting.
var mends = map[need]string{
	needDatabase: "set it to the database of the server's role, e.g. postgres://konbit_server:…@localhost/konbit",
	needOwner:    "set it to the same database as the owner of its tables, e.g. postgres://konbit_owner:…@localhost/konbit",
	needBase:     "set it to the address donors see, e.g. https://give.example.org",
	needSecret:   "set it to 32 random bytes in hexadecimal, e.g. the output of: openssl rand -hex 32",
	needSMTP:     "set it to the mail server letters go out by, e.g. smtp://user:password@mail.example.org:587",
}

// loadConfig reads .env in the working directory, under what the environment has, and then the settings. All
// mistakes are reported together, each with its mend.
func loadConfig(needs ...need) (Config, error) {
	kept, err := godotenv.Read()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Config{}, fmt.Errorf(".env: %w", err)
	}
	env := maps.Clone(kept)
	if env == nil {
		env = map[string]string{}
	}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	read := map[string]bool{}
	c, err := readConfigFrom(&reader{env: env, asked: func(name string) { read[name], read[name+"_FILE"] = true, true }}, needs...)
	for _, name := range sortedNames(kept) {
		if !read[name] {
			c.Unread = append(c.Unread, name)
		}
	}
	return c, err
}

// warnings returns what is wrong with the settings without stopping the program.
func (c Config) warnings() (all []string) {
	if len(c.Unread) > 0 {
		all = append(all, fmt.Sprintf(".env has %s, which nothing reads: .env.example names every setting", strings.Join(c.Unread, ", ")))
	}
	for _, old := range sortedNames(c.OldLimits) {
		all = append(all, fmt.Sprintf("GIVE_LIMITS: %s is now called %s; the old name will be removed", old, c.OldLimits[old]))
	}
	return all
}

// readConfig reads the settings from env.
func readConfig(env map[string]string, needs ...need) (Config, error) {
	return readConfigFrom(&reader{env: env, asked: func(string) {}}, needs...)
}

func readConfigFrom(r *reader, needs ...need) (Config, error) {
	c := Config{
		Settings: app.Settings{
			DatabaseURL:    r.database("DATABASE_URL"),
			BaseURL:        r.address("BASE_URL"),
			Stripe:         r.stripe(slices.Contains(needs, needHooks)),
			StripeAPIURL:   r.text("STRIPE_API_URL", ""),
			SMTPURL:        r.text("SMTP_URL", ""),
			MailFrom:       r.mailbox("MAIL_FROM"),
			DKIM:           r.dkim(),
			AuditMail:      r.mailboxes("AUDIT_MAIL"),
			SecretKey:      r.secret("SECRET_KEY"),
			ErasuresFile:   r.text("ERASURES_FILE", ""),
			SignInLimits:   donoraccess.Standard(),
			TrustedProxies: r.networks("TRUSTED_PROXIES"),
		},
		DatabaseOwnerURL: r.database("DATABASE_OWNER_URL"),
		ListenAddr:       r.text("LISTEN_ADDR", "127.0.0.1:8080"),
		MetricsAddr:      r.local("METRICS_ADDR"),
		LogFormat:        r.oneOf("LOG_FORMAT", "json", "text"),
	}
	c.GiveLimits, c.OldLimits = r.limits("GIVE_LIMITS")
	c.StyleGuide = c.StripeAPIURL != ""
	if c.MetricsAddr != "" && c.MetricsAddr == c.ListenAddr {
		r.wrong("METRICS_ADDR", "is LISTEN_ADDR: metrics and profiles are not for the public, give them a port of their own")
	}
	if _, _, err := net.SplitHostPort(c.ListenAddr); err != nil {
		r.wrong("LISTEN_ADDR", fmt.Sprintf("is %q: want host:port, such as 127.0.0.1:8080", c.ListenAddr))
	}
	if c.SMTPURL != "" {
		if _, err := mail.NewTransport(c.SMTPURL, "", 1); err != nil {
			r.wrong("SMTP_URL", "is wrong: "+strings.TrimPrefix(err.Error(), "SMTP_URL: "))
		}
	}
	if _, err := stripepay.New(c.Stripe, c.StripeAPIURL, slog.New(slog.DiscardHandler)); err != nil {
		r.wrong("STRIPE_API_URL", "is wrong: "+strings.TrimPrefix(err.Error(), "STRIPE_API_URL: "))
	}
	for _, n := range needs {
		if mends[n] != "" && r.env[string(n)] == "" && r.env[string(n)+"_FILE"] == "" {
			r.wrong(string(n), "is not set: "+mends[n])
		}
	}
	if slices.Contains(needs, needOwn) {
		r.own(c)
	}
	return c, r.err()
}

// own refuses the secrets of .env.example, which everybody knows.
func (r *reader) own(c Config) {
	if len(c.SecretKey) > 0 && bytes.Count(c.SecretKey, []byte{0}) == len(c.SecretKey) {
		r.wrong("SECRET_KEY", "is the one of .env.example, which everybody knows: "+mends[needSecret])
	}
	unchanged := func(secret string) bool { return strings.Contains(strings.ReplaceAll(secret, "-", "_"), "change_me") }
	if unchanged(c.DatabaseURL) {
		r.wrong("DATABASE_URL", "has the password of .env.example: give the role another, e.g. the output of: openssl rand -hex 32")
	}
	for _, slug := range sortedNames(c.Stripe) {
		end := strings.ToUpper(strings.ReplaceAll(slug, "-", "_"))
		if unchanged(c.Stripe[slug].Secret) {
			r.wrong(stripeKey+end, "is the one of .env.example: copy the account's secret key from Stripe (Developers › API keys)")
		}
		if slices.ContainsFunc(c.Stripe[slug].WebhookSecrets, unchanged) {
			r.wrong(stripeSecret+end, "is the one of .env.example: konbit stripe endpoint --entity "+slug+" gives yours")
		}
	}
}

// reader reads settings and collects what is wrong with them.
type reader struct {
	env      map[string]string
	asked    func(name string) // is told every setting that is read
	problems []string
}

func (r *reader) wrong(name, why string) { r.problems = append(r.problems, name+" "+why) }

func (r *reader) err() error {
	if len(r.problems) == 0 {
		return nil
	}
	return errors.New("settings:\n  " + strings.Join(r.problems, "\n  "))
}

// text is the setting, or what the file of NAME_FILE holds, or standard.
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

// database checks an address here, without repeating it: what the drivers say of a wrong one shows its password.
func (r *reader) database(name string) string {
	text := r.text(name, "")
	u, err := url.Parse(text)
	if text != "" && (err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.User.Username() == "") {
		r.wrong(name, "is no address of a database with a role: "+mends[need(name)])
	} else if text != "" && strings.Contains(u.Host, ",") && strings.Count(u.Host, ":") > 1 {
		r.wrong(name, "names several servers in a way the driver does not read: write postgres://ROLE:password@/konbit?host=a,b&port=5432,5432&target_session_attrs=read-write")
	}
	return text
}

func (r *reader) mailbox(name string) string {
	text := r.text(name, "")
	if text != "" && !email.IsMailbox(text) {
		r.wrong(name, fmt.Sprintf("is %q: want an address such as Konbit <konbit@example.org>", text))
	}
	return text
}

// mailboxes reads plain addresses with commas between.
func (r *reader) mailboxes(name string) (all []string) {
	for text := range strings.SplitSeq(r.text(name, ""), ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		if err := email.CheckPlain(text); err != nil {
			r.wrong(name, fmt.Sprintf("has %q: %s, several with commas between", text, err))
		}
		all = append(all, text)
	}
	return all
}

func (r *reader) secret(name string) []byte {
	text := r.text(name, "")
	key, err := hex.DecodeString(text)
	if text != "" && (err != nil || len(key) < 32) {
		r.wrong(name, "is not 32 bytes in hexadecimal: "+mends[needSecret])
	}
	return key
}

// local reads an address to listen at, which is on this machine alone unless it names a host.
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

// limits reads limits, and returns the old names that it found in them.
func (r *reader) limits(name string) (guard.Limits, map[string]string) {
	text := r.text(name, "")
	l, err := guard.ParseLimits(text)
	if err != nil {
		r.wrong(name, "cannot be read: "+err.Error())
	}
	return l, guard.OldLimitNames(text)
}

// checkProxies refuses to take a proxy for the one donor there is: we end no TLS, so with https there is one.
func (c Config) checkProxies() error {
	if c.BaseURL != nil && c.BaseURL.Scheme == "https" && len(c.TrustedProxies) == 0 {
		return errors.New("TRUSTED_PROXIES is not set, so GIVE_LIMITS counts all donors behind the proxy that ends TLS as one: set it to that proxy's address, e.g. 127.0.0.1")
	}
	return nil
}

// networks reads addresses and networks with commas between: 127.0.0.1, 10.0.0.0/8.
func (r *reader) networks(name string) (all []netip.Prefix) {
	for _, text := range strings.FieldsFunc(r.text(name, ""), func(c rune) bool { return c == ',' || c == ' ' }) {
		prefix, err := netip.ParsePrefix(text)
		if address, addressErr := netip.ParseAddr(text); addressErr == nil {
			prefix, err = address.Prefix(address.BitLen())
		}
		if err != nil {
			r.wrong(name, fmt.Sprintf("holds %q: want addresses or networks such as 127.0.0.1 or 10.0.0.0/8, with commas between", text))
		}
		all = append(all, prefix)
	}
	return all
}

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

// stripe reads the keys of each entity. NAME_OF_ENTITY is its slug in capitals with _ for -, which can be
// turned back because slugs have neither capitals nor underscores.
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
			r.wrong(base, "is no secret key: it begins with sk_test_, sk_live_ or rk_")
		}
		secrets := strings.FieldsFunc(r.text(stripeSecret+suffix, ""), func(c rune) bool { return c == ',' || c == ' ' })
		if len(secrets) == 0 && needSecrets {
			r.wrong(stripeSecret+suffix, "is not set: konbit stripe endpoint --entity "+slug+" gives it, or copy the endpoint's signing secret (whsec_…) from Stripe")
		}
		keys[slug] = stripepay.Keys{Secret: key, WebhookSecrets: secrets}
	}
	return keys
}

func sortedNames[T any](env map[string]T) []string { return slices.Sorted(maps.Keys(env)) }

// logger logs to standard error, in the format asked for.
func (c Config) logger() *slog.Logger {
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}
