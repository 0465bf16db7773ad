package mail

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Choice makes a letter one of those that their donor may stop.
type Choice struct {
	Donor uuid.UUID
	Kind  string // of donor.Kinds
	Stop  string // the address where a press stops them, and RFC 8058's one-click; empty: none is told
}

// choice makes a letter's choice, with the address in the donor's language.
func (r Receipts) choice(of uuid.UUID, kind string, lang phrase.Language) *Choice {
	c := &Choice{Donor: of, Kind: kind}
	if r.Stop != nil {
		c.Stop = r.Stop(of, kind, lang)
	}
	return c
}

// declined tells whether the donor wishes for no letters of this kind any more, however long ago this one was ordered, and calls it
// off then.
func (r Receipts) declined(ctx context.Context, l letter) (bool, error) {
	if l.Choice == nil {
		return false, nil
	}
	wishes, err := donor.EmailPreferences(ctx, r.DB, l.DonorID.UUID)
	if err != nil || wishes[*l.Choice] {
		return false, err
	}
	return true, pg.InTx(ctx, r.DB, func(tx *sqlx.Tx) error { return callOffTx(ctx, tx, l.ID, r.Now()) })
}
