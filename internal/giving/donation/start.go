package donation

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/email"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Session is a payment page.
type CheckoutSession struct{ ID, URL string }

// ErrSpent: an error is kept as the answer to the order's try, so that it makes no page any more. It may have made one all the
// same. It comes with fault.Unavailable.
var ErrTryUsed = errors.New("donation: the try is spent")

// Payments makes payment pages; stripepay does. Each call bounds its own time. An answer that cannot be
// had is fault.Unavailable.
type CheckoutSessions interface {
	// Open makes the page, or returns the one made before for the same gift and try, or ErrSpent.
	Create(ctx context.Context, order Order) (CheckoutSession, error)
	// Find looks for a page made for the order by a call whose answer was lost; nil when there is none.
	Find(ctx context.Context, order Order) (*CheckoutSession, error)
	// Close makes the page unpayable. It answers false when it was paid or over already.
	Expire(ctx context.Context, entitySlug, sessionID string) (bool, error)
}

// Starter begins gifts.
type Starter struct {
	DB       *sqlx.DB
	Payments CheckoutSessions
	Now      func() time.Time
	NewID    func() uuid.UUID
	NewRef   func() string // 128 random bits as text
	// Links answers the addresses a payment page returns to.
	Links func(orgSlug, ref string, lang phrase.Language) (success, back string)
	Words *phrase.Catalogue // on the payment page
	Plans PlanStarter       // writes down what recurs
}

// Beginner begins the plan of a recurring gift; recurring does.
type PlanStarter interface {
	// BeginTx writes the plan of a gift that was just written.
	BeginTx(ctx context.Context, tx *sqlx.Tx, first Donation, r Request) error
}

// errOvertaken: while the page was being made the form was changed, or the gift paid. It is read again.
var errSuperseded = errors.New("donation: overtaken by another press of the button")

// Start writes the gift and answers it with its payment page. Asked again for the same form it answers
// the same gift and page; for the same form with something changed it closes the unpaid page first, so a
// form never has two payable pages for one donor. A gift that was paid is answered as it is, without a new page, to
// who asks for the very same; whatever else is asked for on its form is a gift of its own. No step waits for the
// database longer than patience.
func (s Starter) Start(ctx context.Context, offer Offer, r Request) (Donation, error) {
	for range 3 { // a lost race is read again; it cannot be lost for ever
		d, err := s.liveDonation(ctx, offer, r)
		if err != nil {
			return Donation{}, err
		}
		switch {
		case d == nil:
			continue
		case d.Status.Paid():
			return *d, nil
		case d.OrganisationID != offer.Organisation.ID:
			return Donation{}, fault.New(fault.Conflict, "give.error.form", nil)
		case !bytes.Equal(d.FormHash, r.Hash[:]) || !d.payable(s.Now()):
			if err := s.endUnpaid(ctx, offer, r, *d); err != nil {
				return Donation{}, err
			}
			continue
		}
		if d.SessionURL != nil {
			return *d, nil
		}
		opened, err := s.open(ctx, offer, r, *d)
		if !errors.Is(err, errSuperseded) {
			return opened, err
		}
	}
	return Donation{}, fault.New(fault.Unavailable, "problem.503.text", nil)
}

// patience is how long the database is waited for at a time. The other half of pg.RequestTimeout was spent before the gift is begun.
const dbTimeout = pg.RequestTimeout / 2

// row is the form's gift that is not over, begun if it has none; nil when it got one meanwhile. A form that lies open on
// a shared device, or in a browser's memory, is pressed again after its gift was paid: what differs from that gift goes on
// under an id derived from the form's.
func (s Starter) liveDonation(ctx context.Context, offer Offer, r Request) (*Donation, error) {
	ctx, cancel := context.WithTimeout(ctx, dbTimeout)
	defer cancel()
	for {
		d, err := liveByForm(ctx, s.DB, r.FormID)
		switch {
		case err != nil:
			return nil, err
		case d == nil:
			return s.begin(ctx, offer, r)
		case !d.Status.Paid() || bytes.Equal(d.FormHash, r.Hash[:]):
			return d, nil
		}
		r.FormID = nextFormID(r)
	}
}

// nextForm is the id under which a donor goes on with a form whose gift was paid: the same at every press and on every
// server, so that a second press is no second gift, and another for each donor, so that none meets another's gift.
func nextFormID(r Request) uuid.UUID {
	return uuid.NewSHA1(r.FormID, []byte("paid, and pressed by "+email.Normalize(r.Contact.Email)))
}

