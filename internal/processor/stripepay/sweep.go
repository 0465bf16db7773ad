package stripepay

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stripe/stripe-go/v76"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/checkout"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/event"
	"konbit/internal/processor/stripebalance"
	"konbit/internal/processor/stripepay/turns"
	"konbit/internal/processor/stripepay/webhook"
)

const (
	// listablePeriod is how long Stripe lists events (https://docs.stripe.com/api/events).
	listablePeriod = 30 * 24 * time.Hour
	// overdueAfter is how long after the end of its page a started donation without any event is read at Stripe.
	overdueAfter = 10 * time.Minute
	maxOverdue   = 500
)

// Sweeper finds what no webhook reported: undelivered events, movements of money, and started donations whose donors
// never returned. Everything it does may be repeated at any time.
type Sweeper struct {
	DB        *sqlx.DB
	Stripe    *Stripe
	Catalog   *fund.CatalogCache
	Worker    *event.Worker
	Collector stripebalance.Importer
	Now       func() time.Time
}

// SweepResult counts what a sweep found.
type SweepResult struct {
	Events       int `json:"events"`       // undelivered events that were stored
	Transactions int `json:"transactions"` // balance transactions booked
	Ended        int `json:"ended"`        // started donations that failed, expired or are processing
}

// Sweep sweeps every entity. If one cannot be swept now, the others still are; the errors are joined.
func (s Sweeper) Sweep(ctx context.Context) (SweepResult, error) {
	ctx = turns.With(ctx, turns.Import)
	var swept SweepResult
	catalog, err := s.Catalog.Current(ctx)
	if err != nil {
		return swept, err
	}
	var errs []error
	note := func(n *int, found int, err error) {
		*n += found
		errs = append(errs, err)
	}
	for _, entity := range catalog.Entities() {
		if _, ok := s.Stripe.accounts[entity.Slug]; !ok {
			continue // it takes no payments by card
		}
		n, err := s.storeUndelivered(ctx, entity)
		note(&swept.Events, n, err)
	}
	// The order matters. Invoices must be stored before the charges that paid them are booked. And an entity's balance
	// is imported from its first donation on: if none of its events was delivered, an event that was stored just now
	// settles that donation.
	errs = append(errs, s.drain(ctx))
	n, err := s.Collector.Sweep(ctx)
	note(&swept.Transactions, n, err)
	errs = append(errs, webhook.Unpark(ctx, s.DB), s.drain(ctx))
	n, err = s.resolveOverdue(ctx, catalog)
	note(&swept.Ended, n, err)
	return swept, errors.Join(errs...)
}

// storeUndelivered stores the events of the last 30 days that Stripe could not deliver.
func (s Sweeper) storeUndelivered(ctx context.Context, entity org.LegalEntity) (int, error) {
	a, err := s.Stripe.account(entity.Slug)
	if err != nil {
		return 0, err
	}
	taken, last := 0, ""
	for {
		params := &stripe.EventListParams{
			DeliverySuccess: stripe.Bool(false),
			CreatedRange:    &stripe.RangeQueryParams{GreaterThanOrEqual: s.Now().Add(-listablePeriod).Unix()},
		}
		params.Context, params.Single = ctx, true
		params.Limit = stripe.Int64(100)
		if last != "" {
			params.StartingAfter = stripe.String(last)
		}
		list := a.api.Events.List(params)
		if err := list.Err(); err != nil {
			return taken, translate(err)
		}
		var page struct {
			Data []json.RawMessage `json:"data"`
		}
		if err := json.Unmarshal(list.EventList().LastResponse.RawJSON, &page); err != nil {
			return taken, fmt.Errorf("stripe: list of events: %w", err)
		}
		n, id, err := s.storePage(ctx, entity, a, page.Data)
		if taken += n; err != nil || !list.Meta().HasMore || id == "" {
			return taken, err
		}
		last = id
	}
}

