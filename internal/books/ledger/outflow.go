package ledger

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Refunds returns the contra-revenue account of refunds from a fund, by the fund's class.
func Refunds(restricted bool) Account {
	if restricted {
		return RefundsWith
	}
	return RefundsWithout
}

// Chargebacks returns the contra-revenue account of lost disputes, by the fund's class.
func Chargebacks(restricted bool) Account {
	if restricted {
		return ChargebacksWith
	}
	return ChargebacksWithout
}

// RestrictedTx returns a fund's net assets with donor restrictions, in minor units, positive if it has some. The caller
// holds the fund's lock, so that nothing leaves the fund before the transaction ends.
func RestrictedTx(ctx context.Context, tx *sqlx.Tx, fund uuid.UUID) (has int64, err error) {
	const query = `/* ledger.RestrictedTx */ ` + givenFunds + balances + `
		SELECT coalesce(-sum(b.amount), 0)::bigint FROM balance b JOIN account a ON a.code = b.account_code WHERE a.class = 'with'`
	err = tx.GetContext(ctx, &has, query, pg.UUIDs([]uuid.UUID{fund}))
	return has, err
}

// AccountTx returns the balance of one account of an entity's books by fund, in minor units, debit positive.
func AccountTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, account Account) (map[uuid.UUID]int64, error) {
	const query = `/* ledger.AccountTx */ ` + usedFunds + balances + `
		SELECT fund_id, amount FROM balance WHERE entity_id = $1 AND account_code = $2`
	var rows []struct {
		FundID uuid.UUID `db:"fund_id"`
		Amount int64     `db:"amount"`
	}
	if err := tx.SelectContext(ctx, &rows, query, entity, account); err != nil {
		return nil, err
	}
	balances := make(map[uuid.UUID]int64, len(rows))
	for _, r := range rows {
		balances[r.FundID] = r.Amount
	}
	return balances, nil
}
