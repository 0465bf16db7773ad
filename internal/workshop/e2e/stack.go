package e2e

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
)

// Entities are the legal entities of cmd/demo/demo.yaml; each has an account of its own at the stand-in, of the same name.
var Entities = []string{"tsne", "grassroots-international"}

// Options are all optional.
type Options struct {
	Servers  int                // how many servers to start; 0 is one
	Stopped  bool               // start none: the first begins with Restart, further ones with StartServer
	Settings map[string]string  // over the usual settings of every process; an empty value unsets one
	Stripe   stripefake.Options // its Accounts and PublicURL are filled in
	DB       *testkit.Database  // nil: one of its own in the cluster that tests share
	Proxied  bool               // a pgproxy stands between each server and the database: see Server.Proxy
}

// A Stack is one test's own Konbit. Its methods are for the test's goroutine, but for those of Stripe, Mail and DB. The embedded
// Server is the first one: its address is BASE_URL, and webhooks go there.
type Stack struct {
	*Server
	DB *testkit.Database // both roles

	t        testing.TB
	dir      string // where processes run; no .env lies here
	settings map[string]string
	proxied  bool
	seed     uint64 // of the proxies
	servers  []*Server
	stripe   *stripefake.Server
	mail     *mailcatch.Server
	inbox    string
}

// Start gives the test a Konbit with the organisations of the demo, ready to serve. All of it ends with the test; when the test
// has failed, the servers' logs are shown.
func Start(t testing.TB, o Options) *Stack {
	t.Helper()
	testkit.SkipIfShort(t, "the program and PostgreSQL")
	s := &Stack{DB: o.DB, t: t, dir: t.TempDir(), proxied: o.Proxied, seed: o.Stripe.Seed}
	if s.DB == nil {
		s.DB = testkit.DB(t)
	}
	s.Server = s.newServer()
	s.settings = map[string]string{
		"PATH":               "/usr/bin:/bin", // for the supervising shell
		"DATABASE_URL":       s.DB.ServerURL,
		"DATABASE_OWNER_URL": s.DB.OwnerURL,
		"BASE_URL":           s.URL(),
		"SECRET_KEY":         strings.Repeat("5e", 32),
		"MAIL_FROM":          "Konbit <konbit@konbit.example>",
		"LOG_FORMAT":         "json",
		"GIVE_LIMITS":        "address=off network=off email=off page=off failures=off page_failures=off waits=off shown=off",
	}
	s.openMail()
	s.openStripe(o.Stripe)
	for name, value := range o.Settings {
		if s.settings[name] = value; value == "" {
			delete(s.settings, name)
		}
	}
	s.Konbit("apply", filepath.Join(source(t), "cmd", "demo", "demo.yaml"))
	if !o.Stopped {
		s.Restart()
		for range o.Servers - 1 {
			s.StartServer(nil)
		}
	}
	return s
}

func (s *Stack) openMail() {
	var err error
	if s.mail, err = mailcatch.New(mailcatch.Options{}); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	inbox := httptest.NewServer(s.mail)
	s.inbox, s.settings["SMTP_URL"] = inbox.URL, s.mail.SMTPURL()
	s.t.Cleanup(func() { _ = s.mail.Close(); inbox.CloseClientConnections(); inbox.Close() })
}

func (s *Stack) openStripe(o stripefake.Options) {
	for _, entity := range Entities {
		a := account(entity, s.Server)
		o.Accounts = append(o.Accounts, a)
		s.settings[PerEntity("STRIPE_SECRET_KEY", entity)] = a.SecretKey
		s.settings[PerEntity("STRIPE_WEBHOOK_SECRET", entity)] = a.WebhookSecrets[0]
	}
	var err error
	if s.stripe, err = stripefake.New(o); err != nil {
		s.t.Fatalf("e2e: %v", err)
	}
	door := httptest.NewServer(s.stripe)
	s.stripe.SetPublicURL(door.URL)
	s.settings["STRIPE_API_URL"] = door.URL
	s.t.Cleanup(func() { _ = s.stripe.Close(); door.CloseClientConnections(); door.Close() })
}

// account is an entity's at the stand-in, whose webhooks go to a server.
func account(entity string, to *Server) stripefake.Account {
	return stripefake.Account{
		Name: entity, SecretKey: "sk_test_" + entity, WebhookURL: to.URL() + "/hooks/stripe/" + entity, WebhookSecrets: []string{"whsec_" + entity},
	}
}

// TellTo sends webhooks to another of the servers from now on, as a balancer might. It may be called from any goroutine.
func (s *Stack) SendWebhooksTo(server *Server) {
	for _, entity := range Entities {
		s.stripe.AddAccount(account(entity, server))
	}
}

// PerEntity names a setting that each legal entity has: STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL.
func PerEntity(name, entity string) string {
	return name + "_" + strings.ReplaceAll(strings.ToUpper(entity), "-", "_")
}

// StartServer starts one more server on the same database, at an address of its own, and waits until it is ready. settings go
// over the stack's; an empty value unsets one.
func (s *Stack) StartServer(settings map[string]string) *Server {
	s.t.Helper()
	server := s.newServer()
	server.own = settings
	server.Restart()
	return server
}

// Servers are all servers ever started, the first one first.
func (s *Stack) Servers() []*Server { return s.servers }

// Stripe is the stand-in: what it was asked, what it holds, and its bad days.
func (s *Stack) Stripe() *stripefake.Server { return s.stripe }

// StripeURL is the address of the stand-in's API, hosted pages and panel.
func (s *Stack) StripeURL() string { return s.settings["STRIPE_API_URL"] }

// Mail is the mail server letters go out by.
func (s *Stack) Mail() *mailcatch.Server { return s.mail }

// MailURL is the address of the inbox page.
func (s *Stack) MailURL() string { return s.inbox }

// Logs is what all servers have logged.
func (s *Stack) Logs() string {
	var all strings.Builder
	for _, server := range s.servers {
		all.WriteString(server.Log())
	}
	return all.String()
}

// environ is the whole environment of a process: nothing set on this machine for another purpose reaches it.
func (s *Stack) environ(own map[string]string) []string {
	settings := maps.Clone(s.settings)
	maps.Copy(settings, own)
	var env []string
	for name, value := range settings {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// source is the module's root, for a test runs in its package's directory.
func source(t testing.TB) string {
	t.Helper()
	root, err := moduleRoot()
	if err != nil {
		t.Fatalf("e2e: %v", err)
	}
	return root
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	return "", fmt.Errorf("no go.mod above the test (%w)", err)
}
