package settlement

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/pg"
	"konbit/internal/processor/share"
)

// paymentShare is a part of a payment.
type paymentShare struct {
	payment uuid.UUID
	share.Part
}

// giftParts returns the parts of a gift by its designations, without fees.
func giftParts(catalog *fund.Catalog, gift []donation.Designation) ([]share.Part, error) {
	parts := make([]share.Part, len(gift))
	for i, d := range gift {
		f, err := catalog.Fund(d.FundID)
		if err != nil {
			return nil, err
		}
		parts[i] = share.Part{Fund: f, Gift: d.Amount.Minor}
	}
	return parts, nil
}

// insertSharesTx stores how payments are divided over funds.
func insertSharesTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, shares []paymentShare) error {
	const query = `/* settlement.insertSharesTx */
		INSERT INTO payment_share (entity_id, payment_id, fund_id, gift, fee, sponsor_fee)
		SELECT $1, s.payment_id, s.fund_id, s.gift, s.fee, s.sponsor_fee
		  FROM unnest($2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[]) AS s (payment_id, fund_id, gift, fee, sponsor_fee)`
	if len(shares) == 0 {
		return nil
	}
	rows := pg.NewColumns(5)
	for _, s := range shares {
		rows.Add(s.payment, s.Fund.ID, s.Gift, s.Fee, s.SponsorFee)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(entity)...)
	return err
}

// insertClearingTx stores what a transaction did to Stripe clearing (1010), in minor units by fund. Payouts are divided
// by it.
func insertClearingTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, transaction string, clearing map[uuid.UUID]int64) error {
	const query = `/* settlement.insertClearingTx */
		INSERT INTO clearing_share (transaction_id, entity_id, fund_id, amount)
		SELECT $1, $2, c.fund_id, c.amount FROM unnest($3::uuid[], $4::bigint[]) AS c (fund_id, amount) WHERE c.amount <> 0`
	rows := pg.NewColumns(2)
	for id, amount := range clearing {
		rows.Add(id, amount)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(transaction, entity)...)
	return err
}

// paymentOfTx returns the payment of a charge; nil if the charge is not booked.
func (s *bookingRun) paymentOfTx(ctx context.Context, tx *sqlx.Tx, charge string) (*payment.Payment, error) {
	found, err := payment.ByChargeTx(ctx, tx, s.entity.ID, payment.Stripe, []string{charge})
	if p, ok := found[charge]; ok {
		return &p, err
	}
	return nil, err
}

// remainingByFundTx returns what each fund still has of a payment, and what it owes the donor, ordered by the fund's
// code. It returns nothing if p is nil or the payment is in suspense.
func (s *bookingRun) remainingByFundTx(ctx context.Context, tx *sqlx.Tx, p *payment.Payment) ([]share.FundShare, error) {
	if p == nil {
		return nil, nil
	}
	return share.Positions(ctx, tx, s.catalog, p.ID)
}
