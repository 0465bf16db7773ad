package settlement

import (
	"context"
	"slices"
	"strings"

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
	const query = `/* settlement.remainingByFundTx */
		SELECT c.fund_id, c.gift, c.fee, c.sponsor_fee, c.gift - coalesce(g.gone, 0), coalesce(g.refunded, 0), coalesce(g.fee, 0), coalesce(g.sponsor_fee, 0),
		       coalesce(g.owed, 0)
		  FROM payment_share c
		  LEFT JOIN (SELECT s.fund_id, sum(s.fee)::bigint AS fee, sum(s.sponsor_fee)::bigint AS sponsor_fee,
		                    coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0)::bigint AS refunded,
		                    sum(CASE s.kind WHEN 'refund' THEN s.amount WHEN 'dispute withdrawn' THEN s.amount
		                                    WHEN 'dispute won' THEN -s.amount ELSE 0 END)::bigint AS gone,
		                    sum(CASE s.kind WHEN 'refund failed' THEN s.amount + s.owed WHEN 'refund' THEN -s.owed WHEN 'dispute withdrawn' THEN -s.owed
		                                    WHEN 'dispute won' THEN s.owed ELSE 0 END)::bigint AS owed
		               FROM payment_change h
		               JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
		              WHERE h.payment_id = $1 GROUP BY s.fund_id) g ON g.fund_id = c.fund_id
		 WHERE c.payment_id = $1 AND c.gift > 0 ORDER BY c.fund_id`
	if p == nil {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, query, p.ID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var shares []share.FundShare
	for rows.Next() {
		var id uuid.UUID
		var h share.FundShare
		if err := rows.Scan(&id, &h.Gift, &h.Fee, &h.SponsorFee, &h.Remaining, &h.Refunded, &h.FeeBack, &h.SponsorFeeBack, &h.Owed); err != nil {
			return nil, err
		}
		if h.Fund, err = s.catalog.Fund(id); err != nil {
			return nil, err
		}
		shares = append(shares, h)
	}
	slices.SortFunc(shares, func(a, b share.FundShare) int { return strings.Compare(a.Fund.Code, b.Fund.Code) })
	return shares, rows.Err()
}
