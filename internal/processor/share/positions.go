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
	var rows []struct {
		FundID         uuid.UUID `db:"fund_id"`
		Gift           int64     `db:"gift"`
		Fee            int64     `db:"fee"`
		SponsorFee     int64     `db:"sponsor_fee"`
		Remaining      int64     `db:"remaining"`
		Refunded       int64     `db:"refunded"`
		FeeBack        int64     `db:"fee_back"`
		SponsorFeeBack int64     `db:"sponsor_fee_back"`
		Owed           int64     `db:"owed"`
	}
	if err := sqlx.SelectContext(ctx, q, &rows, query, payment); err != nil {
		return nil, err
	}
	shares := make([]FundShare, len(rows))
	for i, r := range rows {
		f, err := catalog.Fund(r.FundID)
		if err != nil {
			return nil, err
		}
		shares[i] = FundShare{
			Fund: f, Gift: r.Gift, Fee: r.Fee, SponsorFee: r.SponsorFee, Remaining: r.Remaining, Refunded: r.Refunded,
			FeeBack: r.FeeBack, SponsorFeeBack: r.SponsorFeeBack, Owed: r.Owed,
		}
	}
	slices.SortFunc(shares, func(a, b FundShare) int { return strings.Compare(a.Fund.Code, b.Fund.Code) })
	return shares, nil
}
