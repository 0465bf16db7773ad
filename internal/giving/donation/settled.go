package donation

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// SettledGift is a settled donation with its payment.
type SettledGift struct {
	ID             uuid.UUID   `db:"id"`
	DonorID        uuid.UUID   `db:"donor_id"`
	OrganisationID uuid.UUID   `db:"organisation_id"`
	AmountMinor    int64       `db:"amount"` // received, in minor units
	Currency       string      `db:"currency"`
	TaxDate        ledger.Date `db:"tax_date"`
	Payment        payment.Payment
	Parts          []Designation
}

// Amount returns what was received. The whole amount is a gift, the covered fee included.
func (s SettledGift) Amount() money.Amount {
	return money.New(s.AmountMinor, money.Currency(s.Currency))
}

// SettledInYear returns the donors' settled donations with a receipt whose tax date lies in the year, the oldest first.
func SettledInYear(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID, year int) ([]SettledGift, error) {
	const gifts = `/* donation.SettledInYear */
		SELECT id, donor_id, organisation_id, amount, currency, tax_date FROM donation
		 WHERE donor_id = ANY($1::uuid[]) AND status = 'settled' AND given_by IS NULL AND tax_date >= make_date($2, 1, 1) AND tax_date < make_date($2 + 1, 1, 1)
		 ORDER BY charged_at, id`
	const parts = `/* donation.SettledInYear */
		SELECT donation_id, fund_id, amount, covered FROM designation WHERE donation_id = ANY($1::uuid[]) ORDER BY donation_id, n`
	var all []SettledGift
	if err := sqlx.SelectContext(ctx, q, &all, gifts, pg.UUIDs(donors), year); err != nil || len(all) == 0 {
		return nil, err
	}
	at, ids := make(map[uuid.UUID]int, len(all)), make([]uuid.UUID, len(all))
	for i, g := range all {
		at[g.ID], ids[i] = i, g.ID
	}
	payments, err := payment.SettledOf(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Payment = payments[all[i].ID]
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

// DonorsInYear returns up to limit of an entity's donors with a donation in SettledInYear, in the order of their
// ids, beginning behind `after`.
func DonorsInYear(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, year int, after uuid.UUID, limit int) (donors []uuid.UUID, err error) {
	const query = `/* donation.DonorsInYear */
		SELECT DISTINCT donor_id FROM donation
		 WHERE entity_id = $1 AND donor_id > $3 AND status = 'settled' AND given_by IS NULL AND tax_date >= make_date($2, 1, 1) AND tax_date < make_date($2 + 1, 1, 1)
		 ORDER BY donor_id LIMIT $4`
	err = sqlx.SelectContext(ctx, q, &donors, query, entity, year, after, limit)
	return donors, err
}

// CountInYear returns how many donors DonorsInYear returns in all, and how many donations they gave.
func CountInYear(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, year int) (donors, gifts int, err error) {
	const query = `/* donation.CountInYear */
		SELECT count(DISTINCT donor_id) AS donors, count(*) AS gifts FROM donation
		 WHERE entity_id = $1 AND status = 'settled' AND given_by IS NULL AND tax_date >= make_date($2, 1, 1) AND tax_date < make_date($2 + 1, 1, 1)`
	var n struct{ Donors, Gifts int }
	err = sqlx.GetContext(ctx, q, &n, query, entity, year)
	return n.Donors, n.Gifts, err
}

// DonorsOf returns the donors of donations, each once.
func DonorsOf(ctx context.Context, q sqlx.QueryerContext, gifts []uuid.UUID) (donors []uuid.UUID, err error) {
	const query = `/* donation.DonorsOf */ SELECT DISTINCT donor_id FROM donation WHERE id = ANY($1::uuid[])`
	err = sqlx.SelectContext(ctx, q, &donors, query, pg.UUIDs(gifts))
	return donors, err
}

// IDsByDonors returns all donations of donors, paid or not.
func IDsByDonors(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (gifts []uuid.UUID, err error) {
	const query = `/* donation.IDsByDonors */ SELECT id FROM donation WHERE donor_id = ANY($1::uuid[]) ORDER BY created_at, id`
	err = sqlx.SelectContext(ctx, q, &gifts, query, pg.UUIDs(donors))
	return gifts, err
}

// HasOpenGifts reports whether a donation of the donors may still be paid or needs review. Its donor must be known
// until then.
func HasOpenGifts(ctx context.Context, q sqlx.QueryerContext, donors []uuid.UUID) (coming bool, err error) {
	const query = `/* donation.HasOpenGifts */ SELECT EXISTS (SELECT 1 FROM donation WHERE donor_id = ANY($1::uuid[]) AND status IN ('started', 'processing', 'held'))`
	err = sqlx.GetContext(ctx, q, &coming, query, pg.UUIDs(donors))
	return coming, err
}
