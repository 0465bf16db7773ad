// Package house builds the whole program for a test: every service with a real database, the Stripe stand-in and the mail catcher.
package program

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/office/setup"
	"konbit/internal/office/statement"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripebalance"

	"konbit/internal/processor/stripepay"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
	"konbit/migrations"
	"konbit/templates"
)

//go:embed program.yaml
var setupFile []byte

// Secrets of the two entities' accounts. Both accounts sign with two, as while one is being replaced.
var (
	WebhookSecrets = map[string][]string{"tsne": {"whsec_tsne_new", "whsec_tsne_old"}, "aina": {"whsec_aina_new", "whsec_aina_old"}}
	StripeKeys     = map[string]string{"tsne": "sk_test_canarykeytsne", "aina": "sk_test_canarykeyaina"}
)

// Options are all optional.
type Options struct {
	BaseURL         string              // of links; empty: the web server's own address
	Fake            stripefake.Options  // its accounts are those of the house
	SMTPConnections int                 // SMTP connections kept; zero: 8
	BeforeStripe    func(*http.Request) // called with each request before the stand-in sees it
	UnlimitedSignIn bool                // letters that let in are not limited
}

// House is Konbit, put together. Its parts are real and may be used directly.
type Program struct {
	t          testing.TB
	DB         *testkit.Database
	Log        *Log
	Fake       *stripefake.Server
	FakeURL    string
	Mail       *mailcatch.Server
	Catalog    *fund.CatalogCache
	Stripe     *stripepay.Stripe
	Queue      *jobs.Queue
	Handlers   *jobs.Handlers
	Settler    donation.Settler
	Starter    donation.Starter
	Inbox      *stripepay.Inbox
	Drain      *stripepay.Drain
	Booker     settlement.Booker
	Collector  stripebalance.Importer
	Plans      recurring.Plans
	Statements statement.Issuer
	Privacy    privacy.Eraser
	Sweeper    stripepay.Sweeper
	Transport  *mail.Transport
	Receipts   mail.Receipts
	Access     donoraccess.Service
	SignIns    mail.SignIns
	Server     *web.Server
	URL        string // of the web server
	delivered  int    // events delivered by News
}

// NewID is a new id, as the program makes them.
func NewID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// NewRef is a new public reference.
func NewRef() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// New puts a house together. Webhooks are held back until asked for: see Drain of the stand-in.
func New(t testing.TB, o Options) *Program {
	t.Helper()
	h := &Program{t: t, DB: testkit.DB(t), Log: &Log{}}
	file, err := setup.Read("program.yaml", setupFile)
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Server, file, time.Now(), NewID, false)
	require.NoError(t, err)
	h.Catalog = fund.NewCatalogCache(h.DB.Server, time.Minute, time.Now)
	server := httptest.NewUnstartedServer(nil)
	h.URL = "http://" + server.Listener.Addr().String()
	h.startExternal(o)
	h.assemble(o)
	server.Config = web.HTTP(h.Server.Handler(), h.Log.Logger())
	server.Start()
	t.Cleanup(server.Close)
	return h
}

// outside starts what Konbit speaks to.
func (h *Program) startExternal(o Options) {
	var err error
	for slug, key := range StripeKeys {
		o.Fake.Accounts = append(o.Fake.Accounts, stripefake.Account{
			Name: slug, SecretKey: key, WebhookURL: h.URL + "/hooks/stripe/" + slug, WebhookSecrets: WebhookSecrets[slug],
		})
	}
	h.Fake, err = stripefake.New(o.Fake)
	require.NoError(h.t, err)
	require.NoError(h.t, h.Fake.SetMode(stripefake.Hold))
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if o.BeforeStripe != nil {
			o.BeforeStripe(r)
		}
		h.Fake.ServeHTTP(w, r)
	}))
	h.FakeURL = listener.URL
	h.t.Cleanup(func() {
		if err := h.Fake.Close(); err != nil {
			h.t.Error(err)
		}
		listener.CloseClientConnections()
		listener.Close()
	})
	h.Mail, err = mailcatch.New(mailcatch.Options{})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = h.Mail.Close() })
}

