package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// SettledGift is a settled gift as its donor is told of it.
type SettledGift struct {
	ID             uuid.UUID `db:"id"`
	DonorID        uuid.UUID `db:"donor_id"`
	OrganisationID uuid.UUID `db:"organisation_id"`
	AmountMinor    int64     `db:"amount"` // charged
	Currency       string    `db:"currency"`
	ChargeID       string    `db:"charge_id"`
	ChargedAt      time.Time `db:"charged_at"`
	Parts          []Designation
}

// Amount is what was charged, all of it a gift.
func (s SettledGift) Amount() money.Amount {
	return money.New(s.AmountMinor, money.Currency(s.Currency))
}

// SettledBetween lists the donors' gifts charged from a moment on and before another, by the moment.
func SettledBetween(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID, from, to time.Time) ([]SettledGift, error) {
	const gifts = `/* donation.SettledBetween */
		SELECT id, donor_id, organisation_id, amount, currency, charge_id, charged_at FROM donation
		 WHERE donor_id = ANY($1::uuid[]) AND status = 'settled' AND charged_at >= $2 AND charged_at < $3 ORDER BY charged_at, id`
	const parts = `/* donation.SettledBetween */
		SELECT donation_id, fund_id, amount, covered FROM designation WHERE donation_id = ANY($1::uuid[]) ORDER BY donation_id, n`
	var all []SettledGift
	if err := sqlx.SelectContext(ctx, q, &all, gifts, pg.UUIDs(donors), from, to); err != nil || len(all) == 0 {
		return nil, err
	}
	at, ids := make(map[uuid.UUID]int, len(all)), make([]uuid.UUID, len(all))
	for i, g := range all {
		at[g.ID], ids[i] = i, g.ID
	}
	var rows []struct {
		DonationID uuid.UUID `db:"donation_id"`
		FundID     uuid.UUID `db:"fund_id"`
		Amount     int64     `db:"amount"`
		Covered    int64     `db:"covered"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, parts, pg.UUIDs(ids)); err != nil {
		return nil, err
	}
	for _, r := range rows {
		g := &all[at[r.DonationID]]
		currency := money.Currency(g.Currency)
		g.Parts = append(g.Parts, Designation{FundID: r.FundID, Amount: money.New(r.Amount, currency), Covered: money.New(r.Covered, currency)})
	}
	return all, nil
}

// GaveBetween lists up to most of an entity's donors with a gift charged in the span, by their id, from the one after `after` on.
func DonorsBetween(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, from, to time.Time, after uuid.UUID, most int) (donors []uuid.UUID, err error) {
	const query = `/* donation.DonorsBetween */
		SELECT DISTINCT donor_id FROM donation
		 WHERE entity_id = $1 AND donor_id > $4 AND status = 'settled' AND charged_at >= $2 AND charged_at < $3 ORDER BY donor_id LIMIT $5`
	err = sqlx.SelectContext(ctx, q, &donors, query, entity, from, to, after, most)
	return donors, err
}

// CountGaveBetween is how many GaveBetween lists in all, and how many gifts they gave.
func CountBetween(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, from, to time.Time) (donors, gifts int, err error) {
	const query = `/* donation.CountBetween */
		SELECT count(DISTINCT donor_id) AS donors, count(*) AS gifts FROM donation
		 WHERE entity_id = $1 AND status = 'settled' AND charged_at >= $2 AND charged_at < $3`
	var n struct{ Donors, Gifts int }
	err = sqlx.GetContext(ctx, q, &n, query, entity, from, to)
	return n.Donors, n.Gifts, err
}

// DonorsOf are the donors of gifts, each once.
func DonorsOf(ctx context.Context, q sqlx.QueryerContext, gifts []uuid.UUID) (donors []uuid.UUID, err error) {
	const query = `/* donation.DonorsOf */ SELECT DISTINCT donor_id FROM donation WHERE id = ANY($1::uuid[])`
	err = sqlx.SelectContext(ctx, q, &donors, query, pg.UUIDs(gifts))
	return donors, err
}

// IDsOf are all gifts of donors, paid or not.
func IDsByDonors(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (gifts []uuid.UUID, err error) {
	const query = `/* donation.IDsByDonors */ SELECT id FROM donation WHERE donor_id = ANY($1::uuid[]) ORDER BY created_at, id`
	err = sqlx.SelectContext(ctx, q, &gifts, query, pg.UUIDs(donors))
	return gifts, err
}

// OnTheWay tells whether a gift of the donors may still arrive or is being looked at: its donor must be known until then.
func HasOpenGifts(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (coming bool, err error) {
	const query = `/* donation.HasOpenGifts */ SELECT EXISTS (SELECT 1 FROM donation WHERE donor_id = ANY($1::uuid[]) AND status IN ('started', 'processing', 'held'))`
	err = sqlx.GetContext(ctx, q, &coming, query, pg.UUIDs(donors))
	return coming, err
}
