package checkout

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/notice"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Session is a payment page: at Stripe, a Checkout Session.
type Session struct{ ID, URL string }

// ErrTryUsed: the processor answers the order's try with a stored error, so the try creates no page any more. It may
// have created one before. It is wrapped together with fault.Unavailable.
var ErrTryUsed = errors.New("checkout: the try is used")

// ErrPaid: the processor says that the form's donation is paid, and the form was changed since.
var ErrPaid = errors.New("checkout: the form's donation is paid")

// Sessions creates payment pages. Package stripepay implements it; so would the adapter of a second processor. Each
// call limits its own time. It reports fault.Unavailable if the processor does not answer.
type Sessions interface {
	// Create creates the page, or returns the one created before for the same donation and try, or reports ErrTryUsed.
	Create(ctx context.Context, order Order) (Session, error)
	// Find returns the page that a call created whose answer was lost; nil if there is none.
	Find(ctx context.Context, order Order) (*Session, error)
	// Expire makes the page unpayable. It returns false if the page was paid or had expired already.
	Expire(ctx context.Context, entitySlug, sessionID string) (bool, error)
}

// Starter begins donations.
type Starter struct {
	DB       *sqlx.DB
	Payments Sessions
	Now      func() time.Time
	NewID    func() uuid.UUID
	NewRef   func() string // 128 random bits as text
	// Links returns the addresses that a payment page returns to.
	Links func(orgSlug, ref string, lang phrase.Language) (success, back string)
	Words *phrase.Catalogue // on the payment page
	Plans PlanStarter       // begins the plans of recurring donations
}

// PlanStarter begins the plan of a recurring donation. Package recurring implements it.
type PlanStarter interface {
	// BeginTx writes the plan of a donation that was just written.
	BeginTx(ctx context.Context, tx *sqlx.Tx, first donation.Donation, r donation.Request) error
}

// errSuperseded: while the page was created, the form was changed or the donation paid. The caller reads it again.
var errSuperseded = errors.New("checkout: superseded by another submit of the form")

// Start writes the donation and returns it with its payment page. For a form that was submitted before:
//
//	same request, unpaid      the same donation and page
//	other request, unpaid     the page is expired first, then a new donation; a form never has two payable pages for one
//	                          donor
//	same request, paid        the paid donation, without a new page
//	other request, paid       a donation of its own
//
// It returns the donation and ErrPaid if the processor says that the page of a donation with another request is paid: the
// donor may not know. Called again, it begins a donation of its own.
//
// No database call takes longer than dbTimeout.
func (s Starter) Start(ctx context.Context, offer donation.Offer, r donation.Request) (Gift, error) {
	for range 3 { // after a lost race the row is read again
		g, err := s.liveGift(ctx, offer, r)
		if err != nil {
			return Gift{}, err
		}
		switch {
		case g == nil:
			continue
		case g.Status.Paid():
			return *g, nil
		case g.OrganisationID != offer.Organisation.ID:
			return Gift{}, fault.New(fault.Conflict, "give.error.form", nil)
		case !bytes.Equal(g.FormHash, r.Hash[:]) || !g.payable(s.Now()):
			paid, err := s.endUnpaid(ctx, offer, r, *g)
			if err != nil {
				return Gift{}, err
			}
			if paid && !bytes.Equal(g.FormHash, r.Hash[:]) {
				return *g, ErrPaid
			}
			continue
		}
		if g.SessionURL != nil {
			return *g, nil
		}
		opened, err := s.open(ctx, offer, r, *g)
		if !errors.Is(err, errSuperseded) {
			return opened, err
		}
	}
	return Gift{}, fault.New(fault.Unavailable, "problem.503.text", nil)
}

// dbTimeout returns the limit of each database call. The other half of pg.RequestTimeout was spent before the donation is begun.
func dbTimeout() time.Duration { return pg.RequestTimeout() / 2 }