// rooms builds Konbit, in the order of cmd/konbit.
func (h *Program) assemble(o Options) {
	words, err := phrase.Load(templates.FS, "locales")
	require.NoError(h.t, err)
	pages, err := view.New(templates.FS, words)
	require.NoError(h.t, err)
	keys := map[string]stripepay.Keys{}
	for slug, key := range StripeKeys {
		keys[slug] = stripepay.Keys{Secret: key, WebhookSecrets: WebhookSecrets[slug]}
	}
	h.Stripe, err = stripepay.New(keys, h.FakeURL, h.Log.Logger())
	require.NoError(h.t, err)
	keep := o.SMTPConnections
	if keep == 0 {
		keep = 8
	}
	h.Transport, err = mail.NewTransport(h.Mail.SMTPURL(), "bounces@konbit.example", keep)
	require.NoError(h.t, err)
	h.t.Cleanup(h.Transport.Close)
	h.Queue, err = jobs.NewQueue()
	require.NoError(h.t, err)
	db, now, log := h.DB.Server, time.Now, h.Log.Logger()
	h.Plans = recurring.Plans{DB: db, Queue: h.Queue, Billing: h.Stripe, Now: h.Fake.Now, NewID: NewID, NewRef: NewRef}
	h.Settler = donation.Settler{Receipts: receipt.Issuer{Queue: h.Queue, NewID: NewID}, NewID: NewID, Now: now, Plans: h.Plans}
	h.Booker = settlement.Booker{Settler: h.Settler, Receipts: h.Settler.Receipts, NewID: NewID, Now: now}
	h.Drain = stripepay.NewDrain(&stripepay.Drain{DB: db, Stripe: h.Stripe, Catalog: h.Catalog, Settler: h.Settler, Booker: h.Booker, Plans: h.Plans, Log: log})
	h.Collector = stripebalance.Importer{DB: db, Catalog: h.Catalog, Source: h.Stripe, Booker: h.Booker}
	h.Sweeper = stripepay.Sweeper{DB: db, Stripe: h.Stripe, Catalog: h.Catalog, Drain: h.Drain, Collector: h.Collector, Now: h.Fake.Now}
	base := h.URL
	if o.BaseURL != "" {
		base = o.BaseURL
	}
	address, err := url.Parse(base)
	require.NoError(h.t, err)
	links := web.PlanLinks{Base: address, Secret: []byte("canary-secret-of-32-bytes-length"), Now: now}
	h.Receipts = mail.Receipts{
		Mailer: mail.Mailer{DB: db, View: pages, Transport: h.Transport, StopURL: web.StopLink(address, links.Secret), NewID: NewID, Now: now, Log: log}, Plans: links,
	}
	h.Handlers = jobs.NewHandlers()
	h.Receipts.Register(h.Handlers)
	h.Plans.Register(h.Handlers)
	mail.Plans{Mailer: h.Receipts.Mailer, Catalog: h.Catalog, Links: links}.Register(h.Handlers)
	mail.TributeCards{Mailer: h.Receipts.Mailer, Catalog: h.Catalog}.Register(h.Handlers)
	h.Statements = statement.Issuer{DB: db, Queue: h.Queue, Catalog: h.Catalog, Now: now, NewID: NewID}
	mail.Statements{Mailer: h.Receipts.Mailer}.Register(h.Handlers)
	h.Privacy = privacy.Eraser{DB: db, Queue: h.Queue, Secret: []byte("canary-secret-of-32-bytes-length"), Stripe: h.Stripe, Now: now, NewID: NewID}
	h.Privacy.Register(h.Handlers)
	mail.Erasures{Mailer: h.Receipts.Mailer, Privacy: h.Privacy, Catalog: h.Catalog}.Register(h.Handlers)
	secret := []byte("canary-secret-of-32-bytes-length")
	attempts := guard.New(db, secret, guard.Limits{}, now) // which limit no gifts
	h.Access = donoraccess.Service{DB: db, Queue: h.Queue, Guard: attempts, Secret: secret, Limits: donoraccess.Standard(), NewID: NewID}
	if o.UnlimitedSignIn {
		h.Access.Limits = donoraccess.Limits{}
	}
	h.SignIns = mail.SignIns{Mailer: h.Receipts.Mailer, Access: h.Access, Catalog: h.Catalog, Link: web.SignInLink(address)}
	h.SignIns.Register(h.Handlers)
	h.Starter = donation.Starter{DB: db, Payments: h.Stripe, Now: now, NewID: NewID, NewRef: NewRef, Links: web.Links(address), Words: words, Plans: h.Plans}
	h.Inbox = &stripepay.Inbox{DB: db, Stripe: h.Stripe, Now: now, Wake: h.Drain.Wake}
	h.Server = &web.Server{
		DB: db, View: pages, Catalog: h.Catalog, Languages: words.Languages(), BaseURL: address, Secret: []byte("canary-secret-of-32-bytes-length"),
		Guard: attempts, Access: h.Access, Statements: h.Statements, Privacy: h.Privacy,
		Pages: h.Stripe.PageOrigins(), Now: h.Fake.Now, Wall: now, NewID: NewID, Log: log, Starter: h.Starter, Plans: h.Plans, Inbox: h.Inbox,
		Ready: func(ctx context.Context) error { _, err := migrations.Pending(ctx, db.DB); return err },
	}
}

// Work starts the workers: the drain and the jobs. They end with the test.
func (h *Program) StartWorkers() {
	runner, err := jobs.NewRunner(h.DB.Server, h.Handlers, 4, h.Log.Logger())
	require.NoError(h.t, err)
	require.NoError(h.t, runner.Start())
	ctx, cancel := context.WithCancel(context.Background())
	var drained sync.WaitGroup
	drained.Go(func() { h.Drain.Run(ctx) })
	h.t.Cleanup(func() {
		cancel()
		drained.Wait()
		last, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := runner.Stop(last); err != nil {
			h.t.Error(err)
		}
	})
}

// Log is a log kept in memory, at every level.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Logger writes to the log.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write takes a record.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is all that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Client is a browser that does not follow redirects and keeps no cookies.
func Client() *http.Client {
	return &http.Client{
		Timeout:       15 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
