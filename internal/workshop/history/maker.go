package history

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/app"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/stripepay"
	"konbit/internal/workshop/stripefake"
)

// Options are what a history is made with. The settings are those of the running server.
type Options struct {
	Stripe      *stripefake.Server
	StripeURL   string
	DatabaseURL string // with the server's role
	BaseURL     string
	SecretKey   string
	StripeKeys  map[string]stripepay.Keys
	SMTPURL     string
	MailFrom    string
}

// maker makes the steps of a story.
type maker struct {
	past *stripefake.History
	app  *app.App
}

// connections is how many connections to the database a maker has.
const connections = 2

// Make makes the history and has it told, unless this was done before. It returns when the stand-in begins to tell it;
// HistoryProgress of the stand-in says when everything is told. The server must run. It reports
// stripefake.ErrHistory if somebody has given already.
func Make(ctx context.Context, o Options) error {
	progress := o.Stripe.HistoryProgress()
	if progress.State == "telling" || progress.State == "told" {
		return nil
	}
	until := o.Stripe.Now().Add(-time.Hour)
	from := until.Add(-length)
	if progress.State == "making" {
		from = time.Unix(progress.From, 0)
	}
	steps := story(from)
	past, err := o.Stripe.BeginHistory(from, until, len(steps))
	if err != nil {
		return err
	}
	db, err := pg.OpenForRequests(ctx, o.DatabaseURL, connections)
	if err != nil {
		return err
	}
	m, err := newMaker(o, past, db)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer m.app.Close()
	if err := waitForFirstTasks(ctx, db); err != nil {
		return err
	}
	for _, next := range steps[min(past.Done(), len(steps)):] {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		past.Move(next.at)
		if err := m.make(ctx, next); err != nil {
			return fmt.Errorf("history, %s: %w", next.at.Format(time.DateOnly), err)
		}
	}
	past.Tell()
	return nil
}

// newMaker builds the program with the history's clock. It serves no page and has no worker: the server settles.
func newMaker(o Options, past *stripefake.History, db *sqlx.DB) (*maker, error) {
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		return nil, err
	}
	a, err := app.New(app.Settings{
		DatabaseURL: o.DatabaseURL, BaseURL: base, Stripe: o.StripeKeys, StripeAPIURL: o.StripeURL + stripefake.HistoryAPI,
		SMTPURL: o.SMTPURL, MailFrom: o.MailFrom, SecretKey: []byte(o.SecretKey),
	}, app.Resources{
		DB: db, PagesDB: db, StaffDB: db, Log: slog.New(slog.DiscardHandler),
		Clocks: app.Clocks{Business: past.Now, FreshBusiness: past.Now, Wall: time.Now},
	})
	if err != nil {
		return nil, err
	}
	return &maker{past: past, app: a}, nil
}

// retryTime is how long a step is tried again: on a busy machine the database does not answer in time.
const (
	retryTime  = time.Minute
	retryPause = 300 * time.Millisecond
)

// make makes a step. A step may be made again, and one that was begun is finished when ctx ends: see submitAgain.
func (m *maker) make(ctx context.Context, next step) error {
	for deadline := time.Now().Add(retryTime); ; {
		err := next.do(context.WithoutCancel(ctx), m)
		if err == nil || time.Now().After(deadline) || pause(ctx, retryPause) != nil {
			return err
		}
	}
}

// give submits a form and does what its donor does on the payment page.
func (m *maker) give(ctx context.Context, g gift) error {
	catalog, err := m.app.Catalog.Current(ctx)
	if err != nil {
		return err
	}
	organisation, err := catalog.Organisation(g.organisation)
	if err != nil {
		return err
	}
	entity, err := catalog.EntityByID(organisation.EntityID)
	if err != nil {
		return err
	}
	offer := donation.Offer{Entity: entity, Organisation: organisation, Funds: catalog.Open(organisation.ID)}
	request, err := g.form.Check(offer)
	if err != nil {
		return fmt.Errorf("the form of %s: %w", g.donor, err)
	}
	begun, err := m.app.Starter.Start(ctx, offer, request)
	if err != nil {
		return fmt.Errorf("the gift of %s: %w", g.donor, err)
	}
	switch {
	case g.leaves:
		return m.past.Leave(g.account())
	case g.declined:
		return m.past.Decline(g.account(), *begun.SessionID, card(g.donor, g.card))
	}
	if err := m.submitAgain(ctx, begun.Donation); err != nil {
		return err
	}
	return m.past.Pay(g.account(), *begun.SessionID, card(g.donor, g.card), g.bank)
}

// submitAgain records what the program records when a form is submitted again whose page was paid: the gift is on its
// way. The server deletes what was typed with a gift that is a month old and not known to be paid. The page is paid a
// moment later, so that a demo that is killed in between goes on with a gift that is not deleted.
func (m *maker) submitAgain(ctx context.Context, d donation.Donation) error {
	update := donation.StatusUpdate{DonationID: d.ID, EntityID: d.EntityID, To: donation.Processing, Cause: "form"}
	return pg.InTx(ctx, m.app.Starter.DB, func(tx *sqlx.Tx) error {
		if _, err := donation.LockTx(ctx, tx, d.ID); err != nil {
			return err
		}
		return donation.UpdateStatusTx(ctx, tx, notice.Recorder{}, []donation.StatusUpdate{update}, m.past.Now()) // none fails here
	})
}

// The server's periodic tasks run for the first time a second after its start. Two of them must not meet half a gift:
//
//	purge   deletes what was typed with old gifts that are not paid
//	sweep   compares Stripe's balance with the books; if the history were shown between its questions, for
//	        transactions and for the balance, the difference would be taken for the balance from before these books began
//
// They run again a quarter of an hour later, or hours.
const (
	firstTasks = time.Second      // after the sweep has ended, the purge has too
	sweepWait  = 30 * time.Second // for the end of the sweep
)

// waitForFirstTasks waits until the server's first sweep has ended, and a moment more.
func waitForFirstTasks(ctx context.Context, db *sqlx.DB) error {
	const query = `SELECT count(*) = 0 FROM legal_entity e WHERE NOT EXISTS (
		SELECT FROM balance_observation o WHERE o.entity_id = e.id AND o.at >= $1)`
	began := time.Now().Add(-firstTasks) // the sweep may have ended just now
	for deadline, done := began.Add(sweepWait), false; !done && time.Now().Before(deadline); {
		if err := db.GetContext(ctx, &done, query, began); err != nil {
			return err
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return pause(ctx, firstTasks)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