// liveGift begins a donation, unless the form has one that is neither expired nor failed: then it returns that one. It
// returns nil if that one ended meanwhile. A form that stays open on a shared device, or in a browser's memory, is submitted
// again after its donation was paid: a different request continues under an id that nextFormID derives from the form's.
func (s Starter) liveGift(ctx context.Context, offer donation.Offer, r donation.Request) (*Gift, error) {
	ctx, cancel := context.WithTimeout(ctx, dbTimeout())
	defer cancel()
	for {
		if g, err := s.begin(ctx, offer, r); err != nil || g != nil {
			return g, err
		}
		g, err := liveByForm(ctx, s.DB, r.FormID)
		switch {
		case err != nil || g == nil:
			return nil, err
		case !g.Status.Paid() || bytes.Equal(g.FormHash, r.Hash[:]):
			return g, nil
		}
		r.FormID = nextFormID(r)
	}
}

// PaidBefore returns the form's donation that was paid last, if Start would begin another one beside it; else nil. The other
// donations of the form are those of the donor with the request's email address.
func (s Starter) PaidBefore(ctx context.Context, r donation.Request) (last *Gift, err error) {
	for {
		g, err := liveByForm(ctx, s.DB, r.FormID)
		switch {
		case err != nil || g == nil:
			return last, err
		case !g.Status.Paid() || bytes.Equal(g.FormHash, r.Hash[:]):
			return nil, nil // Start continues with it
		}
		last, r.FormID = g, nextFormID(r)
	}
}

// nextFormID returns the id under which a donor continues with a form whose donation was paid. It is the same at every
// submit and on every server, so that two submits are one donation. It differs between donors, so that no donor is
// shown another donor's donation.
func nextFormID(r donation.Request) uuid.UUID {
	return uuid.NewSHA1(r.FormID, []byte("paid, and pressed by "+email.Normalize(r.Contact.Email)))
}

// withTimeout runs fn in a transaction, within dbTimeout.
func (s Starter) withTimeout(ctx context.Context, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, dbTimeout())
	defer cancel()
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// begin commits the rows before any call to Stripe. It returns nil if the form has a live donation.
func (s Starter) begin(ctx context.Context, offer donation.Offer, r donation.Request) (_ *Gift, err error) {
	now := s.Now()
	d := donation.Donation{
		ID: s.NewID(), EntityID: offer.Entity.ID, OrganisationID: offer.Organisation.ID, PublicRef: s.NewRef(),
		Status: donation.Started, Frequency: string(r.Frequency), AmountMinor: r.Amount.Minor, CoveredMinor: r.Covered.Minor,
		Currency: string(r.Amount.Currency), Language: string(r.Language), Anonymous: r.Anonymous, News: r.News, CreatedAt: now,
		Source: donation.FromForm,
	}
	if r.Recurs() {
		d.PlanID = &d.ID // a plan has the id of its first donation
	}
	c := Checkout{
		DonationID: d.ID, FormID: r.FormID, FormHash: r.Hash[:], Try: 1, ExpiresAt: now.Add(sessionLifetime).Truncate(time.Second),
	}
	args := beginArgs(d, c, r, s.NewID())
	var donors []uuid.NullUUID // one
	if r.Dedication == nil && !r.Recurs() {
		donors, err = pg.Repeatable[uuid.NullUUID](ctx, s.DB, begin, args...)
	} else {
		err = pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error {
			donors = nil
			if err := tx.SelectContext(ctx, &donors, begin, args...); err != nil || !donors[0].Valid {
				return err
			}
			d.DonorID = donors[0].UUID
			if err := dedication.InsertTx(ctx, tx, d.ID, r.Dedication); err != nil || !r.Recurs() {
				return err
			}
			return s.Plans.BeginTx(ctx, tx, d, r)
		})
	}
	if err != nil || !donors[0].Valid {
		return nil, err
	}
	d.DonorID = donors[0].UUID
	return &Gift{d, c}, nil
}

