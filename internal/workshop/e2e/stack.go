package e2e

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/short"
)

// Entities are the legal entities of cmd/demo/demo.yaml. Each has an account of the same name at the stand-in.
var Entities = []string{"tsne", "grassroots-international"}

// banks are the accounts at the bank to which payouts of the entities go, as cmd/demo/demo.yaml has them.
var banks = map[string]stripefake.Bank{
	"tsne":                     {Slug: "tsne", Number: "0110224017"},
	"grassroots-international": {Slug: "grassroots-gifts", Number: "0110778820"},
}

// Options are all optional.
type Options struct {
	Servers  int                // number of servers to start; 0 means one
	Stopped  bool               // start no server: Restart starts the first one, StartServer others
	Settings map[string]string  // added to the settings of every process; an empty value removes a setting
	Stripe   stripefake.Options // Start sets its Accounts and PublicURL
	DB       *testkit.Database  // nil: a new database in the cluster that tests share
	Proxied  bool               // a pgproxy is between each server and the database: see Server.Proxy
	Program  string             // path of the program, as for Stack.UseProgram
	Unknown  []string           // keys of the demo's organisations that Program does not know: it gets the file without their lines
	Empty    bool               // DB has no tables: run `konbit migrate` first
}

// A Stack is one test's Konbit. Only the test's goroutine may call its methods, except for those of Stripe, Mail and
// DB. The embedded Server is the first one: BASE_URL is its address, and webhooks go there.
type Stack struct {
	*Server
	DB *testkit.Database // both roles

	t        testing.TB
	dir      string // working directory of the processes; it has no .env
	settings map[string]string
	binary   string // path of the program; empty: see UseProgram
	proxied  bool
	seed     uint64 // of the proxies
	servers  []*Server
	stripe   *stripefake.Server
	mail     *mailcatch.Server
	inbox    string
}

// secretKey is SECRET_KEY of new stacks.
const secretKey = "427bd8773ee281bdb95928a3479d867de90993af6a31602ed2cf86dee57b16e5"

// requestTimeout is REQUEST_TIMEOUT of new stacks. Empty: the program's default. This package's tests set it.
var requestTimeout string

// Start starts a Konbit with the organisations of the demo and returns when it is ready. Everything ends with the test.
// If the test fails, the servers' logs are shown.
func Start(t testing.TB, o Options) *Stack {
	t.Helper()
	short.Skip(t, "the program and PostgreSQL")
	s := &Stack{DB: o.DB, t: t, dir: t.TempDir(), binary: o.Program, proxied: o.Proxied, seed: o.Stripe.Seed}
	if s.DB == nil {
		s.DB = testkit.DB(t)
	}
	s.Server = s.newServer()
	s.settings = map[string]string{
		"PATH":               "/usr/bin:/bin", // for the supervising shell
		"DATABASE_URL":       s.DB.ServerURL,
		"DATABASE_OWNER_URL": s.DB.OwnerURL,
		"BASE_URL":           s.URL(),
		"SECRET_KEY":         secretKey,
		"MAIL_FROM":          "Konbit <konbit@konbit.example>",
		"LOG_FORMAT":         "json",
		"GIVE_LIMITS":        "address=off network=off email=off page=off failures=off page_failures=off waits=off shown=off",
	}
	if requestTimeout != "" {
		s.settings["REQUEST_TIMEOUT"] = requestTimeout
	}
	s.openMail()
	s.openStripe(o.Stripe)
	for name, value := range o.Settings {
		if s.settings[name] = value; value == "" {
			delete(s.settings, name)
		}
	}
	if o.Empty {
		s.Konbit("migrate")
	}
	s.Konbit("apply", organisations(t, o.Unknown))
	if !o.Stopped {
		s.Restart()
		for range o.Servers - 1 {
			s.StartServer(nil)
		}
	}
	return s
}

// organisations returns the path of the demo's organisations, or of a copy without the lines of the unknown keys.
func organisations(t testing.TB, unknown []string) string {
	t.Helper()
	path := filepath.Join(source(t), "cmd", "demo", "demo.yaml")
	if len(unknown) == 0 {
		return path
	}
	file, err := os.ReadFile(path)
	require.NoError(t, err)
	var known strings.Builder
	for line := range strings.Lines(string(file)) {
		key, _, _ := strings.Cut(strings.TrimSpace(line), ":")
		if !slices.Contains(unknown, key) {
			known.WriteString(line)
		}
	}
	path = filepath.Join(t.TempDir(), "demo.yaml")
	require.NoError(t, os.WriteFile(path, []byte(known.String()), 0o600))
	return path
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

// account returns an entity's account at the stand-in, with webhooks to a server.
func account(entity string, to *Server) stripefake.Account {
	return stripefake.Account{
		Name: entity, SecretKey: "sk_test_" + entity, WebhookURL: to.URL() + "/hooks/stripe/" + entity, WebhookSecrets: []string{"whsec_" + entity},
		Bank: banks[entity],
	}
}

// SendWebhooksTo sends webhooks to another server from now on, as a load balancer may. Any goroutine may call it.
func (s *Stack) SendWebhooksTo(server *Server) {
	for _, entity := range Entities {
		s.stripe.AddAccount(account(entity, server))
	}
}

// PerEntity returns the name of a setting that each legal entity has, such as
// STRIPE_SECRET_KEY_GRASSROOTS_INTERNATIONAL.
func PerEntity(name, entity string) string {
	return name + "_" + strings.ReplaceAll(strings.ToUpper(entity), "-", "_")
}

// StartServer starts one more server on the same database, with its own address, and waits until it is ready. settings
// are added to the stack's settings; an empty value removes a setting.
func (s *Stack) StartServer(settings map[string]string) *Server {
	s.t.Helper()
	server := s.newServer()
	server.own = settings
	server.Restart()
	return server
}

// Servers returns all servers that were started, the first one first.
func (s *Stack) Servers() []*Server { return s.servers }

// Stripe returns the stand-in: its recorded calls, its objects and its faults.
func (s *Stack) Stripe() *stripefake.Server { return s.stripe }

// StripeURL returns the address of the stand-in's API, hosted pages and panel.
func (s *Stack) StripeURL() string { return s.settings["STRIPE_API_URL"] }

// Mail returns the mail server that receives the emails.
func (s *Stack) Mail() *mailcatch.Server { return s.mail }

// MailURL returns the address of the inbox page.
func (s *Stack) MailURL() string { return s.inbox }

// Logs returns what all servers have logged.
func (s *Stack) Logs() string {
	var all strings.Builder
	for _, server := range s.servers {
		all.WriteString(server.Log())
	}
	return all.String()
}

// environ returns the whole environment of a process. Variables of this machine do not reach it.
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

// source returns the module's root. A test runs in its package's directory.
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
