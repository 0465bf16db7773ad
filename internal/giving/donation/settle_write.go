package donation

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/books/ledger"
	"konbit/internal/books/org"
	"konbit/internal/giving/donor"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/pg"
)

// setPayment fills in what the payment says about the donation. A donation that was paid without a processor has no
// payment intent and no charge.
func (g *gift) setPayment(p IncomingPayment, e org.LegalEntity, now time.Time) {
	if p.method().HasProcessor() {
		intent := p.key()
		g.PaymentIntentID, g.ChargeID = &intent, &p.ChargeRef
	}
	day := p.taxDate(e)
	g.ChargedAt, g.SettledAt, g.TaxDate, g.paidBy = &p.ReceivedAt, &now, &day, p.subject()
}

// writeTx writes what the batch decided. The receipt counters come last: their rows stay locked until the commit.
func (b *batch) writeTx(ctx context.Context, tx *sqlx.Tx, s Settler) error {
	changed := slices.Concat(b.settled, b.needsReview)
	slices.SortFunc(changed, func(x, y *gift) int { return strings.Compare(x.ID.String(), y.ID.String()) })
	if err := payment.InsertTx(ctx, tx, b.payments); err != nil {
		return err
	}
	if err := updateTx(ctx, tx, changed); err != nil {
		return err
	}
	changes := make([]statusChange, len(changed))
	for i, g := range changed {
		changes[i] = statusChange{g.ID, g.Status, g.paidBy}
	}
	if err := recordStatusTx(ctx, tx, changes, b.now); err != nil {
		return err
	}
	if err := feesDueTx(ctx, tx, b.feesDue); err != nil {
		return err
	}
	if err := donor.RecordPaidGiftsTx(ctx, tx, b.paidGifts()); err != nil {
		return err
	}
	if _, err := ledger.PostTx(ctx, tx, b.entries, b.newID); err != nil {
		return err
	}
	if len(b.offline) > 0 {
		if err := s.Offline.BookOfflineTx(ctx, tx, b.catalog, b.offline); err != nil {
			return err
		}
	}
	if err := payment.InsertSourcesTx(ctx, tx, b.sources); err != nil {
		return err
	}
	if err := b.openTasksTx(ctx, tx); err != nil {
		return err
	}
	if err := s.Notices.RecordTx(ctx, tx, b.notices...); err != nil {
		return err
	}
	if err := s.Receipts.Queue.EnqueueTx(ctx, tx, b.tributeCardJobs()...); err != nil {
		return err
	}
	_, err := s.Receipts.IssueTx(ctx, tx, b.receipts, b.now)
	return err
}

// paidGifts returns what the settled donations say about their donors.
func (b *batch) paidGifts() []donor.PaidGift {
	paid := make([]donor.PaidGift, len(b.settled))
	for i, g := range b.settled {
		paid[i] = donor.PaidGift{
			DonorID: g.DonorID, FirstName: g.FirstName, LastName: g.LastName, OrganisationName: g.OrganisationName,
			Language: g.Language, News: g.News, At: *g.ChargedAt,
		}
	}
	return paid
}

// updateTx writes the status of donations that got a payment, in the order given. payment_intent_id and charge_id are
// written for the program of the release before (migration 00040).
func updateTx(ctx context.Context, tx *sqlx.Tx, gifts []*gift) error {
	const query = `/* donation.updateTx */
		UPDATE donation d
		   SET status = g.status, payment_intent_id = nullif(g.payment_intent_id, ''), charge_id = nullif(g.charge_id, ''),
		       charged_at = g.charged_at, tax_date = g.tax_date, settled_at = $1
		  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::date[])
		       AS g (id, status, payment_intent_id, charge_id, charged_at, tax_date)
		 WHERE d.id = g.id`
	if len(gifts) == 0 {
		return nil
	}
	rows := pg.NewColumns(6)
	for _, g := range gifts {
		rows.Add(g.ID, string(g.Status), g.PaymentIntentID, g.ChargeID, *g.ChargedAt, g.TaxDate.String())
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(gifts[0].SettledAt)...)
	return err
}