// storePage stores the listed events of handled types. It returns the number of new ones and the last listed id.
func (s Sweeper) storePage(ctx context.Context, entity org.LegalEntity, a *account, listed []json.RawMessage) (taken int, last string, err error) {
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		var arrivals []webhook.Event
		for _, payload := range listed {
			var h webhook.Header
			err := json.Unmarshal(payload, &h)
			last = cmp.Or(h.ID, last)
			if err != nil || !h.IsEvent() || !webhook.IsHandled(h.Type) || h.Livemode != a.keys.Live() {
				continue // verify would refuse it too
			}
			arrivals = append(arrivals, webhook.Event{EntityID: entity.ID, Header: h, Payload: payload})
		}
		fresh, err := webhook.StoreTx(ctx, tx, arrivals)
		taken = int(fresh)
		return err
	})
	return taken, last, err
}

// drain applies events until none is due. Their calls have the turns of events, as when the worker applies them: a donor
// may wait for the gift that one settles.
func (s Sweeper) drain(ctx context.Context) error {
	ctx = turns.With(ctx, turns.Act)
	for {
		if n, err := s.Worker.RunBatch(ctx); err != nil || n == 0 {
			return err
		}
	}
}

// resolveOverdue asks Stripe about donations whose payment page ended without any event. A donation without a page
// cannot have been paid: it has expired. A donation that was paid is settled by its charge, not here.
func (s Sweeper) resolveOverdue(ctx context.Context, catalog *fund.Catalog) (int, error) {
	overdue, err := checkout.Overdue(ctx, s.DB, s.Now().Add(-overdueAfter), maxOverdue)
	if err != nil {
		return 0, err
	}
	var updates []donation.StatusUpdate
	var errs []error
	for _, d := range overdue {
		to, err := s.readStatus(ctx, catalog, d)
		if err != nil {
			errs = append(errs, fmt.Errorf("gift %s: %w", d.ID, err))
			continue
		}
		if to != "" && to != d.Status {
			updates = append(updates, donation.StatusUpdate{DonationID: d.ID, EntityID: d.EntityID, To: to, Cause: "sweep"})
		}
	}
	err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
		return donation.UpdateStatusTx(ctx, tx, s.Worker.Settler.Notices, updates, s.Now())
	})
	return len(updates), errors.Join(append(errs, err)...)
}

func (s Sweeper) readStatus(ctx context.Context, catalog *fund.Catalog, d checkout.Gift) (donation.Status, error) {
	if d.SessionID == nil {
		return donation.Expired, nil
	}
	entity, err := catalog.EntityByID(d.EntityID)
	if err != nil {
		return "", err
	}
	a, err := s.Stripe.account(entity.Slug)
	if err != nil {
		return "", err
	}
	params := &stripe.CheckoutSessionParams{}
	params.Context = ctx
	params.AddExpand("payment_intent")
	session, err := a.api.CheckoutSessions.Get(*d.SessionID, params)
	var refused *stripe.Error
	switch {
	case errors.As(err, &refused) && refused.Code == stripe.ErrorCodeResourceMissing:
		return donation.Expired, nil // of another account, or deleted: it cannot be paid
	case err != nil:
		return "", translate(err)
	}
	return statusOf(session), nil
}

// statusOf returns a donation's status by its session; empty if it is open, or if it is paid: then its charge decides.
func statusOf(session *stripe.CheckoutSession) donation.Status {
	switch {
	case session.Status == stripe.CheckoutSessionStatusExpired:
		return donation.Expired
	case session.Status != stripe.CheckoutSessionStatusComplete || session.PaymentStatus != stripe.CheckoutSessionPaymentStatusUnpaid:
		return ""
	case session.PaymentIntent != nil && (session.PaymentIntent.Status == stripe.PaymentIntentStatusRequiresPaymentMethod ||
		session.PaymentIntent.Status == stripe.PaymentIntentStatusCanceled):
		return donation.Failed // the bank returned the debit
	}
	return donation.Processing
}
