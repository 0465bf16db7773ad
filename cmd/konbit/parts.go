package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/office/privacy"
	"konbit/internal/office/statement"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/metrics"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripebalance"

	"konbit/internal/processor/stripepay"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/migrations"
	"konbit/templates"
)

const (
	poolSize    = 16              // connections of the workers
	pagesSize   = 24              // connections of pages and webhooks, which no worker takes
	parallelism = 8               // jobs at once
	setupAge    = 2 * time.Second // how long what `konbit apply` changed may take to show
)

// parts are the rooms, put together.
type parts struct {
	config     Config
	log        *slog.Logger
	db         *sqlx.DB
	pages      *sqlx.DB // db for pages and webhooks
	catalog    *fund.CatalogCache
	words      *phrase.Catalogue
	view       *view.View
	languages  []phrase.Language
	stripe     *stripepay.Stripe
	drain      *stripepay.Drain
	collector  stripebalance.Importer
	plans      recurring.Plans
	statements statement.Issuer
	privacy    privacy.Eraser
	guard      *guard.Guard
	access     donoraccess.Service
	sweeper    stripepay.Sweeper
	transport  *mail.Transport
	heads      mail.AuditDigest
	runner     *jobs.Runner
	metrics    *metrics.Metrics
	clock      clock
	stopping   atomic.Bool
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// newRef is 128 random bits as text.
func newRef() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // documented never to fail
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func assemble(ctx context.Context, c Config) (*parts, error) {
	p := &parts{config: c, log: c.logger(), metrics: newMetrics()}
	if err := c.checkUnread(); err != nil {
		p.log.WarnContext(ctx, "a setting is not read", "mend", err)
	}
	words, err := phrase.Load(templates.FS, "locales")
	if err != nil {
		return nil, err
	}
	p.words, p.languages = words, words.Languages()
	if p.view, err = view.New(templates.FS, words); err != nil {
		return nil, err
	}
	if p.stripe, err = stripepay.New(c.Stripe, c.StripeAPIURL, p.log); err != nil {
		return nil, err
	}
	p.stripe.Observe(p.metrics.StripeCall)
	if p.transport, err = mail.NewTransport(c.SMTPURL, c.MailFrom, parallelism); err != nil {
		return nil, err
	}
	if p.db, err = pg.OpenForWorkers(ctx, c.DatabaseURL, poolSize); err != nil {
		return nil, err
	}
	if p.pages, err = pg.OpenForRequests(ctx, c.DatabaseURL, pagesSize); err != nil {
		return nil, errors.Join(err, p.db.Close())
	}
	if err := checkPooler(ctx, p.pages); errors.Is(err, errForgets) { // whatever else is wrong shows by itself
		return nil, errors.Join(err, p.pages.Close(), p.db.Close())
	}
	if c.StripeAPIURL != "" {
		p.clock.follow(ctx, c.StripeAPIURL)
	}
	p.metrics.WatchPool(p.db.DB)
	p.metrics.WatchState(p.figures, p.log)
	p.catalog = fund.NewCatalogCache(p.db, setupAge, time.Now)
	p.guard = guard.New(p.pages, c.SecretKey, c.GiveLimits, time.Now)
	if err := p.assembleWork(); err != nil {
		return nil, errors.Join(err, p.pages.Close(), p.db.Close())
	}
	return p, nil
}

func (p *parts) assembleWork() error {
	queue, err := jobs.NewQueue()
	if err != nil {
		return err
	}
	receipts := receipt.Issuer{Queue: queue, NewID: newID}
	p.plans = recurring.Plans{DB: p.db, Queue: queue, Billing: p.stripe, Now: p.clock.Now, NewID: newID, NewRef: newRef}
	settler := donation.Settler{Receipts: receipts, NewID: newID, Now: p.clock.Now, Plans: p.plans}
	booker := settlement.Booker{Settler: settler, Receipts: receipts, NewID: newID, Now: p.clock.Now}
	p.drain = stripepay.NewDrain(&stripepay.Drain{
		DB: p.db, Stripe: p.stripe, Catalog: p.catalog, Log: p.log, Settler: settler, Booker: booker, Plans: p.plans,
	})
	p.collector = stripebalance.Importer{DB: p.db, Catalog: p.catalog, Source: p.stripe, Booker: booker}
	p.sweeper = stripepay.Sweeper{DB: p.db, Stripe: p.stripe, Catalog: p.catalog, Drain: p.drain, Collector: p.collector, Now: p.clock.Now}
	handlers := jobs.NewHandlers()
	handlers.Observe = p.metrics.Job
	mailer := mail.Mailer{
		DB: p.db, View: p.view, Transport: p.transport, DKIM: p.config.DKIM, StopURL: web.StopLink(p.config.BaseURL, p.config.SecretKey),
		NewID: newID, Now: time.Now, Log: p.log, Yield: p.drain.Yield,
	}
	links := web.PlanLinks{Base: p.config.BaseURL, Secret: p.config.SecretKey, Now: time.Now}
	mail.Receipts{Mailer: mailer, Plans: links}.Register(handlers)
	p.plans.Register(handlers)
	mail.Plans{Mailer: mailer, Catalog: p.catalog, Links: links}.Register(handlers)
	mail.TributeCards{Mailer: mailer, Catalog: p.catalog}.Register(handlers)
	p.statements = statement.Issuer{DB: p.db, Queue: queue, Catalog: p.catalog, Now: p.clock.Now, NewID: newID}
	mail.Statements{Mailer: mailer}.Register(handlers)
	p.privacy = privacy.Eraser{DB: p.db, Queue: queue, Secret: p.config.SecretKey, Stripe: p.stripe, Now: p.clock.Now, NewID: newID}
	p.privacy.Register(handlers)
	mail.Erasures{Mailer: mailer, Privacy: p.privacy, Catalog: p.catalog}.Register(handlers)
	p.access = donoraccess.Service{DB: p.db, Queue: queue, Guard: p.guard, Secret: p.config.SecretKey, Limits: donoraccess.Standard(), NewID: newID}
	mail.SignIns{Mailer: mailer, Access: p.access, Catalog: p.catalog, Link: web.SignInLink(p.config.BaseURL)}.Register(handlers)
	p.heads = mail.AuditDigest{Mailer: mailer, Queue: queue, To: p.config.AuditMail}
	p.heads.Register(handlers)
	p.runner, err = jobs.NewRunner(p.db, handlers, parallelism, p.log)
	return err
}

// server is the web side.
func (p *parts) server() *web.Server {
	return &web.Server{
		DB: p.pages, View: p.view, Catalog: p.catalog, Languages: p.languages, BaseURL: p.config.BaseURL, Secret: p.config.SecretKey,
		Pages: p.stripe.PageOrigins(), Demo: p.config.StripeAPIURL != "", Now: p.clock.Now, Wall: time.Now, NewID: newID, Log: p.log, Ready: p.ready, Observe: p.request,
		Plans:   p.plans,
		Starter: donation.Starter{DB: p.pages, Payments: p.stripe, Now: p.clock.Fresh, NewID: newID, NewRef: newRef, Links: web.Links(p.config.BaseURL), Words: p.words, Plans: p.plans},
		Inbox:   &stripepay.Inbox{DB: p.pages, Stripe: p.stripe, Now: time.Now, Wake: p.drain.Wake},
		Guard:   p.guard, Access: p.access, Statements: p.statements, Privacy: p.privacy, TrustedProxies: p.config.TrustedProxies,
	}
}

// ready tells whether the server can serve.
func (p *parts) ready(ctx context.Context) error {
	if p.stopping.Load() {
		return errors.New("stopping")
	}
	pending, err := migrations.Pending(ctx, p.db.DB)
	if err != nil {
		return err
	}
	if pending > 0 {
		return fmt.Errorf("%d migrations to run: konbit migrate", pending)
	}
	return nil
}

func (p *parts) close() error {
	p.transport.Close()
	return errors.Join(p.pages.Close(), p.db.Close())
}
