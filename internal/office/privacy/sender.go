package privacy

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
)

// Writer is the legal entity in whose name somebody is written to about their wish, of those they gave to.
func SenderEntity(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, erasure uuid.UUID) (org.LegalEntity, error) {
	ids, err := Donors(ctx, q, erasure)
	if err != nil {
		return org.LegalEntity{}, err
	}
	donors, err := donor.ByIDs(ctx, q, ids)
	if err != nil || len(donors) == 0 {
		return catalog.Entities()[0], err
	}
	return catalog.EntityByID(donors[0].EntityID)
}

// Day is when the wish is done, as that entity's clocks show it: pages and letters name the same day.
func (e Erasure) DueDate(writer org.LegalEntity) time.Time { return e.DueAt.In(writer.Location()) }
