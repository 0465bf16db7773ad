// Package owner owns the record of who owned a donation before, and moves donations to another donor.
//
// A donor mistypes an address: the donation belongs to the donor with that address, who may be a stranger and reads the
// mailbox. The correction of the address moves the donation to the donor with the right one, in the same legal entity;
// if it is a payment of a plan, the plan moves with all its payments. Everything about a donation goes by its donor:
// emails, links, sessions, annual statements, the copy of the data, a new card, an erasure.
//
// A donor's choices about emails do not move: they belong to the reader of the address. Only a consent to news
// that was given with the gift moves, unless one of both donors withdrew it since. mail/README.md has the table.
//
// The card of a plan may be of who read the mistyped address: package plancard.
//
// The database makes the move (move_gift, migration 00096), because the server's role can change no donor of a
// donation. The record is insert-only. A move is undone by the move back.
package owner

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/platform/email"
	"konbit/internal/platform/pg"
)

// The reasons why a gift does not move.
var (
	ErrErased  = errors.New("the donor was erased: nothing about them is kept that could move")
	ErrTooMany = errors.New("as many gifts were moved in the last 24 hours as the server may: server_limit.moved_a_day")
)

// Move says which gift moves where, and why.
type Move struct {
	ReceiptID uuid.UUID // of the donation; if that is a payment of a plan, the plan moves
	To        string    // the right address, as typed
	NewDonor  uuid.UUID // the id of the donor with this address, if the legal entity has none yet
	By, Why   string    // for the record; not empty
}

// Moved is what became of a gift. If From and To are the same, it had the right owner.
type Moved struct {
	From      uuid.UUID     `db:"from_donor"` // donor
	To        uuid.UUID     `db:"to_donor"`
	Plan      uuid.NullUUID `db:"plan"`  // the receipt's donation is a payment of it
	Donations int           `db:"moved"` // how many donations moved
}

// LockTx locks what a move changes, except the donors, until the transaction ends: the plan, its donations and links,
// and the deliveries of emails about them. Emails that are stored later go to the new owner.
func LockTx(ctx context.Context, tx *sqlx.Tx, receipt uuid.UUID, to string) error {
	const query = `/* owner.LockTx */ SELECT lock_gift($1, $2)`
	_, err := tx.ExecContext(ctx, query, receipt, email.Normalize(to))
	return err
}

// MoveTx moves a gift to the donor with an address, who is added if the legal entity has none. It reports ErrErased if
// the donor was erased, and ErrTooMany.
func MoveTx(ctx context.Context, tx *sqlx.Tx, m Move) (done Moved, err error) {
	const query = `/* owner.MoveTx */ SELECT from_donor, to_donor, plan, moved FROM move_gift($1, $2, $3, $4, $5)`
	if err := email.CheckPlain(m.To); err != nil {
		return done, err
	}
	err = tx.GetContext(ctx, &done, query, m.ReceiptID, email.Normalize(m.To), m.NewDonor, m.By, m.Why)
	switch {
	case pg.Violates(err, "moved_gift_is_not_erased"):
		return done, errors.Join(ErrErased, err)
	case pg.Violates(err, "moves_a_day"):
		return done, errors.Join(ErrTooMany, err)
	}
	return done, err
}

// Change is a donation's move from one donor to another.
type Change struct {
	Donation  uuid.UUID `db:"donation_id"`
	From      uuid.UUID `db:"from_donor"`
	To        uuid.UUID `db:"to_donor"`
	OrderedBy string    `db:"ordered_by"`
	At        time.Time `db:"at"` // by the database's clock
}

// ChangesOf returns the moves by which a donor lost or got donations, newest first, at most limit.
func ChangesOf(ctx context.Context, q sqlx.QueryerContext, donor uuid.UUID, limit int) (all []Change, err error) {
	const query = `/* owner.ChangesOf */
		SELECT donation_id, from_donor, to_donor, ordered_by, at FROM donation_owner_change
		 WHERE from_donor = $1 OR to_donor = $1 ORDER BY n DESC LIMIT $2`
	err = sqlx.SelectContext(ctx, q, &all, query, donor, limit)
	return all, err
}

// DonorsSince returns the donors of an entity that lost or got a donation by a move since a moment of the database's
// clock, each once.
func DonorsSince(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, since time.Time) (donors []uuid.UUID, err error) {
	const query = `/* owner.DonorsSince */
		SELECT from_donor FROM donation_owner_change WHERE entity_id = $1 AND at >= $2
		 UNION SELECT to_donor FROM donation_owner_change WHERE entity_id = $1 AND at >= $2 ORDER BY 1`
	err = sqlx.SelectContext(ctx, q, &donors, query, entity, since)
	return donors, err
}

// Addressee returns who gets emails about a donation: what was typed, with the address of the donation's owner. It is nil
// if the donor was erased, and its address is empty if the donor has none. Emails about a plan go to the addressee of its
// first donation, which has the plan's id. The next receipt names the same person.
func Addressee(ctx context.Context, q sqlx.QueryerContext, gift uuid.UUID) (typed *donation.Contact, err error) {
	d, err := donation.ByID(ctx, q, gift)
	if err != nil {
		return nil, err
	}
	if d.PlanID != nil && *d.PlanID == gift {
		typed, err = donation.RenewalContact(ctx, q, d)
	} else {
		typed, err = donation.ContactOf(ctx, q, gift)
	}
	if err != nil || typed == nil {
		return nil, err
	}
	owners, err := donor.ByIDs(ctx, q, []uuid.UUID{d.DonorID})
	if err != nil || len(owners) == 0 || owners[0].IsErased() {
		return nil, err
	}
	if address := owners[0].Email; address != "" && email.Normalize(typed.Email) != address {
		typed.Email = address
	}
	return typed, nil
}

// LockAddresseeTx locks a donation against a move until the transaction ends, and returns the addressee.
func LockAddresseeTx(ctx context.Context, tx *sqlx.Tx, gift uuid.UUID) (*donation.Contact, error) {
	const query = `/* owner.LockAddresseeTx */ SELECT lock_owner($1)`
	if _, err := tx.ExecContext(ctx, query, gift); err != nil {
		return nil, err
	}
	return Addressee(ctx, tx, gift)
}
