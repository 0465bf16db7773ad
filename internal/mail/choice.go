package mail

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donor"
	"konbit/internal/platform/pg"
	"konbit/internal/platform/phrase"
)

// Choice marks an email as optional: the donor can stop emails of this kind.
type Choice struct {
	Donor   uuid.UUID
	Kind    string // one of donor.EmailKinds
	StopURL string // the page that stops them, also by RFC 8058's one-click request; empty: none
}

// newChoice returns a Choice with the address in the donor's language.
func (m Mailer) newChoice(of uuid.UUID, kind string, lang phrase.Language) *Choice {
	c := &Choice{Donor: of, Kind: kind}
	if m.StopURL != nil {
		c.StopURL = m.StopURL(of, kind, lang)
	}
	return c
}

// isDeclined reports whether the donor has stopped this kind of email, also if they stopped it after the email was
// ordered. If so, it calls off the email's waiting deliveries.
func (m Mailer) isDeclined(ctx context.Context, stored storedEmail) (bool, error) {
	if stored.Choice == nil {
		return false, nil
	}
	wanted, err := donor.EmailPreferences(ctx, m.DB, stored.DonorID.UUID)
	if err != nil || wanted[*stored.Choice] {
		return false, err
	}
	return true, pg.InTx(ctx, m.DB, func(tx *sqlx.Tx) error { return callOffTx(ctx, tx, stored.ID, m.Now()) })
}
