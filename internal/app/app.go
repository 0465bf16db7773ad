package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/mail"
	"konbit/internal/mail/difference"
	"konbit/internal/mail/staffmail"
	"konbit/internal/mail/transport"
	"konbit/internal/office/correction"
	"konbit/internal/office/offline"
	"konbit/internal/office/refund"
	"konbit/internal/office/suspense"
	"konbit/internal/office/thanks"
	"konbit/internal/people/donoraccess"
	"konbit/internal/people/staff"
	"konbit/internal/platform/guard"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/metrics"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
	"konbit/internal/platform/securitylog"
	"konbit/internal/platform/typeset"
	"konbit/internal/processor/event"
	"konbit/internal/processor/offlinepay"
	"konbit/internal/processor/settlement"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/processor/stripepay"
	"konbit/internal/processor/stripepay/webhook"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/give"
	"konbit/internal/web/hooks"
	"konbit/internal/web/letters"
	"konbit/internal/web/office"
	"konbit/internal/web/office/auditlog"
	officebank "konbit/internal/web/office/bank"
	"konbit/internal/web/office/batches"
	"konbit/internal/web/office/deposits"
	"konbit/internal/web/office/desk"
	"konbit/internal/web/office/disputes"
	"konbit/internal/web/office/donors"
	"konbit/internal/web/office/gifts"
	"konbit/internal/web/office/imports"
	"konbit/internal/web/office/payouts"
	"konbit/internal/web/office/refunds"
	officesuspense "konbit/internal/web/office/suspense"
	"konbit/internal/web/office/today"
	"konbit/internal/web/portal"
	"konbit/internal/web/portal/signedlink"
)

// Resources are what the services stand on. Open opens them; tests bring their own.
type Resources struct {
	DB      *sqlx.DB // for background work
	PagesDB *sqlx.DB // for donors' pages and webhooks
	StaffDB *sqlx.DB // for pages of staff
	Clocks  Clocks
	Log     *slog.Logger
}

// App is the whole program. Its services may be used directly.
type App struct {
	Office
	settings   Settings
	resources  Resources
	stopping   atomic.Bool
	identified atomic.Bool // the database's record was compared with the settings
	readiness  readiness

	Words   *phrase.Catalogue
	View    *view.View
	Metrics *metrics.Metrics

	Stripe      *stripepay.Stripe
	Plans       recurring.Plans
	PlanLinks   planlink.Links
	Settler     donation.Settler
	Poster      offline.Poster
	Starter     checkout.Starter
	Booker      settlement.Booker
	Collector   stripebalance.Importer
	Refunds     refund.Service // that staff order
	Inbox       *webhook.Inbox
	EventWorker *event.Worker
	Sweeper     stripepay.Sweeper

	Guard  *guard.Guard
	Access donoraccess.Service
	Staff  staff.Service

	Transport   *transport.Transport // for all emails except those to sign in
	SignInMail  *transport.Transport // for emails to sign in, which must not wait for a connection that is silent about another email
	Receipts    mail.Receipts        // the emails with receipts
	SignIns     mail.SignIns
	AuditDigest staffmail.AuditDigest
	Handlers    *jobs.Handlers

	Server *web.Kernel // the web side, with its areas
}