// open creates the payment page and stores it. The next try is used only after this one was used up and has left no
// page: a try that may still create one, here or in another request, would leave the donation with two pages.
func (s Starter) open(ctx context.Context, offer donation.Offer, r donation.Request, g Gift) (Gift, error) {
	order := s.order(offer, r, g)
	session, err := s.Payments.Create(ctx, order)
	if errors.Is(err, ErrTryUsed) {
		found, findErr := s.Payments.Find(ctx, order)
		switch {
		case findErr != nil:
			return Gift{}, err
		case found != nil:
			session, err = *found, nil
		default:
			if g, err = s.nextTry(ctx, g); err != nil || g.SessionURL != nil {
				return g, err
			}
			order.Try = g.Try
			session, err = s.Payments.Create(ctx, order)
		}
	}
	if err != nil {
		return Gift{}, err
	}
	g.SessionID, g.SessionURL = &session.ID, &session.URL
	return g, s.storeSession(ctx, offer, g.ID, session)
}

// storeSession stores the page of a donation that has none yet. A page that came too late is expired before the donor
// sees it, and the error is errSuperseded.
func (s Starter) storeSession(ctx context.Context, offer donation.Offer, id uuid.UUID, session Session) error {
	bounded, cancel := context.WithTimeout(ctx, dbTimeout())
	defer cancel()
	stored, err := storeSession(bounded, s.DB, id, session)
	if err != nil || stored {
		return err
	}
	if _, err := s.Payments.Expire(ctx, offer.Entity.Slug, session.ID); err != nil {
		return err
	}
	return errSuperseded
}

// nextTry increments the try that failed and returns the gift. If several requests failed with the same try, one of
// them increments it, and all continue with the same number and the same idempotency key.
func (s Starter) nextTry(ctx context.Context, g Gift) (next Gift, err error) {
	err = s.withTimeout(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if next.Checkout, err = nextTryTx(ctx, tx, g.ID, g.Try); err != nil {
			return err
		}
		next.Donation, err = donation.ByID(ctx, tx, g.ID)
		return err
	})
	return next, err
}

// endUnpaid ends an unpaid donation so that its form can start another. The page is expired at Stripe first, also one
// that ran out, which may have been paid in time, and one whose answer was lost. If it was paid, the webhook is on its
// way, and paid is true. If a page was created meanwhile, nothing is changed. The caller reads the row again.
func (s Starter) endUnpaid(ctx context.Context, offer donation.Offer, r donation.Request, g Gift) (paid bool, err error) {
	id := g.SessionID
	if id == nil {
		lost, err := s.Payments.Find(ctx, s.order(offer, r, g))
		if err != nil {
			return false, err
		}
		if lost != nil {
			id = &lost.ID
		}
	}
	if id != nil {
		closed, err := s.Payments.Expire(ctx, offer.Entity.Slug, *id)
		if err != nil {
			return false, err
		}
		if !closed {
			return true, s.updateStatus(ctx, g, donation.Processing)
		}
	}
	return false, s.updateStatus(ctx, g, donation.Expired)
}

// updateStatus updates the status if the donation's page is still the one that g knows.
func (s Starter) updateStatus(ctx context.Context, g Gift, to donation.Status) error {
	return s.withTimeout(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := donation.LockTx(ctx, tx, g.ID); err != nil {
			return err
		}
		now, err := ByDonation(ctx, tx, g.ID)
		if err != nil || !sameSession(now.SessionID, g.SessionID) {
			return err
		}
		update := donation.StatusUpdate{DonationID: g.ID, EntityID: g.EntityID, To: to, Cause: "form"}
		return donation.UpdateStatusTx(ctx, tx, notice.Recorder{}, []donation.StatusUpdate{update}, s.Now()) // none fails here
	})
}

// sameSession reports whether two ids of sessions are equal. nil: there is no page.
func sameSession(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }
