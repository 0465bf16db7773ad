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
	Donor   uuid.UUID
	Kind    string // of donor.Kinds
	StopURL string // the address where a press stops them, and RFC 8058's one-click; empty: none is told
}

// choice makes a letter's choice, with the address in the donor's language.
func (m Mailer) newChoice(of uuid.UUID, kind string, lang phrase.Language) *Choice {
	c := &Choice{Donor: of, Kind: kind}
	if m.StopURL != nil {
		c.StopURL = m.StopURL(of, kind, lang)
	}
	return c
}

// declined tells whether the donor wishes for no letters of this kind any more, however long ago this one was ordered, and calls it
// off then.
func (m Mailer) isDeclined(ctx context.Context, l storedEmail) (bool, error) {
	if l.Choice == nil {
		return false, nil
	}
	wishes, err := donor.EmailPreferences(ctx, m.DB, l.DonorID.UUID)
	if err != nil || wishes[*l.Choice] {
		return false, err
	}
	return true, pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) error { return callOffTx(ctx, tx, l.ID, m.Now()) })
}
