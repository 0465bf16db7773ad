package receipt

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Address is the donor's email address on a receipt.
type Address struct {
	ReceiptID  uuid.UUID `db:"id"`
	DonationID uuid.UUID `db:"donation_id"`
	Email      string    `db:"email"` // "" if there is none, or the donor was erased
	IssuedAt   time.Time `db:"issued_at"`
	Corrected  bool      `db:"corrected"` // the receipt replaces one with another address
}

// AddressesOf returns the addresses on all receipts of donations, void ones included.
func AddressesOf(ctx context.Context, q sqlx.QueryerContext, donations []uuid.UUID) (all []Address, err error) {
	const query = `/* receipt.AddressesOf */
		WITH RECURSIVE issued AS (
		    SELECT id, donation_id, coalesce(facts->>'email', '') AS email, issued_at, false AS corrected
		      FROM receipt WHERE donation_id = ANY($1::uuid[]) AND replaces IS NULL
		     UNION ALL
		    SELECT n.id, n.donation_id, coalesce(n.facts->>'email', ''), n.issued_at, coalesce(n.facts->>'email', '') <> i.email
		      FROM issued i JOIN receipt n ON n.replaces = i.id)
		SELECT id, donation_id, email, issued_at, corrected FROM issued`
	err = sqlx.SelectContext(ctx, q, &all, query, pg.UUIDs(donations))
	return all, err
}

// DonationsOf returns the donations that receipts are for, each once.
func DonationsOf(ctx context.Context, q sqlx.QueryerContext, ids []uuid.UUID) (donations []uuid.UUID, err error) {
	const query = `/* receipt.DonationsOf */ SELECT DISTINCT donation_id FROM receipt WHERE id = ANY($1::uuid[])`
	err = sqlx.SelectContext(ctx, q, &donations, query, pg.UUIDs(ids))
	return donations, err
}
