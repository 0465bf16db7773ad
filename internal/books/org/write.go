package org

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// UpsertEntityTx inserts e, or updates the row with its id; now is the time of the change. An update does not change
// the slug and the currency.
func UpsertEntityTx(ctx context.Context, tx *sqlx.Tx, e LegalEntity, now time.Time) error {
	const query = `/* org.UpsertEntityTx */
		INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, fee_borne_by,
			fee_basis_points, fee_fixed, sponsor_basis_points, sponsor_of, created_at, updated_at, receipt_prefix,
			two_persons_refund, money_factor, fiscal_year_starts, without_cards, giving_by_mail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18, $19, $20)
		ON CONFLICT (id) DO UPDATE SET legal_name = excluded.legal_name, ein = excluded.ein, address = excluded.address,
			timezone = excluded.timezone, mail_from = excluded.mail_from, fee_borne_by = excluded.fee_borne_by,
			fee_basis_points = excluded.fee_basis_points, fee_fixed = excluded.fee_fixed,
			sponsor_basis_points = excluded.sponsor_basis_points, sponsor_of = excluded.sponsor_of,
			receipt_prefix = excluded.receipt_prefix, two_persons_refund = excluded.two_persons_refund,
			money_factor = excluded.money_factor, fiscal_year_starts = excluded.fiscal_year_starts,
			without_cards = excluded.without_cards, giving_by_mail = excluded.giving_by_mail, updated_at = excluded.updated_at`
	address, err := json.Marshal(e.Address)
	if err != nil {
		return err
	}
	byMail := []byte("{}")
	if len(e.GivingByMail) > 0 {
		if byMail, err = json.Marshal(e.GivingByMail); err != nil {
			return err
		}
	}
	_, err = tx.ExecContext(ctx, query, e.ID, e.Slug, e.LegalName, e.EIN, string(address), e.Timezone, e.Currency, e.MailFrom,
		e.ProcessingFee.PaidBy, e.ProcessingFee.BasisPoints, e.ProcessingFee.Fixed, e.SponsorFee.BasisPoints, e.SponsorFee.Of, now,
		e.ReceiptPrefix, e.TwoPersonsRefund, cmp.Or(e.MoneyFactor, FactorPasskey), max(e.FiscalYearStarts, time.January),
		e.WithoutCards, string(byMail))
	return err
}

// UpsertOrganisationTx inserts o, or updates the row with its id; now is the time of the change. An update does not
// change the slug and the entity.
func UpsertOrganisationTx(ctx context.Context, tx *sqlx.Tx, o Organisation, now time.Time) error {
	const query = `/* org.UpsertOrganisationTx */
		INSERT INTO organisation (id, entity_id, slug, name, sponsored, languages, presets, minimum, maximum, frequencies,
			accent, position, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, sponsored = excluded.sponsored, languages = excluded.languages,
			presets = excluded.presets, minimum = excluded.minimum, maximum = excluded.maximum,
			frequencies = excluded.frequencies, accent = excluded.accent, position = excluded.position,
			updated_at = excluded.updated_at`
	name, err := json.Marshal(o.Name)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, query, o.ID, o.EntityID, o.Slug, string(name), o.Sponsored,
		pq.StringArray(convert[string](o.Languages)), append(pq.Int64Array{}, o.Presets...), o.Minimum, o.Maximum,
		pq.StringArray(convert[string](o.Frequencies)), o.Accent, o.Position, now)
	return err
}
