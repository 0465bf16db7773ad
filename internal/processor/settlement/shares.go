package settlement

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/giving/payment"
	"konbit/internal/platform/pg"
)

// part is a fund's part of a payment, or of a change of a payment, in minor units. In the payment's asset account the
// fund has gift − fee − sponsorFee of the payment.
type part struct {
	fund       fund.Fund
	gift       int64
	fee        int64 // the fund's part of the processing fee
	sponsorFee int64 // negative in operations, which receives it
	absorbed   int64 // for a change: the amount that operations pays instead of the fund
}

// paymentShare is a part of a payment.
type paymentShare struct {
	payment uuid.UUID
	part
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
		rows.Add(s.payment, s.fund.ID, s.gift, s.fee, s.sponsorFee)
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

// fundShare is what a fund has of a payment, in minor units.
type fundShare struct {
	fund                    fund.Fund
	gift, fee, sponsorFee   int64 // when the payment was booked
	remaining               int64 // the gift minus its refunds and minus its disputes that are open or lost
	refunded                int64 // the part of the gift that was refunded
	feeBack, sponsorFeeBack int64 // given back with refunds
}

// remainingByFundTx returns what funds still have of a payment, by the code of the fund. It is empty if p is nil or the
// payment is in suspense.
func (s *bookingRun) remainingByFundTx(ctx context.Context, tx *sqlx.Tx, p *payment.Payment) ([]fundShare, error) {
	const query = `/* settlement.remainingByFundTx */
		SELECT c.fund_id, c.gift, c.fee, c.sponsor_fee, c.gift - coalesce(g.gone, 0), coalesce(g.refunded, 0), coalesce(g.fee, 0), coalesce(g.sponsor_fee, 0)
		  FROM payment_share c
		  LEFT JOIN (SELECT s.fund_id, sum(s.fee)::bigint AS fee, sum(s.sponsor_fee)::bigint AS sponsor_fee,
		                    coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0)::bigint AS refunded,
		                    sum(CASE s.kind WHEN 'refund' THEN s.amount WHEN 'dispute withdrawn' THEN s.amount
		                                    WHEN 'dispute won' THEN -s.amount ELSE 0 END)::bigint AS gone
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
	var shares []fundShare
	for rows.Next() {
		var id uuid.UUID
		var h fundShare
		if err := rows.Scan(&id, &h.gift, &h.fee, &h.sponsorFee, &h.remaining, &h.refunded, &h.feeBack, &h.sponsorFeeBack); err != nil {
			return nil, err
		}
		if h.fund, err = s.catalog.Fund(id); err != nil {
			return nil, err
		}
		shares = append(shares, h)
	}
	slices.SortFunc(shares, func(a, b fundShare) int { return strings.Compare(a.fund.Code, b.fund.Code) })
	return shares, rows.Err()
}
