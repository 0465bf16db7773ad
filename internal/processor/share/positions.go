package share

import (
	"context"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
)

// Positions returns what each fund still has of a payment, and what it owes the donor, ordered by the fund's code. It
// returns nothing if the payment is in suspense.
func Positions(ctx context.Context, q sqlx.QueryerContext, catalog *fund.Catalog, payment uuid.UUID) ([]FundShare, error) {
	const query = `/* share.Positions */
		SELECT fund_id, gift, fee, sponsor_fee, remaining, refunded, fee_back, sponsor_fee_back, owed FROM payment_position($1) ORDER BY fund_id`
	rows, err := q.QueryxContext(ctx, query, payment)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var shares []FundShare
	for rows.Next() {
		var id uuid.UUID
		var h FundShare
		if err := rows.Scan(&id, &h.Gift, &h.Fee, &h.SponsorFee, &h.Remaining, &h.Refunded, &h.FeeBack, &h.SponsorFeeBack, &h.Owed); err != nil {
			return nil, err
		}
		if h.Fund, err = catalog.Fund(id); err != nil {
			return nil, err
		}
		shares = append(shares, h)
	}
	slices.SortFunc(shares, func(a, b FundShare) int { return strings.Compare(a.Fund.Code, b.Fund.Code) })
	return shares, rows.Err()
}
