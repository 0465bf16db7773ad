package offline

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// Gift is what is known of a posted gift besides its donation and payment. Its id is its payment's.
type Gift struct {
	ID         uuid.UUID     `db:"id"`
	EntityID   uuid.UUID     `db:"entity_id"`
	DonationID uuid.NullUUID `db:"donation_id"` // not valid: a thing that nobody values
	BatchID    uuid.NullUUID `db:"batch_id"`
	RowN       int           `db:"row_n"`
	Method     Method        `db:"method"`
	GivenBy    GivenBy       `db:"given_by"`
	PaidMinor  int64         `db:"paid"` // the whole amount on paper
	Number     string        `db:"number"`
	Postmarked string        `db:"postmarked_on"` // YYYY-MM-DD; empty: not known
	Described  string        `db:"described"`
	InReturn   string        `db:"in_return"`
	Note       string        `db:"note"` // empty after an erasure
}

const giftColumns = `g.id, g.entity_id, g.donation_id, g.batch_id, coalesce(g.row_n, 0) AS row_n, g.method, g.given_by, coalesce(g.paid, 0) AS paid, g.number,
	coalesce(g.postmarked_on::text, '') AS postmarked_on, g.described, g.in_return, g.note FROM offline_gift g `

// OfDonation returns the gift of a donation; none if it came otherwise.
func OfDonation(ctx context.Context, q sqlx.QueryerContext, donation uuid.UUID) (all []Gift, err error) {
	const query = `/* offline.OfDonation */ SELECT ` + giftColumns + `WHERE g.donation_id = $1`
	err = sqlx.SelectContext(ctx, q, &all, query, donation)
	return all, err
}

// OfDonor returns the things that a donor gave and nobody values: they are no donations.
func OfDonor(ctx context.Context, q sqlx.QueryerContext, donor uuid.UUID) (all []Gift, err error) {
	const query = `/* offline.OfDonor */ SELECT ` + giftColumns + `WHERE g.donor_id = $1 ORDER BY g.id`
	err = sqlx.SelectContext(ctx, q, &all, query, donor)
	return all, err
}

// ByGiftID returns a gift that is a donation; fault.NotFound if q sees none.
func ByGiftID(ctx context.Context, q sqlx.QueryerContext, entity, id uuid.UUID) (Gift, error) {
	const query = `/* offline.ByGiftID */ SELECT ` + giftColumns + `WHERE g.id = $1 AND g.entity_id = $2 AND g.donation_id IS NOT NULL`
	var found []Gift
	if err := sqlx.SelectContext(ctx, q, &found, query, id, entity); err != nil {
		return Gift{}, err
	}
	if len(found) == 0 {
		return Gift{}, errNoBatch
	}
	return found[0], nil
}
