package ledger

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// LeftBySources returns what the entries of a source, those that reverse them included, left on an account in each fund, in the order
// of the funds' ids. ids are source ids. Funds with zero are left out. It reads by the keys of the entries, so a few hundred ids are cheap
// in books of any size.
func LeftBySources(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, account Account, source string, ids []string) (parts []FundAmount, err error) {
	const query = `/* ledger.LeftBySources */
		WITH own AS (SELECT e.id FROM journal_entry e WHERE e.entity_id = $1 AND e.source = $2 AND e.source_id = ANY($3::text[]))
		SELECT p.fund_id, sum(p.amount)::bigint AS amount FROM (
			SELECT id FROM own UNION SELECT r.id FROM own JOIN journal_entry r ON r.reverses = own.id) e
		  JOIN posting p ON p.entry_id = e.id
		 WHERE p.account_code = $4 GROUP BY p.fund_id HAVING sum(p.amount) <> 0 ORDER BY p.fund_id`
	err = sqlx.SelectContext(ctx, q, &parts, query, entity, source, pq.Array(ids), account)
	return parts, err
}

// BankOf returns the slug of the bank account to which the entries of a source id were booked on 1100; empty if to none.
func BankOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, source, sourceID string) (string, error) {
	const query = `/* ledger.BankOf */
		SELECT DISTINCT p.dimensions ->> 'bank' FROM journal_entry e JOIN posting p ON p.entry_id = e.id
		 WHERE e.entity_id = $1 AND e.source = $2 AND e.source_id = $3 AND p.account_code = '1100' AND p.dimensions ? 'bank'`
	var slugs []string
	err := sqlx.SelectContext(ctx, q, &slugs, query, entity, source, sourceID)
	if err != nil || len(slugs) != 1 {
		return "", err
	}
	return slugs[0], nil
}

// EntriesOf returns where the entries of a source id are in the books that reverse none and are not reversed, the oldest first.
func EntriesOf(ctx context.Context, q sqlx.QueryerContext, entity uuid.UUID, source, sourceID string) (all []Posted, err error) {
	const query = `/* ledger.EntriesOf */
		SELECT e.id, e.entry_date AS date FROM journal_entry e WHERE e.entity_id = $1 AND e.source = $2 AND e.source_id = $3 AND e.reverses IS NULL
		   AND NOT EXISTS (SELECT FROM journal_entry r WHERE r.reverses = e.id) ORDER BY e.entry_date, e.id`
	var found []struct {
		ID   uuid.UUID `db:"id"`
		Date Date      `db:"date"`
	}
	err = sqlx.SelectContext(ctx, q, &found, query, entity, source, sourceID)
	for _, f := range found {
		all = append(all, Posted{ID: f.ID, Date: f.Date})
	}
	return all, err
}
