package donation

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/ledger"
	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/platform/pg"
)

// loadTx locks and reads the donations of payments, and reads which payments have a journal entry already.
func (b *batch) loadTx(ctx context.Context, tx *sqlx.Tx, payments []IncomingPayment) error {
	const query = `/* donation.loadTx */
		SELECT ` + columns + `, status IN ('expired', 'failed') AND checkout_superseded(id) AS superseded
		  FROM donation WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE`
	const contacts = `/* donation.loadTx */
		SELECT donation_id, ` + contact.Columns + `, note
		  FROM donation_contact WHERE donation_id = ANY($1::uuid[])`
	b.gifts, b.booked = map[uuid.UUID]*gift{}, map[string]bool{}
	var ids []uuid.UUID
	for _, p := range payments {
		if p.DonationID != uuid.Nil {
			ids = append(ids, p.DonationID)
		}
	}
	if len(ids) > 0 {
		var donations []struct {
			Donation
			Superseded bool `db:"superseded"`
		}
		if err := tx.SelectContext(ctx, &donations, query, pg.UUIDs(ids)); err != nil {
			return err
		}
		parts, err := DesignationsOf(ctx, tx, ids)
		if err != nil {
			return err
		}
		dedications, err := dedication.OfDonations(ctx, tx, ids)
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
			b.gifts[d.ID] = &gift{Donation: d.Donation, parts: parts[d.ID], superseded: d.Superseded}
		}
		for _, t := range typed {
			g := b.gifts[t.DonationID]
			g.Contact, g.known, g.dedication = t.Contact, true, dedications[t.DonationID]
		}
	}
	if err := b.loadIgnoredTx(ctx, tx, payments); err != nil {
		return err
	}
	booked, err := bookedTx(ctx, tx, b.catalog, payments)
	if err != nil {
		return err
	}
	for i, p := range payments {
		b.booked[entryKey(p)] = booked[i]
	}
	return nil
}

// bookedTx reports for each payment, in order, whether it has a journal entry.
func bookedTx(ctx context.Context, tx *sqlx.Tx, catalog *fund.Catalog, payments []IncomingPayment) ([]bool, error) {
	entries := make([]ledger.Entry, len(payments))
	for i, p := range payments {
		entity, err := catalog.EntityByID(p.EntityID)
		if err != nil {
			return nil, err
		}
		entries[i] = paymentEntry(entity, p)
	}
	return ledger.BookedTx(ctx, tx, entries)
}
