package program

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"konbit/internal/app"
	"konbit/internal/office/privacy"
	"konbit/internal/office/setup"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/stripepay"
	"konbit/internal/web"
	"konbit/internal/workshop/mailcatch"
	"konbit/internal/workshop/stripefake"
	"konbit/internal/workshop/testkit"
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
	BaseURL         string                          // of links; empty: the web server's own address
	Fake            stripefake.Options              // Accounts is replaced
	BeforeStripe    func(*http.Request)             // called with each request before the stand-in sees it
	UnlimitedSignIn bool                            // sign-in emails are not limited
	Through         func(serverURL string) *sqlx.DB // returns the program's connections; nil: those of the test's database
	NoStripe        bool                            // no stand-in is started and no entity has a key; Fake is nil
	SeparatePages   bool                            // pages have connections of their own, as in the program
}

// Program is the whole program (see app.App) with what it talks to. Its services may be used directly.
type Program struct {
	*app.App
	t         testing.TB
	DB        *testkit.Database
	Log       *Log
	Fake      *stripefake.Server
	FakeURL   string
	Mail      *mailcatch.Server
	URL       string   // of the web server
	PagesDB   *sqlx.DB // connections of donors' pages; those of DB.Server without SeparatePages
	StaffDB   *sqlx.DB // connections of pages of staff, likewise
	delivered int      // events delivered by DeliverNew
	working   bool     // StartWorkers was called
}

// NewID returns a new id, as the program makes them.
func NewID() uuid.UUID { return app.NewID() }

// NewRef returns a new public reference, as the program makes them.
func NewRef() string { return app.NewRef() }

// New builds a program with a database of its own, the stand-in for Stripe and a mail catcher, and starts its web
// server. The stand-in holds its webhooks until a test asks for them: see Drain of the stand-in.
func New(t testing.TB, o Options) *Program {
	t.Helper()
	h := &Program{t: t, DB: testkit.DB(t), Log: &Log{}}
	file, err := setup.Read("program.yaml", setupFile)
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Owner, file, time.Now(), NewID, false)
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(nil)
	h.URL = "http://" + server.Listener.Addr().String()
	h.startExternal(o)
	h.build(o)
	server.Config = web.HTTP(h.Server.Handler(), h.Log.Logger())
	server.Start()
	t.Cleanup(server.Close)
	return h
}

// startExternal starts what the program talks to: the stand-in for Stripe and the mail catcher.
func (h *Program) startExternal(o Options) {
	var err error
	h.Mail, err = mailcatch.New(mailcatch.Options{})
	require.NoError(h.t, err)
	h.t.Cleanup(func() { _ = h.Mail.Close() })
	if o.NoStripe {
		return
	}
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
}

// Secret signs the links and tokens of the program under test.
const Secret = "canary-secret-of-32-bytes-length"

// build builds the program as cmd/konbit does, with three differences:
//
//   - pages and background work use one pool of the test's database, unless the test wants two;
//   - the business clock is the stand-in's own, read without HTTP, so that a test sees each move at once;
//   - donations are not limited.
func (h *Program) build(o Options) {
	keys, now := map[string]stripepay.Keys{}, time.Now
	if !o.NoStripe {
		now = h.Fake.Now
		for slug, key := range StripeKeys {
			keys[slug] = stripepay.Keys{Secret: key, WebhookSecrets: WebhookSecrets[slug]}
		}
	}
	address, err := url.Parse(cmp.Or(o.BaseURL, h.URL))
	require.NoError(h.t, err)
	settings := app.Settings{
		BaseURL: address, Stripe: keys, StripeAPIURL: h.FakeURL, SMTPURL: h.Mail.SMTPURL(), MailFrom: "bounces@konbit.example",
		SecretKey: []byte(Secret), SignInLimits: donoraccess.Standard(), CatalogAge: time.Minute,
	}
	if o.UnlimitedSignIn {
		settings.SignInLimits = donoraccess.Limits{}
	}
	db := h.DB.Server
	if o.Through != nil {
		db = o.Through(h.DB.ServerURL)
	}
	h.PagesDB, h.StaffDB = db, db
	if o.SeparatePages {
		for _, pool := range []**sqlx.DB{&h.PagesDB, &h.StaffDB} {
			pages, err := pg.OpenForRequests(h.t.Context(), h.DB.ServerURL, 8)
			require.NoError(h.t, err)
			h.t.Cleanup(func() { _ = pages.Close() })
			*pool = pages
		}
	}
	h.App, err = app.New(settings, app.Resources{
		DB: db, PagesDB: h.PagesDB, StaffDB: h.StaffDB, Log: h.Log.Logger(),
		Clocks: app.Clocks{Business: now, FreshBusiness: now, Wall: time.Now},
	})
	require.NoError(h.t, err)
	h.t.Cleanup(h.Transport.Close)
	h.t.Cleanup(h.SignInMail.Close)
	_, err = h.OwnersPrivacy().Prepare(h.t.Context(), testPads)
	require.NoError(h.t, err)
}

// MoveTo builds the program again with another database, which has been migrated: a backup of its own that was restored. Its
// web server stays with the earlier one.
func (h *Program) MoveTo(db *testkit.Database, o Options) {
	h.t.Helper()
	h.DB = db
	h.build(o)
}

// testPads is how many receipts of erased donors the database of a test can keep.
const testPads = 20

// OwnersPrivacy returns the eraser with the connection of the owner of the tables, as konbit erasures apply has it.
func (h *Program) OwnersPrivacy() privacy.Eraser {
	k := h.Privacy
	k.DB = h.DB.Owner
	return k
}

// AgeErasures moves the time at which the database recorded each erasure four days back.
func (h *Program) AgeErasures() {
	h.t.Helper()
	for _, table := range []string{"erasure", "erasure_donor", "erasure_address"} {
		h.Exec(`UPDATE ` + table + ` SET recorded_at = recorded_at - interval '4 days'`)
	}
}

// StartWorkers starts the worker of Stripe's events and the jobs. They end with the test.
func (h *Program) StartWorkers() {
	ctx, cancel := context.WithCancel(context.Background())
	stop, err := h.App.StartWorkers(ctx)
	if err != nil {
		cancel()
		require.NoError(h.t, err)
	}
	h.working = true
	h.t.Cleanup(func() {
		cancel()
		if err := stop(); err != nil {
			h.t.Error(err)
		}
	})
}

// Working reports whether the program's workers run.
func (h *Program) Working() bool { return h.working }

// Log is a log in memory, at every level.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Logger writes to the log.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write stores a record.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns everything that was logged.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Client is a browser that does not follow redirects and keeps no cookies.
func Client() *http.Client {
	return &http.Client{
		Timeout:       60 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
