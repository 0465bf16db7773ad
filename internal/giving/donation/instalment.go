package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/platform/pg"
)

// Instalment is a gift that follows from an earlier one.
type Instalment struct {
	ID        uuid.UUID
	First     uuid.UUID // the gift it repeats: organisation, donor, words and whom it is dedicated to are the same
	PublicRef string
	Frequency string
	Parts     []Designation
	At        time.Time
	Cause     string
}

// CreateInstalmentTx writes an instalment as a started gift, which its charge settles in the same transaction. No card goes out
// again for whom it is dedicated to.
func CreateInstalmentTx(ctx context.Context, tx *sqlx.Tx, in Instalment) error {
	const gift = `/* donation.CreateInstalmentTx */
		INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency,
			amount, covered, currency, language, anonymous, news, created_at, source, plan_id)
		SELECT $1, entity_id, organisation_id, donor_id, $3, 'started', $4, $5, $6, currency, language, anonymous, false, $7, 'plan', $2
		  FROM donation WHERE id = $2`
	const typed = `/* donation.CreateInstalmentTx */
		INSERT INTO donation_contact (donation_id, first_name, last_name, organisation_name, email, phone, address_line1, address_line2,
			city, region, postal_code, country, note)
		SELECT $1, first_name, last_name, organisation_name, email, phone, address_line1, address_line2, city, region, postal_code, country, ''
		  FROM donation_contact WHERE donation_id = $2`
	const dedicated = `/* donation.CreateInstalmentTx */
		INSERT INTO donation_dedication (donation_id, kind, name, card_name, card_email, card_message)
		SELECT $1, kind, name, '', '', '' FROM donation_dedication WHERE donation_id = $2`
	const funds = `/* donation.CreateInstalmentTx */
		INSERT INTO designation (donation_id, n, entity_id, fund_id, amount, covered)
		SELECT $1, p.n, d.entity_id, p.fund_id, p.amount, p.covered
		  FROM donation d, unnest($2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS p (fund_id, amount, covered, n) WHERE d.id = $1`
	n := len(in.Parts)
	ids, amounts, covered := make([]uuid.UUID, n), make(pq.Int64Array, n), make(pq.Int64Array, n)
	var all, added int64
	for i, p := range in.Parts {
		ids[i], amounts[i], covered[i] = p.FundID, p.Amount.Minor, p.Covered.Minor
		all, added = all+p.Amount.Minor, added+p.Covered.Minor
	}
	if _, err := tx.ExecContext(ctx, gift, in.ID, in.First, in.PublicRef, in.Frequency, all, added, in.At); err != nil {
		return err
	}
	for _, copied := range []string{typed, dedicated} {
		if _, err := tx.ExecContext(ctx, copied, in.ID, in.First); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, funds, in.ID, pg.UUIDs(ids), amounts, covered); err != nil {
		return err
	}
	return recordStatusTx(ctx, tx, []statusChange{{in.ID, Started, in.Cause}}, in.At)
}
