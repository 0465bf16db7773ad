package privacy

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/recurring"
	"konbit/internal/people/donoraccess"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/keyring"
	"konbit/internal/platform/pg"
)

// DefaultDelay is the time between a donor's request and its erasure. If another person made the request, the donor
// gets an email and has this time to withdraw it.
const DefaultDelay = 3 * 24 * time.Hour

// Eraser erases people. It is safe for concurrent use, and by any number of processes.
type Eraser struct {
	DB     *sqlx.DB
	Queue  *jobs.Queue
	Keys   keyring.Ring // the installation's: key the list and encrypt the sealed copies
	Stripe CustomerDeleter
	Now    func() time.Time
	NewID  func() uuid.UUID
}

// CustomerDeleter deletes customers at Stripe; package stripepay implements it.
type CustomerDeleter interface {
	// ForgetCustomer deletes a customer, and returns nil if it is deleted already. It returns fault.Unavailable if
	// Stripe does not answer.
	ForgetCustomer(ctx context.Context, entity, customer string) error
}

// Erasure is a request to erase a person.
type Erasure struct {
	ID              uuid.UUID  `db:"id" json:"id"`
	RequestedAt     time.Time  `db:"asked_at" json:"asked_at"`
	RequestedBy     string     `db:"asked_by" json:"asked_by"`
	Language        string     `db:"language" json:"-"`
	DueAt           time.Time  `db:"due_at" json:"due_at"`
	WithdrawnAt     *time.Time `db:"withdrawn_at" json:"withdrawn_at,omitempty"`
	DoneAt          *time.Time `db:"done_at" json:"done_at,omitempty"`
	SealedRecipient []byte     `db:"tell" json:"-"`
	// EntityID is the legal entity whose donors it covers, if its staff requested it; without one it covers those of every entity.
	EntityID uuid.NullUUID `db:"entity_id" json:"-"`

	// erasedAt is when it was done for the first time, by the database's clock; nil if it never was. Only readTx sets it.
	erasedAt *time.Time
}

const columns = `id, asked_at, asked_by, language, due_at, withdrawn_at, done_at, tell, entity_id`

// ErasureRequest is what the caller of Request provides.
type ErasureRequest struct {
	EntityID    uuid.NullUUID // of the staff who request it; without one it covers the person's donors in every legal entity
	Donors      []uuid.UUID   // the person's donors, in every legal entity or in EntityID
	Addresses   []string      // all addresses of the person, normalised, also those without a donation
	Recipient   string        // the one of Addresses that gets the emails; "" for no email
	Language    string
	RequestedBy string // "donor", a person of the staff (staff.Session.Actor), or who runs the command
	Delay       time.Duration
}

// The phrases of fault.Conflict: why a person cannot be erased yet.
const (
	phrasePlan = "privacy.error.plan"
	phraseGift = "privacy.error.gift"
)

// CheckErasable returns fault.Conflict if a recurring gift of the donors is active or a donation of theirs is pending.
func CheckErasable(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) error {
	for _, id := range donors {
		plans, err := recurring.OfDonor(ctx, q, id)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.Status == plan.Active || p.Status == plan.Paused {
				return fault.New(fault.Conflict, phrasePlan, nil)
			}
		}
	}
	coming, err := donation.HasOpenGifts(ctx, q, donors)
	if err == nil && coming {
		err = fault.New(fault.Conflict, phraseGift, nil)
	}
	return err
}

// CheckErasable is the function CheckErasable, with the eraser's database.
func (k Eraser) CheckErasable(ctx context.Context, donors []uuid.UUID) error {
	return CheckErasable(ctx, k.DB, donors)
}

// Person is a person as an erasure needs them.
type Person struct {
	Donors    []uuid.UUID // of one legal entity
	Addresses []string    // also linked ones, and those without a donation
	Pending   *Erasure    // a request that is not done; nil: none
}

// PersonIn returns the person of a donor as the donor's legal entity knows them: whether they are a donor of another one
// is not in it. A donor without an address is a person of their own.
func (k Eraser) PersonIn(ctx context.Context, id, entity uuid.UUID) (p Person, err error) {
	p.Donors = []uuid.UUID{id}
	found, err := donor.ByIDs(ctx, k.DB, p.Donors)
	if err != nil {
		return p, err
	}
	if len(found) > 0 && found[0].Email != "" {
		if p.Addresses, err = donoraccess.LinkedAddresses(ctx, k.DB, []string{found[0].Email}); err != nil {
			return p, err
		}
		all, err := donor.ByEmails(ctx, k.DB, p.Addresses)
		if err != nil {
			return p, err
		}
		p.Donors = donor.IDs(slices.DeleteFunc(all, func(d donor.Donor) bool { return d.EntityID != entity }))
	}
	p.Pending, err = Pending(ctx, k.DB, p.Donors)
	return p, err
}

// Request records a request and enqueues its email, in one transaction. It returns a request that is pending already
// instead of a second one.
func (k Eraser) Request(ctx context.Context, w ErasureRequest) (e Erasure, err error) {
	if err := CheckErasable(ctx, k.DB, w.Donors); err != nil {
		return e, err
	}
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		e, _, err = k.RequestTx(ctx, tx, w)
		return err
	})
	return e, err
}

