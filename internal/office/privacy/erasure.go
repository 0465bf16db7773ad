package privacy

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/jobs"
	"konbit/internal/platform/pg"
)

// Wait is how long after a donor's wish it is done, so that who did not wish it has a letter and time to say so.
const DefaultDelay = 3 * 24 * time.Hour

// Keeper forgets people. Safe for concurrent use, and by any number of processes.
type Eraser struct {
	DB     *sqlx.DB
	Queue  *jobs.Queue
	Secret []byte // the installation's: keys the list and seals what is held
	Stripe CustomerDeleter
	Now    func() time.Time
	NewID  func() uuid.UUID
}

// Customers are people as Stripe knows them; stripepay does it.
type CustomerDeleter interface {
	// ForgetCustomer deletes one; one that is gone is forgotten. An answer that cannot be had is fault.Unavailable.
	ForgetCustomer(ctx context.Context, entity, customer string) error
}

// Erasure is somebody's wish to be forgotten.
type Erasure struct {
	ID              uuid.UUID  `db:"id" json:"id"`
	RequestedAt     time.Time  `db:"asked_at" json:"asked_at"`
	RequestedBy     string     `db:"asked_by" json:"asked_by"`
	Language        string     `db:"language" json:"-"`
	DueAt           time.Time  `db:"due_at" json:"due_at"`
	WithdrawnAt     *time.Time `db:"withdrawn_at" json:"withdrawn_at,omitempty"`
	DoneAt          *time.Time `db:"done_at" json:"done_at,omitempty"`
	SealedRecipient []byte     `db:"tell" json:"-"`
}

const columns = `id, asked_at, asked_by, language, due_at, withdrawn_at, done_at, tell`

// Wish asks to forget a person.
type ErasureRequest struct {
	Donors      []uuid.UUID // in every legal entity
	Addresses   []string    // all of theirs, lower case; also those without a gift
	Recipient   string      // of them, who gets the letters
	Language    string
	RequestedBy string // "donor", or the person's name at the office
	Delay       time.Duration
}

// Why a person cannot be forgotten yet, as fault.Conflict.
const (
	phrasePlan = "privacy.error.plan"
	phraseGift = "privacy.error.gift"
)

// Ready answers fault.Conflict when a recurring gift of the donors goes on, or a gift is on its way.
func CheckErasable(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) error {
	for _, id := range donors {
		plans, err := recurring.OfDonor(ctx, q, id)
		if err != nil {
			return err
		}
		for _, p := range plans {
			if p.Status == recurring.Active || p.Status == recurring.Paused {
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

// Ask notes the wish and orders the letter before, in one transaction. A wish that waits already is answered instead of a second one.
func (k Eraser) Request(ctx context.Context, w ErasureRequest) (e Erasure, err error) {
	if err := CheckErasable(ctx, k.DB, w.Donors); err != nil {
		return e, err
	}
	now := k.Now()
	e = Erasure{ID: k.NewID(), RequestedAt: now, RequestedBy: w.RequestedBy, Language: w.Language, DueAt: now.Add(w.Delay)}
	if w.Recipient != "" {
		if e.SealedRecipient, err = k.seal("tell", []byte(w.Recipient), e.ID); err != nil {
			return e, err
		}
	}
	err = pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		if err := donor.LockTx(ctx, tx, w.Donors); err != nil {
			return err
		}
		waiting, err := Pending(ctx, tx, w.Donors)
		if waiting != nil || err != nil {
			if err == nil {
				e = *waiting
			}
			return err
		}
		if err := k.insertTx(ctx, tx, e, w.Donors, k.Hashes(w.Addresses)); err != nil {
			return err
		}
		return k.Queue.EnqueueTx(ctx, tx, EmailJob{e.ID})
	})
	return e, err
}

// Waiting is the wish of donors that is not done yet; nil when there is none.
func Pending(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (*Erasure, error) {
	const query = `/* privacy.Waiting */ SELECT ` + columns + ` FROM erasure e WHERE done_at IS NULL AND withdrawn_at IS NULL
		AND EXISTS (SELECT 1 FROM erasure_donor d WHERE d.erasure_id = e.id AND d.donor_id = ANY($1::uuid[])) ORDER BY asked_at LIMIT 1`
	var e Erasure
	err := sqlx.GetContext(ctx, q, &e, query, pg.UUIDs(donors))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &e, err
}

// Withdraw takes a wish back that is not done; fault.NotFound when there is none.
func (k Eraser) Withdraw(ctx context.Context, donors []uuid.UUID) error {
	const query = `/* privacy.Withdraw */ UPDATE erasure SET withdrawn_at = $2, tell = NULL WHERE id = $1 AND done_at IS NULL AND withdrawn_at IS NULL`
	return pg.InTx(ctx, k.DB, func(tx *sqlx.Tx) error {
		e, err := Pending(ctx, tx, donors)
		if err == nil && e == nil {
			err = fault.New(fault.NotFound, "problem.404.text", nil)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, query, e.ID, k.Now())
		}
		return err
	})
}

// CarryOut does the erasures that are due, one after another, and answers how many. One whose donor has a recurring gift again, or a gift
// on its way, waits.
func (k Eraser) EraseDue(ctx context.Context) (done int, err error) {
	const query = `/* privacy.CarryOut */ SELECT ` + columns + ` FROM erasure WHERE done_at IS NULL AND withdrawn_at IS NULL AND due_at <= $1 ORDER BY due_at`
	var due []Erasure
	if err := k.DB.SelectContext(ctx, &due, query, k.Now()); err != nil {
		return 0, err
	}
	for _, e := range due {
		err := k.Erase(ctx, e.ID)
		if fault.Is(err, fault.Conflict) {
			continue
		}
		if err != nil {
			return done, err
		}
		done++
	}
	return done, k.deleteExpiredReceipts(ctx)
}