// soon is pg.InTx within patience.
func (s Starter) withTimeout(ctx context.Context, fn func(ctx context.Context, tx *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(ctx, dbTimeout)
	defer cancel()
	return pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// begin commits the row, before any call to Stripe. It answers nil when the form got a live gift meanwhile.
func (s Starter) begin(ctx context.Context, offer Offer, r Request) (*Donation, error) {
	now := s.Now()
	d := Donation{
		ID: s.NewID(), EntityID: offer.Entity.ID, OrganisationID: offer.Organisation.ID, PublicRef: s.NewRef(),
		FormID: r.FormID, FormHash: r.Hash[:], Status: Started, Frequency: string(r.Frequency),
		AmountMinor: r.Amount.Minor, CoveredMinor: r.Covered.Minor, Currency: string(r.Amount.Currency), Language: string(r.Language),
		Anonymous: r.Anonymous, News: r.News, CreatedAt: now, CheckoutTry: 1,
		CheckoutExpiresAt: now.Add(sessionLifetime).Truncate(time.Second), Source: FromForm,
	}
	if r.Recurs() {
		d.PlanID = &d.ID // a plan has the id of its first donation
	}
	fresh := false
	err := pg.InTx(ctx, s.DB, func(tx *sqlx.Tx) (err error) {
		d.DonorID, err = donor.FindOrAddTx(ctx, tx, donor.Donor{
			ID: s.NewID(), EntityID: d.EntityID, Email: email.Normalize(r.Contact.Email), FirstName: r.Contact.FirstName,
			LastName: r.Contact.LastName, Language: d.Language, CreatedAt: now,
		})
		if err != nil {
			return err
		}
		if fresh, err = insertTx(ctx, tx, d, r); err != nil || !fresh || !r.Recurs() {
			return err
		}
		return s.Plans.BeginTx(ctx, tx, d, r)
	})
	if err != nil || !fresh {
		return nil, err
	}
	return &d, nil
}

// open makes the payment page and notes it. A try is followed by another only when it is spent and has left no page: a try that
// may still make one, here or in another press, would leave the gift with two.
func (s Starter) open(ctx context.Context, offer Offer, r Request, d Donation) (Donation, error) {
	order := s.order(offer, r, d)
	session, err := s.Payments.Create(ctx, order)
	if errors.Is(err, ErrTryUsed) {
		found, findErr := s.Payments.Find(ctx, order)
		switch {
		case findErr != nil:
			return Donation{}, err
		case found != nil:
			session, err = *found, nil
		default:
			if d, err = s.nextTry(ctx, d); err != nil || d.SessionURL != nil {
				return d, err
			}
			order.Try = d.CheckoutTry
			session, err = s.Payments.Create(ctx, order)
		}
	}
	if err != nil {
		return Donation{}, err
	}
	d.SessionID, d.SessionURL = &session.ID, &session.URL
	return d, s.storeSession(ctx, offer, d.ID, session)
}

// noteSession writes the page of a gift that still waits for one. A page that came too late is closed again,
// before anybody was told of it, and the error is errOvertaken.
func (s Starter) storeSession(ctx context.Context, offer Offer, id uuid.UUID, session CheckoutSession) error {
	const query = `/* donation.storeSession */
		UPDATE donation SET checkout_session_id = $2, checkout_url = $3
		 WHERE id = $1 AND status = 'started' AND coalesce(checkout_session_id, $2) = $2`
	var noted int64
	err := s.withTimeout(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, query, id, session.ID, session.URL)
		if err != nil {
			return err
		}
		noted, err = done.RowsAffected()
		return err
	})
	if err != nil || noted > 0 {
		return err
	}
	if _, err := s.Payments.Expire(ctx, offer.Entity.Slug, session.ID); err != nil {
		return err
	}
	return errSuperseded
}

// nextTry counts up the try that failed and answers the gift as it then is. Of several presses whose try
// failed, one counts; all go on with the same number, and so with the same key.
func (s Starter) nextTry(ctx context.Context, d Donation) (next Donation, err error) {
	const query = `/* donation.nextTry */ UPDATE donation SET checkout_try = least(checkout_try + 1, 9) WHERE id = $1 AND checkout_try = $2`
	err = s.withTimeout(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, query, d.ID, d.CheckoutTry); err != nil {
			return err
		}
		next, err = ByID(ctx, tx, d.ID)
		return err
	})
	return next, err
}

// supersede ends an unpaid gift so that its form can start another: the page is closed at Stripe first, also
// one that ran out, for it may have been paid in time, and one whose answer was lost. If it was paid, the webhook is on its way;
// if the page was made meanwhile, nothing is done. The caller reads the row again.
func (s Starter) endUnpaid(ctx context.Context, offer Offer, r Request, d Donation) error {
	id := d.SessionID
	if id == nil {
		lost, err := s.Payments.Find(ctx, s.order(offer, r, d))
		if err != nil {
			return err
		}
		if lost != nil {
			id = &lost.ID
		}
	}
	if id != nil {
		closed, err := s.Payments.Expire(ctx, offer.Entity.Slug, *id)
		if err != nil {
			return err
		}
		if !closed {
			return s.updateStatus(ctx, d, Processing)
		}
	}
	return s.updateStatus(ctx, d, Expired)
}

// mark applies a mark if the gift's page is the one d knows.
func (s Starter) updateStatus(ctx context.Context, d Donation, to Status) error {
	const query = `/* donation.updateStatus */ SELECT checkout_session_id IS NOT DISTINCT FROM $2 FROM donation WHERE id = $1 FOR UPDATE`
	return s.withTimeout(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		var same bool
		if err := tx.GetContext(ctx, &same, query, d.ID, d.SessionID); err != nil || !same {
			return err
		}
		return UpdateStatusTx(ctx, tx, []StatusUpdate{{DonationID: d.ID, EntityID: d.EntityID, To: to, Cause: "form"}}, s.Now())
	})
}
