package correction

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/receipt"
	"konbit/internal/office/offline"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/phrase"
	"konbit/internal/processor/offlinepay"
)

// Effect is what voiding a gift does.
type Effect struct {
	Funds    []offlinepay.Voidable
	Receipt  string    // number of the valid receipt, as people write it; empty: it has none
	HasEmail bool      // the donor has an address
	Obstacle *Obstacle // what has the gift; nil: nothing
	Now      error     // a *fault.Error: why it cannot be done now; nil: it can
}

// EffectOf returns what voiding a gift does now. It writes and locks nothing.
func (s Service) EffectOf(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, g Gift) (e Effect, err error) {
	done, err := Of(ctx, tx, g.ID)
	if err != nil {
		return e, err
	}
	for _, v := range done {
		if v.GiftID == g.ID {
			e.Now = ErrVoided
			return e, nil
		}
	}
	e.Funds, err = s.Books.Voidable(ctx, tx, catalog, g.EntityID, g.ID)
	if fault.Is(err, fault.Conflict) {
		e.Now, err = err, nil
	}
	if err != nil {
		return e, err
	}
	if e.Obstacle, err = ObstacleOf(ctx, tx, g); err != nil {
		return e, err
	}
	if e.Obstacle != nil {
		e.Now = e.Obstacle.Why
	}
	was, err := receipt.ValidOf(ctx, tx, g.Donation.ID)
	if err != nil {
		return e, err
	}
	if was != nil {
		e.Receipt = was.Reference()
	}
	to, err := donation.ContactOf(ctx, tx, g.Donation.ID)
	e.HasEmail = to != nil && to.Email != ""
	return e, err
}

// CheckerOf returns what reads the gift in the place of another one, as Canonical wrote it.
func CheckerOf(catalog *fund.Catalog, entity org.LegalEntity, received ledger.Date) offline.Checker {
	return offline.Checker{Catalog: catalog, Entity: entity, ReceivedOn: received, Language: phrase.English}
}
