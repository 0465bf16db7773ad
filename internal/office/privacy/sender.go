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

// SenderEntity returns the legal entity that sends the emails about an erasure: one that the person gave to.
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

// DueDate returns when the erasure is due, in the sender's time zone, so that pages and emails name the same day.
func (e Erasure) DueDate(writer org.LegalEntity) time.Time { return e.DueAt.In(writer.Location()) }