// RequestTx is Request in a transaction, without CheckErasable. It also reports whether the request was pending already. It
// locks the donors. A request that covers every legal entity takes the place of those that wait and cover one.
func (k Eraser) RequestTx(ctx context.Context, tx *sqlx.Tx, w ErasureRequest) (e Erasure, pending bool, err error) {
	now := k.Now()
	e = Erasure{ID: k.NewID(), EntityID: w.EntityID, RequestedAt: now, RequestedBy: w.RequestedBy, Language: w.Language, DueAt: now.Add(w.Delay)}
	if w.Recipient != "" {
		if e.SealedRecipient, err = k.seal(sealedRecipient, []byte(w.Recipient), e.ID); err != nil {
			return e, false, err
		}
	}
	if err := donor.LockTx(ctx, tx, w.Donors); err != nil {
		return e, false, err
	}
	if !w.EntityID.Valid {
		const replace = `/* privacy.RequestTx */ UPDATE erasure e SET withdrawn_at = $2, tell = NULL WHERE e.entity_id IS NOT NULL AND ` + isPending
		if _, err := tx.ExecContext(ctx, replace, pg.UUIDs(w.Donors), now); err != nil {
			return e, false, err
		}
	}
	waiting, err := Pending(ctx, tx, w.Donors)
	if err != nil {
		return e, false, err
	}
	if waiting != nil {
		return *waiting, true, nil
	}
	if err := k.insertTx(ctx, tx, e, w.Donors, k.Hashes(w.Addresses)); err != nil {
		return e, false, err
	}
	return e, false, k.Queue.EnqueueTx(ctx, tx, EmailJob{e.ID})
}

// isPending is the condition of requests that name one of the donors and are not done.
const isPending = `done_at IS NULL AND withdrawn_at IS NULL
		AND EXISTS (SELECT 1 FROM erasure_donor d WHERE d.erasure_id = e.id AND d.donor_id = ANY($1::uuid[]))`

// Pending returns the donors' request that is not done yet; nil if there is none.
func Pending(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (*Erasure, error) {
	const query = `/* privacy.Pending */ SELECT ` + columns + ` FROM erasure e WHERE ` + isPending + ` ORDER BY asked_at LIMIT 1`
	var e Erasure
	err := sqlx.GetContext(ctx, q, &e, query, pg.UUIDs(donors))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &e, err
}

// Withdraw withdraws the pending requests that name one of the donors; fault.NotFound if there is none.
func (k Eraser) Withdraw(ctx context.Context, donors []uuid.UUID) error {
	const query = `/* privacy.Withdraw */ UPDATE erasure e SET withdrawn_at = $2, tell = NULL WHERE ` + isPending
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		e, err := Pending(ctx, tx, donors)
		if err == nil && e == nil {
			err = fault.New(fault.NotFound, "problem.404.text", nil)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, query, pg.UUIDs(donors), k.Now())
		}
		return err
	})
}

// ErrOfAll: the request covers the person in every legal entity, so that the person alone withdraws it.
var ErrOfAll error = fault.New(fault.Conflict, "office.donors.error.erasure_of_all", nil)

// WithdrawInTx withdraws the request of an entity's donors that its staff, or a person through them, made, in a transaction. It
// returns the request; fault.NotFound if there is none, and ErrOfAll.
func (k Eraser) WithdrawInTx(ctx context.Context, tx *sqlx.Tx, donors []uuid.UUID, entity uuid.UUID) (e Erasure, err error) {
	const query = `/* privacy.WithdrawInTx */ UPDATE erasure SET withdrawn_at = $2, tell = NULL WHERE id = $1 AND done_at IS NULL AND withdrawn_at IS NULL`
	if err := donor.LockTx(ctx, tx, donors); err != nil {
		return e, err
	}
	waiting, err := Pending(ctx, tx, donors)
	switch {
	case err != nil:
		return e, err
	case waiting == nil:
		return e, fault.New(fault.NotFound, "problem.404.text", nil)
	case waiting.EntityID != uuid.NullUUID{UUID: entity, Valid: true}:
		return e, ErrOfAll
	}
	done, err := tx.ExecContext(ctx, query, waiting.ID, k.Now())
	if err != nil {
		return e, err
	}
	n, err := done.RowsAffected()
	if err == nil && n == 0 {
		err = fault.New(fault.NotFound, "problem.404.text", nil) // it was carried out meanwhile
	}
	return *waiting, err
}

// EraseDue runs the erasures that are due, one after another, and returns how many it did. An erasure whose donor has
// an active recurring gift again, or a donation on its way, stays pending, and so does one that the database does not
// grant yet. One that fails does not stop the others.
func (k Eraser) EraseDue(ctx context.Context) (done int, err error) {
	const query = `/* privacy.EraseDue */ SELECT ` + columns + ` FROM erasure WHERE done_at IS NULL AND withdrawn_at IS NULL AND due_at <= $1 ORDER BY due_at`
	var due []Erasure
	if err := k.DB.SelectContext(ctx, &due, query, k.Now()); err != nil {
		return 0, err
	}
	var failed []error
	for _, e := range due {
		err := k.Erase(ctx, e.ID)
		switch {
		case err == nil:
			done++
		case !mustWait(err):
			failed = append(failed, fmt.Errorf("erasure %s: %w", e.ID, err))
		}
	}
	return done, errors.Join(errors.Join(failed...), k.deleteExpiredReceipts(ctx))
}
