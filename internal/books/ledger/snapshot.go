package ledger

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/money"
	"konbit/internal/platform/pg"
)

// A balance is a fund's newest snapshot and the postings since. A donation writes to no shared row for it: snapshots
// are made afterwards from sealed entries, each from the one before and the postings between.

// SnapshotAfter is the number of postings after which a fund's next snapshot is due, so that a balance seldom reads
// more.
const SnapshotAfter = 1000

// The beginning of a query: the funds given as $1, or all funds with a posting, each found by one index look-up in
// posting_by_fund.
const (
	givenFunds = `
	WITH chosen AS (SELECT DISTINCT unnest($1::uuid[]) AS fund_id)`
	usedFunds = `
	WITH RECURSIVE used AS (
	    (SELECT fund_id FROM posting ORDER BY fund_id LIMIT 1)
	    UNION ALL
	    SELECT (SELECT p.fund_id FROM posting p WHERE p.fund_id > used.fund_id ORDER BY p.fund_id LIMIT 1) FROM used WHERE used.fund_id IS NOT NULL
	), chosen AS (SELECT fund_id FROM used WHERE fund_id IS NOT NULL)`
)

// sinceSnapshot continues the query with the entity of each fund and the position of its newest snapshot: n in the
// entity's chain and the serial of that entry; 0 and 0 if it has none.
const sinceSnapshot = `, since AS (
	    SELECT f.fund_id, b.entity_id, b.currency, coalesce(k.n, 0) AS n, coalesce(k.serial, 0) AS serial
	      FROM chosen f
	     CROSS JOIN LATERAL (SELECT entity_id FROM posting WHERE fund_id = f.fund_id ORDER BY serial LIMIT 1) p
	      JOIN books b ON b.entity_id = p.entity_id
	      LEFT JOIN LATERAL (
	          SELECT k.n, s.serial FROM ledger_snapshot k JOIN ledger_seal s ON s.entity_id = k.entity_id AND s.n = k.n
	           WHERE k.fund_id = f.fund_id ORDER BY k.n DESC LIMIT 1) k ON true
	)`

// balances continues the query with the balance of each account. The upper limit of the serials makes the planner
// expect few postings.
const balances = sinceSnapshot + `, balance AS (
	    SELECT s.entity_id, s.currency, s.fund_id, b.account_code, b.amount
	      FROM since s CROSS JOIN LATERAL (
	          SELECT account_code, sum(amount)::bigint AS amount
	            FROM (SELECT k.account_code, k.amount FROM ledger_snapshot k WHERE k.fund_id = s.fund_id AND k.n = s.n
	                  UNION ALL
	                  SELECT p.account_code, p.amount FROM posting p WHERE p.fund_id = s.fund_id
	                      AND p.serial > s.serial AND p.serial <= 9223372036854775807) part
	           GROUP BY account_code) b
	)`

// TakeSnapshots makes a snapshot of each fund with at least `after` sealed postings since its last snapshot. The
// snapshot is as of the newest seal of the fund's entity. It returns the number of accounts in the new snapshots.
// Several processes may call it at once.
func TakeSnapshots(ctx context.Context, db *sqlx.DB, after int) (accounts int64, err error) {
	const insert = `/* ledger.TakeSnapshots */
		INSERT INTO ledger_snapshot (entity_id, fund_id, n, account_code, amount)
		` + usedFunds + sinceSnapshot + `, due AS (
		    SELECT s.*, head.n AS head_n, head.serial AS head_serial
		      FROM since s CROSS JOIN LATERAL (SELECT n, serial FROM ledger_seal WHERE entity_id = s.entity_id ORDER BY n DESC LIMIT 1) head
		     WHERE (SELECT count(*) FROM (SELECT FROM posting p WHERE p.fund_id = s.fund_id AND p.serial > s.serial AND p.serial <= head.serial LIMIT $1) p) >= $1
		)
		SELECT d.entity_id, d.fund_id, d.head_n, b.account_code, b.amount
		  FROM due d CROSS JOIN LATERAL (
		      SELECT account_code, sum(amount) AS amount
		        FROM (SELECT k.account_code, k.amount FROM ledger_snapshot k WHERE k.fund_id = d.fund_id AND k.n = d.n
		              UNION ALL
		              SELECT p.account_code, p.amount FROM posting p
		               WHERE p.fund_id = d.fund_id AND p.serial > d.serial AND p.serial <= d.head_serial) part
		       GROUP BY account_code) b
		ON CONFLICT (fund_id, n, account_code) DO NOTHING`
	err = pg.InTx(ctx, db, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, insert, max(after, 1))
		if err != nil {
			return err
		}
		accounts, err = done.RowsAffected()
		return err
	})
	return accounts, err
}

// Position is what a fund has, in minor units of its books' currency.
type Position struct {
	Currency            money.Currency `db:"currency"`
	WithoutRestrictions int64          `db:"without_restrictions"` // net assets
	WithRestrictions    int64          `db:"with_restrictions"`    // net assets
	Encumbered          int64          `db:"encumbered"`           // promised conditionally: 9100
	NotYetCash          int64          `db:"not_yet_cash"`         // withheld, undeposited, in suspense, of others, pledged: 1020, 1050, 1090, 1095, 1200
	Clearing            int64          `db:"clearing"`             // at Stripe or on its way to the bank: 1010, 1015
	Cash                int64          `db:"cash"`                 // settled: 1100
}

// FreeToAward returns what may be awarded. settledOnly is a policy of the entity: money that has not reached the bank
// does not count.
func (s Position) FreeToAward(settledOnly bool) int64 {
	free := s.WithoutRestrictions + s.WithRestrictions - s.Encumbered - s.NotYetCash
	if settledOnly {
		free -= s.Clearing
	}
	return free
}

// FreeToPay returns what may leave the bank.
func (s Position) FreeToPay() int64 { return s.Cash }

// ReadPosition returns the present position of a fund. It returns the zero Position, without a currency, if the books
// have no entry of the fund. A caller that spends by the result (an award, a release, a transfer) must hold a lock on
// the fund's row in the same read-committed transaction.
func ReadPosition(ctx context.Context, q sqlx.QueryerContext, fundID uuid.UUID) (s Position, err error) {
	const query = `/* ledger.ReadPosition */ ` + givenFunds + balances + `
		SELECT coalesce(max(b.currency), '') AS currency,
		       coalesce(-sum(amount) FILTER (WHERE a.class = 'without'), 0)::bigint AS without_restrictions,
		       coalesce(-sum(amount) FILTER (WHERE a.class = 'with'), 0)::bigint AS with_restrictions,
		       coalesce(sum(amount) FILTER (WHERE code = '9100'), 0)::bigint AS encumbered,
		       coalesce(sum(amount) FILTER (WHERE code IN ('1020', '1050', '1090', '1095', '1200')), 0)::bigint AS not_yet_cash,
		       coalesce(sum(amount) FILTER (WHERE code IN ('1010', '1015')), 0)::bigint AS clearing,
		       coalesce(sum(amount) FILTER (WHERE code = '1100'), 0)::bigint AS cash
		  FROM balance b JOIN account a ON a.code = b.account_code`
	err = sqlx.GetContext(ctx, q, &s, query, pg.UUIDs([]uuid.UUID{fundID}))
	return s, err
}
