package payout

import (
	"context"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/platform/pg"
)

// Money may move between funds while it is in Stripe clearing (1010): what was in suspense is a gift now. Payouts are divided
// by what their members left in each fund, and no member has this, so the next payout carries it (table clearing_move).
// Without that, both funds would keep a balance in clearing for ever.

// MovedTx stores that an entry moved money between funds in clearing, in minor units; the amounts come to zero. source is
// the entry's source id. It does nothing if all amounts are zero.
func MovedTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, source string, to map[uuid.UUID]int64) error {
	const query = `/* payout.MovedTx */
		INSERT INTO clearing_move (entity_id, source_id, fund_id, amount)
		SELECT $1, $2, m.fund_id, m.amount FROM unnest($3::uuid[], $4::bigint[]) AS m (fund_id, amount) WHERE m.amount <> 0`
	rows := pg.NewColumns(2)
	for id, amount := range to {
		rows.Add(id, amount)
	}
	_, err := tx.ExecContext(ctx, query, rows.Args(entity, source)...)
	return err
}

// CarryTx marks what waits as carried by a payout, which is named by its balance transaction, and adds it to what the payout
// takes from each fund.
func CarryTx(ctx context.Context, tx *sqlx.Tx, entity uuid.UUID, transaction string, shares map[uuid.UUID]int64) error {
	const query = `/* payout.CarryTx */ UPDATE clearing_move SET carried_by = $2 WHERE entity_id = $1 AND carried_by IS NULL RETURNING fund_id, amount`
	var rows []struct {
		FundID uuid.UUID `db:"fund_id"`
		Amount int64     `db:"amount"`
	}
	if err := tx.SelectContext(ctx, &rows, query, entity, transaction); err != nil {
		return err
	}
	for _, r := range rows {
		shares[r.FundID] += r.Amount
	}
	return nil
}
