package ledger

import (
	"context"
	"maps"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
)

// BankDimension is the dimension of a posting on Bank (1100) that names the bank account, by its slug.
const BankDimension = "bank"

// InBank adds the dimension of a bank account to the postings on 1100, and returns all postings. Without a slug it changes none.
func InBank(postings []Posting, slug string) []Posting {
	for i := range postings {
		if postings[i].Account == Bank && slug != "" {
			dimensions := maps.Clone(postings[i].Dimensions)
			if dimensions == nil {
				dimensions = map[string]string{}
			}
			dimensions[BankDimension] = slug
			postings[i].Dimensions = dimensions
		}
	}
	return postings
}

// BankBalance returns what is on 1100 of a bank account at the end of a day, in minor units.
func BankBalance(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, slug string, through Date) (balance int64, err error) {
	const query = `/* ledger.BankBalance */
		SELECT coalesce(sum(p.amount), 0)::bigint FROM posting p JOIN journal_entry e ON e.id = p.entry_id
		 WHERE p.entity_id = $1 AND p.account_code = '1100' AND p.dimensions ->> 'bank' = $2 AND e.entry_date <= $3`
	err = sqlx.GetContext(ctx, q, &balance, query, entity, slug, through.String())
	return balance, err
}

// FundAmount is what one fund has in an entry or an account, in minor units, debit positive.
type FundAmount struct {
	FundID uuid.UUID `db:"fund_id"`
	Amount int64     `db:"amount"`
}

// MovementByFund returns what the entries of a dimension left on an account in each fund, in the order of the funds' ids: a
// payout in transit, for one. Funds with zero are left out.
func MovementByFund(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, account Account, dimension, value string) (parts []FundAmount, err error) {
	const query = `/* ledger.MovementByFund */
		SELECT p.fund_id, sum(p.amount)::bigint AS amount FROM posting p JOIN journal_entry e ON e.id = p.entry_id
		 WHERE p.entity_id = $1 AND p.account_code = $2 AND p.account_code IN ('1015', '1020', '1050', '1090', '1095', '1100', '2300')
		   AND e.dimensions ->> $3 = $4
		 GROUP BY p.fund_id HAVING sum(p.amount) <> 0 ORDER BY p.fund_id`
	err = sqlx.SelectContext(ctx, q, &parts, query, entity, account, dimension, value)
	return parts, err
}

// ClosedThrough returns the last day of the closed period of an entity's books; the zero Date if none is closed.
func ClosedThrough(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID) (Date, error) {
	const query = `/* ledger.ClosedThrough */ SELECT closed_through FROM books WHERE entity_id = $1 AND closed_through IS NOT NULL`
	var days []Date
	err := sqlx.SelectContext(ctx, q, &days, query, entity)
	if err != nil || len(days) == 0 {
		return Date{}, err
	}
	return days[0], nil
}

// MatchedByFund returns what lines with a dimension left on an account in each fund: what matches of the bank booked of a payout, for one.
func MatchedByFund(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, account Account, dimension, value string) (parts []FundAmount, err error) {
	const query = `/* ledger.MatchedByFund */
		SELECT p.fund_id, sum(p.amount)::bigint AS amount FROM posting p
		 WHERE p.entity_id = $1 AND p.account_code = $2 AND p.account_code IN ('1015', '1020', '1050', '1090', '1095', '1100', '2300')
		   AND p.dimensions ->> $3 = $4
		 GROUP BY p.fund_id HAVING sum(p.amount) <> 0 ORDER BY p.fund_id`
	err = sqlx.SelectContext(ctx, q, &parts, query, entity, account, dimension, value)
	return parts, err
}