// Open opens the database and builds the program. The clocks follow a stand-in until ctx ends. The caller closes the
// App.
func Open(ctx context.Context, s Settings, log *slog.Logger) (*App, error) {
	pg.SetRequestTimeout(cmp.Or(s.RequestTimeout, pg.DefaultRequestTimeout))
	db, err := pg.OpenForWorkers(ctx, s.DatabaseURL, workerConnections)
	if err != nil {
		return nil, err
	}
	pages, err := pg.OpenForRequests(ctx, s.DatabaseURL, pageConnections)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	staffDB, err := pg.OpenForRequests(ctx, s.DatabaseURL, officeConnections)
	if err != nil {
		return nil, errors.Join(err, pages.Close(), db.Close())
	}
	// Any other error of these checks shows itself when the pages use the database.
	if err := errors.Join(CheckRole(ctx, pages), CheckPooler(ctx, pages)); errors.Is(err, errRole) || errors.Is(err, errForgetsStatements) {
		return nil, errors.Join(err, staffDB.Close(), pages.Close(), db.Close())
	}
	a, err := New(s, Resources{DB: db, PagesDB: pages, StaffDB: staffDB, Clocks: NewClocks(ctx, s.StripeAPIURL), Log: log})
	if err != nil {
		return nil, errors.Join(err, staffDB.Close(), pages.Close(), db.Close())
	}
	// Ready compares again if the database does not answer now, or has no tables yet.
	if err := a.identify(ctx); isUnknownKey(err) {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// New builds the program over opened resources. It does not use the network.
func New(s Settings, r Resources) (*App, error) {
	services, err := NewOffice(s, r.DB, r.Clocks)
	if err != nil {
		return nil, err
	}
	a := &App{Office: services, settings: s, resources: r, Metrics: newMetrics()}
	if a.Words, err = embeddedWords(); err != nil {
		return nil, err
	}
	if a.View, err = embeddedView(); err != nil {
		return nil, err
	}
	if a.Stripe, err = stripepay.New(s.Stripe, s.StripeAPIURL, r.Log); err != nil {
		return nil, err
	}
	if a.Transport, err = transport.New(s.SMTPURL, s.MailFrom, jobSlots/2); err != nil {
		return nil, err
	}
	if a.SignInMail, err = transport.New(s.SMTPURL, s.MailFrom, 1); err != nil {
		return nil, err
	}
	a.Stripe.Observe(a.Metrics.StripeCall)
	a.Metrics.WatchPool(r.DB.DB)
	a.Metrics.WatchState(a.Figures, r.Log)
	a.buildGiving()
	a.buildPeople()
	a.buildMail()
	a.buildServer()
	return a, nil
}

// buildGiving builds what takes donations and books what Stripe moves.
func (a *App) buildGiving() {
	db, clocks := a.resources.DB, a.resources.Clocks
	a.Plans = recurring.Plans{
		DB: db, Queue: a.Queue, Billing: a.Stripe, Now: clocks.Business, NewID: NewID, NewRef: NewRef,
	}
	a.Settler = donation.Settler{
		Receipts: a.ReceiptIssuer, Notices: notice.Recorder{Queue: a.Queue, NewID: NewID}, NewID: NewID, Now: clocks.Business, Plans: a.Plans,
		Offline: settlement.OfflineFees{NewID: NewID},
	}
	a.Poster = offline.Poster{
		Settler: a.Settler, Thanks: thanks.Issuer{Queue: a.Queue, NewID: NewID}, NewID: NewID, NewRef: NewRef, Now: clocks.Business,
	}
	a.Booker = settlement.Booker{
		Settler: a.Settler, Receipts: a.ReceiptIssuer, Orders: refund.Booked{Queue: a.Queue}, NewID: NewID, Now: clocks.Business,
	}
	a.Imports.Poster = a.Poster
	a.Refunds = refund.Service{
		DB: db, Queue: a.Queue, Catalog: a.Catalog, Processor: a.Stripe.Refunds(), Books: offlinepay.Booker{Booker: a.Booker}, NewID: NewID,
		Now: clocks.Business,
	}
	a.EventWorker = event.NewWorker(&event.Worker{
		DB: db, Source: stripepay.EventStore{Stripe: a.Stripe}, Catalog: a.Catalog, Settler: a.Settler, Booker: a.Booker, Plans: a.Plans, Log: a.resources.Log,
	})
	a.Collector = stripebalance.Importer{
		DB: db, Catalog: a.Catalog, Source: a.Stripe, Booker: a.Booker,
		Booked: func(ctx context.Context, entity uuid.UUID) error {
			return webhook.UnparkWaitingForMoney(ctx, db, entity)
		},
	}
	a.Sweeper = stripepay.Sweeper{
		DB: db, Stripe: a.Stripe, Catalog: a.Catalog, Worker: a.EventWorker, Collector: a.Collector, Now: clocks.Business,
	}
	a.Starter = checkout.Starter{
		DB: a.resources.PagesDB, Payments: a.Stripe, Now: clocks.FreshBusiness, NewID: NewID, NewRef: NewRef,
		Links: give.Links(a.settings.BaseURL), Words: a.Words, Plans: a.Plans,
	}
	a.Inbox = &webhook.Inbox{DB: a.resources.PagesDB, Keys: a.Stripe, Now: clocks.Wall, Wake: a.EventWorker.Wake}
}

// buildPeople builds sign-in, limits and erasure.
func (a *App) buildPeople() {
	s := a.settings
	a.Privacy.Stripe = a.Stripe
	a.Guard = guard.New(a.resources.PagesDB, s.Keys(), s.GiveLimits, a.resources.Clocks.Wall)
	a.Access = donoraccess.Service{
		DB: a.resources.DB, Queue: a.Queue, Guard: a.Guard, Keys: s.Keys(), Limits: s.SignInLimits, Now: a.resources.Clocks.Wall, NewID: NewID,
		EndLinksTx: planlink.EndOfEmailsTx,
	}
	a.Staff = staff.Service{
		DB: a.resources.DB, Queue: a.Queue, Guard: a.Guard, Keys: s.Keys(), Site: s.OfficeSite(), NewID: NewID, Record: recordStaffTx,
	}
	a.PlanLinks = planlink.Links{DB: a.resources.DB, Queue: a.Queue, Keys: s.Keys(), NewID: NewID}
}

// buildMail builds the mailers and registers all kinds of jobs.
func (a *App) buildMail() {
	s, clocks := a.settings, a.resources.Clocks
	links := signedlink.PlanLinks{Base: s.BaseURL, DB: a.resources.DB, Links: a.PlanLinks}
	mailer := mail.Mailer{
		DB: a.resources.DB, View: a.View, Transport: a.Transport, Models: difference.NewModels(a.resources.DB), DKIM: s.DKIM,
		StopURL: signedlink.StopLink(s.BaseURL, s.Keys()), NewID: NewID, Now: clocks.Wall, Shown: clocks.Shown, Log: a.resources.Log,
		Yield: a.EventWorker.Yield, Refused: a.emailRefused,
	}
	a.Receipts = mail.Receipts{Mailer: mailer, Plans: links}
	urgent := mailer
	urgent.Transport = a.SignInMail
	a.SignIns = mail.SignIns{
		Mailer: urgent, Access: a.Access, Catalog: a.Catalog, Link: signedlink.SignInLink(s.BaseURL), Expired: a.Metrics.SignInExpired,
	}
	a.AuditDigest = staffmail.AuditDigest{Mailer: mailer, Queue: a.Queue, To: s.AuditMail}

	a.Handlers = jobs.NewHandlers()
	a.Handlers.Observe, a.Handlers.Before = a.Metrics.Job, a.beforeJob
	a.Receipts.Register(a.Handlers)
	a.Plans.Register(a.Handlers)
	mail.Plans{Mailer: mailer, Catalog: a.Catalog, Links: links}.Register(a.Handlers)
	mail.GiftNotices{Receipts: a.Receipts, Catalog: a.Catalog, Again: give.AgainLink(s.BaseURL)}.Register(a.Handlers)
	mail.TributeCards{Mailer: mailer, Catalog: a.Catalog}.Register(a.Handlers)
	mail.ThankYous{Mailer: mailer}.Register(a.Handlers)
	mail.Statements{Mailer: mailer, Issuer: a.Statements}.Register(a.Handlers)
	a.Privacy.Register(a.Handlers)
	a.Refunds.Register(a.Handlers)
	a.Imports.Register(a.Handlers)
	suspense.Refunds{DB: a.resources.DB, Catalog: a.Catalog, Whole: a.Stripe.Refunds().Whole, NewID: NewID, Now: clocks.Business}.Register(a.Handlers)
	mail.Erasures{Mailer: mailer, Privacy: a.Privacy, Catalog: a.Catalog}.Register(a.Handlers)
	a.SignIns.Register(a.Handlers)
	a.AuditDigest.Register(a.Handlers)
	staffmail.Staff{Mailer: urgent, Accounts: a.Staff, Catalog: a.Catalog, Link: office.InvitationLink(s.OfficeSite()),
		Auditors: s.AuditMail}.Register(a.Handlers)
}

// buildServer builds the web side and mounts its areas. Its services have the connections of pages, so that no visitor
// waits for background work, and no number of visitors keeps background work waiting. The pages of staff have others than
// those of donors.
func (a *App) buildServer() {
	s, clocks, db := a.settings, a.resources.Clocks, a.resources.PagesDB
	catalog := fund.NewCatalogCache(db, cmp.Or(s.CatalogAge, CatalogAge), clocks.Wall)
	access, plans, links, statements, erasures := a.Access, a.Plans, a.PlanLinks, a.Statements, a.Privacy
	access.DB, plans.DB, links.DB, statements.DB, erasures.DB = db, db, db, db, db
	people := a.Staff
	people.DB = a.resources.StaffDB
	people.Guard = guard.New(people.DB, s.Keys(), s.GiveLimits, clocks.Wall)
	statements.Catalog = catalog
	staffCatalog := fund.NewCatalogCache(people.DB, cmp.Or(s.CatalogAge, CatalogAge), clocks.Wall)
	a.Server = &web.Kernel{
		DB: db, StaffDB: people.DB, View: a.View, Catalog: catalog, StaffCatalog: staffCatalog, Access: access, Staff: people, Languages: a.Words.Languages(),
		BaseURL: s.BaseURL, OfficeURL: s.OfficeURL, Keys: s.Keys(), TrustedProxies: s.TrustedProxies, Demo: s.StyleGuide, SecurityContact: s.Security,
		Pages: a.Stripe.PageOrigins(), Now: clocks.Business, Wall: clocks.Wall, Shown: clocks.Shown, NewID: NewID, Log: a.resources.Log,
		Ready: a.Ready, Observe: a.observeRequest, Guard: a.Guard,
		Security: &securitylog.Log{Log: a.resources.Log, Count: func(e securitylog.Event) { a.Metrics.SecurityEvent(string(e)) }},
	}
	a.Server.Areas = append([]web.Area{
		&give.Area{Kernel: a.Server, Starter: a.Starter, Guard: a.Guard, TakesCards: a.Stripe.HasAccount},
		&portal.Area{Kernel: a.Server, Plans: plans, Links: links, Statements: statements, Privacy: erasures},
		&letters.Area{Kernel: a.Server},
		&hooks.Area{Kernel: a.Server, Inbox: a.Inbox},
	}, a.officeAreas()...)
}

// officeAreas returns the areas of staff.
func (a *App) officeAreas() []web.Area {
	s, clocks, db := a.settings, a.resources.Clocks, a.resources.StaffDB
	plans, erasures, receipts, orders := a.Plans, a.Privacy, a.Receipts, a.Refunds
	plans.DB, erasures.DB, receipts.DB, orders.DB = db, db, db, db
	receipts.Models, orders.Catalog = difference.NewModels(db), a.Server.StaffCatalog
	staffPages := office.New(a.Server)
	suspensePages := &officesuspense.Area{Desk: staffPages.Desk,
		Resolver: suspense.Resolver{Settler: a.Settler, Queue: a.Queue, NewID: NewID, Now: clocks.Business}, NewRef: NewRef}
	batchPages := &batches.Area{Desk: staffPages.Desk, Poster: a.Poster}
	bankPages := &officebank.Area{Desk: staffPages.Desk, Bank: a.Bank, Fonts: typeset.System(), Gifts: batchPages}
	giftPages := &gifts.Area{Desk: staffPages.Desk, Cards: a.Stripe.Refunds(), Rows: batchPages, Corrections: correction.Service{
		Books: offlinepay.Booker{Booker: a.Booker}, Poster: a.Poster, NewID: NewID,
	}}
	refundPages := &refunds.Area{Desk: staffPages.Desk, Refunds: orders, Acts: []desk.Act{suspensePages.SuspenseAct(), bankPages.OpeningAct(),
		giftPages.VoidAct()}}
	return []web.Area{
		staffPages,
		&donors.Area{
			Desk: staffPages.Desk, Plans: plans, Receipts: a.ReceiptIssuer, Privacy: erasures,
			Resender: mail.Resender{Receipts: receipts, Queue: a.Queue, Interval: mail.ResendInterval},
		},
		&today.Area{Desk: staffPages.Desk, History: demoHistory(s.StripeAPIURL), TitleTx: refundPages.TitleTx,
			WaitingTx: refundPages.WaitingTx},
		&disputes.Area{Desk: staffPages.Desk, Fonts: typeset.System(), AtProcessor: a.Stripe.DisputePage},
		&auditlog.Area{Desk: staffPages.Desk},
		giftPages,
		refundPages,
		&payouts.Area{Desk: staffPages.Desk},
		suspensePages,
		batchPages,
		bankPages,
		&imports.Area{Desk: staffPages.Desk, Imports: a.Imports},
		&deposits.Area{Desk: staffPages.Desk, Bank: a.Bank, Fonts: typeset.System()},
	}
}

// BeginStop makes Ready report that the program is stopping, so that a load balancer sends no more requests.
func (a *App) BeginStop() { a.stopping.Store(true) }

// Stopping reports whether BeginStop was called.
func (a *App) Stopping() bool { return a.stopping.Load() }

// Close closes the connections to the mail server and the database.
func (a *App) Close() error {
	a.Transport.Close()
	a.SignInMail.Close()
	return errors.Join(a.resources.StaffDB.Close(), a.resources.PagesDB.Close(), a.resources.DB.Close())
}
