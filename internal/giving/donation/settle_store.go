package donation

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/platform/pg"
)

// loadTx locks and reads the gifts of the charges, and asks the books which payments they hold already.
func (b *batch) loadTx(ctx context.Context, tx *sqlx.Tx, charges []IncomingPayment) error {
	const query = `/* donation.loadTx */
		SELECT ` + columns + `, EXISTS (SELECT 1 FROM donation o WHERE o.form_id = donation.form_id AND o.id <> donation.id
		       AND o.status IN ('started', 'processing', 'settled', 'held')) AS replaced
		  FROM donation WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	const contacts = `/* donation.loadTx */
		SELECT donation_id, first_name, last_name, email, phone, address_line1, address_line2, city, region, postal_code, country, note
		  FROM donation_contact WHERE donation_id = ANY($1::uuid[])`
	b.gifts, b.booked = map[uuid.UUID]*gift{}, map[string]bool{}
	var ids []uuid.UUID
	for _, c := range charges {
		if c.DonationID != uuid.Nil {
			ids = append(ids, c.DonationID)
		}
	}
	if len(ids) > 0 {
		var donations []struct {
			Donation
			Replaced bool `db:"replaced"`
		}
		if err := tx.SelectContext(ctx, &donations, query, pg.UUIDs(ids)); err != nil {
			return err
		}
		parts, err := DesignationsOf(ctx, tx, ids)
		if err != nil {
			return err
		}
		dedications, err := dedicationsOf(ctx, tx, ids)
		if err != nil {
			return err
		}
		var typed []struct {
			DonationID uuid.UUID `db:"donation_id"`
			Contact
		}
		if err := tx.SelectContext(ctx, &typed, contacts, pg.UUIDs(ids)); err != nil {
			return err
		}
		for _, d := range donations {
			b.gifts[d.ID] = &gift{Donation: d.Donation, parts: parts[d.ID], superseded: d.Replaced}
		}
		for _, t := range typed {
			b.gifts[t.DonationID].Contact, b.gifts[t.DonationID].dedication = t.Contact, dedications[t.DonationID]
		}
	}
	booked, err := bookedTx(ctx, tx, b.catalog, charges)
	if err != nil {
		return err
	}
	for i, c := range charges {
		b.booked[entryKey(c)] = booked[i]
	}
	return nil
}

// bookedTx asks the books which payments they hold already.
func bookedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, charges []IncomingPayment) ([]bool, error) {
	told := make([]ledger.Entry, len(charges))
	for i, c := range charges {
		entity, err := catalog.EntityByID(c.EntityID)
		if err != nil {
			return nil, err
		}
		told[i] = paymentEntry(entity, c)
	}
	return ledger.BookedTx(ctx, tx, told)
}

// updateTx writes the status and payment of gifts, in the order given.
func updateTx(ctx context.Context, tx *sqlx.Tx, gifts []*gift) error {
	const query = `/* donation.updateTx */
		UPDATE donation d
		   SET status = g.status, payment_intent_id = g.payment_intent_id, charge_id = g.charge_id,
		       charged_at = g.charged_at, settled_at = $6
		  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])
		       AS g (id, status, payment_intent_id, charge_id, charged_at)
		 WHERE d.id = g.id`
	if len(gifts) == 0 {
		return nil
	}
	n := len(gifts)
	ids := make([]uuid.UUID, n)
	statuses, intents, charges, at := make(pq.StringArray, n), make(pq.StringArray, n), make(pq.StringArray, n), make(pq.StringArray, n)
	for i, g := range gifts {
		ids[i], statuses[i], intents[i], charges[i] = g.ID, string(g.Status), *g.PaymentIntentID, *g.ChargeID
		at[i] = g.ChargedAt.UTC().Format(time.RFC3339Nano)
	}
	_, err := tx.ExecContext(ctx, query, pg.UUIDs(ids), statuses, intents, charges, at, gifts[0].SettledAt)
	return err
}
