package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"konbit/internal/app"
	"konbit/internal/mail/transport"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/stripepay"
)

// Config is all settings of the program. Each setting NAME can also be given as NAME_FILE, the path of a file that
// contains the value.
type Config struct {
	app.Settings
	DatabaseOwnerURL string // the role that owns the tables; for migrate
	ListenAddr       string
	MetricsAddr      string // empty: no metrics are served
	LogFormat        string
	Unread           []string          // names in .env that are not settings: misspelled, or of another program
	OldLimits        map[string]string // old names in GIVE_LIMITS with the names that replaced them
}

// A need is a setting that a command requires.
type need string

const (
	needDatabase need = "DATABASE_URL"
	needOwner    need = "DATABASE_OWNER_URL"
	needBase     need = "BASE_URL"
	needSecret   need = "SECRET_KEY"
	needSMTP     need = "SMTP_URL"
	needHooks    need = stripeSecret // for each entity that has a key; `konbit stripe endpoint` returns one
	needOwn      need = "change me"  // no secret may be the public one of .env.example
)

// fixes say how to set a missing setting.
var fixes = map[need]string{
	needDatabase: "set it to the database of the server's role, e.g. postgres://konbit_server:…@localhost/konbit",
	needOwner:    "set it to the same database as the owner of its tables, e.g. postgres://konbit_owner:…@localhost/konbit",
	needBase:     "set it to the address donors see, e.g. https://give.example.org",
	needSecret:   "set it to 32 random bytes in hexadecimal, e.g. the output of: openssl rand -hex 32",
	needSMTP:     "set it to the mail server that sends emails, e.g. smtp://user:password@mail.example.org:587",
}

// loadConfig reads the settings from the environment and from .env in the working directory; the environment wins. It
// reports all mistakes together, each with its fix.
func loadConfig(needs ...need) (Config, error) {
	file, err := godotenv.Read()
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return Config{}, fmt.Errorf(".env: %w", err)
	}
	env := maps.Clone(file)
	if env == nil {
		env = map[string]string{}
	}
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	read := map[string]bool{}
	c, err := readConfigFrom(&reader{env: env, asked: func(name string) { read[name], read[name+"_FILE"] = true, true }}, needs...)
	for _, name := range sortedNames(file) {
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
	return append(all, c.Unverified(c.ListenAddr, c.MetricsAddr)...)
}

// readConfig reads the settings from env, without .env.
func readConfig(env map[string]string, needs ...need) (Config, error) {
	return readConfigFrom(&reader{env: env, asked: func(string) {}}, needs...)
}

func readConfigFrom(r *reader, needs ...need) (Config, error) {
	c := Config{
		Settings: app.Settings{
			DatabaseURL:    r.database("DATABASE_URL"),
			BaseURL:        r.address("BASE_URL"),
			OfficeURL:      r.address("OFFICE_URL"),
			Stripe:         r.stripe(slices.Contains(needs, needHooks)),
			StripeAPIURL:   r.text("STRIPE_API_URL", ""),
			SMTPURL:        r.text("SMTP_URL", ""),
			MailFrom:       r.mailbox("MAIL_FROM"),
			DKIM:           r.dkim(),
			AuditMail:      r.mailboxes("AUDIT_MAIL"),
			Security:       r.mailbox("SECURITY_CONTACT"),
			SecretKey:      r.secret("SECRET_KEY"),
			OldSecretKeys:  r.oldSecrets("SECRET_KEY_OLD"),
			ErasuresFile:   r.text("ERASURES_FILE", ""),
			SignInLimits:   donoraccess.Standard(),
			TrustedProxies: r.networks("TRUSTED_PROXIES"),
			RequestTimeout: r.duration("REQUEST_TIMEOUT", pg.DefaultRequestTimeout),
		},
		DatabaseOwnerURL: r.database("DATABASE_OWNER_URL"),
		ListenAddr:       r.text("LISTEN_ADDR", "127.0.0.1:8080"),
		MetricsAddr:      r.local("METRICS_ADDR"),
		LogFormat:        r.oneOf("LOG_FORMAT", "json", "text"),
	}
	c.GiveLimits, c.OldLimits = r.limits("GIVE_LIMITS")
	c.StyleGuide = c.StripeAPIURL != ""
	if c.MetricsAddr != "" && c.MetricsAddr == c.ListenAddr {
		r.wrong("METRICS_ADDR", "is LISTEN_ADDR: metrics and profiles must not be public: give them another port")
	}
	if _, _, err := net.SplitHostPort(c.ListenAddr); err != nil {
		r.wrong("LISTEN_ADDR", fmt.Sprintf("is %q: want host:port, such as 127.0.0.1:8080", c.ListenAddr))
	}
	if c.SMTPURL != "" {
		if _, err := transport.New(c.SMTPURL, "", 1); err != nil {
			r.wrong("SMTP_URL", "is wrong: "+strings.TrimPrefix(err.Error(), "SMTP_URL: "))
		}
	}
	if _, err := stripepay.New(c.Stripe, c.StripeAPIURL, slog.New(slog.DiscardHandler)); err != nil {
		r.wrong("STRIPE_API_URL", "is wrong: "+strings.TrimPrefix(err.Error(), "STRIPE_API_URL: "))
	}
	if err := c.CheckOfficeURL(); err != nil {
		r.wrong("OFFICE_URL", err.Error())
	}
	exposed := c.CheckEncryption(c.DatabaseOwnerURL, r.env["PGSSLMODE"])
	for _, n := range needs {
		if fixes[n] != "" && r.env[string(n)] == "" && r.env[string(n)+"_FILE"] == "" {
			r.wrong(string(n), "is not set: "+fixes[n])
		} else if err := exposed[string(n)]; err != nil {
			r.wrong(string(n), err.Error())
		} else if n == needOwn {
			r.own(c)
		}
	}
	return c, r.err()
}

// logger returns a log to standard error, in the format of LOG_FORMAT.
func (c Config) logger() *slog.Logger {
	if c.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, nil))
}
